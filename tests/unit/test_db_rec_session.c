/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <stdio.h>
#include <string.h>

#include "db/rec_session.h"

static struct rec_session
session(unsigned id)
{
	struct rec_session s = {
		.kind = REC_SESSION_CHUNKS,
		.filename = "a",
		.prefix = "",
		.client = "192.0.2.1 ",
		.layout = REC_SEALED,
		.encryption = true,
		.total_chunks = 7,
		.total_size = UINT64_MAX,
		.header = "00ff",
		.updated_ms = 70,
	};

	(void)help_id(id, s.id);
	(void)help_id(id + 100, s.blob_id);
	return s;
}

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_put(tx, arg, err);
}

static int
touch(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_touch(tx, arg, err);
}

static int
advance(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_advance(tx, arg, err);
}

static int
remove_row(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_remove(tx, arg, err);
}

/* The last one that a walk shows, its strings not kept. */
struct seen {
	struct rec_session s;
	char filename[16];
	char tail[16];
	char file_hash[80];
	unsigned count;
};

static int
see(void *arg, const struct rec_session *s, struct err *err)
{
	struct seen *seen = arg;

	(void)err;
	seen->s = *s;
	(void)snprintf(
	    seen->filename, sizeof(seen->filename), "%s", s->filename);
	(void)snprintf(seen->tail, sizeof(seen->tail), "%s",
	    s->tail == NULL ? "" : s->tail);
	(void)snprintf(seen->file_hash, sizeof(seen->file_hash), "%s",
	    s->file_hash == NULL ? "" : s->file_hash);
	seen->count++;
	return 0;
}

static int
read_all(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_each(tx, see, arg, err);
}

static struct seen
look(struct db *db)
{
	struct seen seen = { .count = 0 };
	struct err err = ERR_INIT;

	assert_int_equal(db_read(db, read_all, &seen, &err), 0);
	return seen;
}

DB_TEST(test_db_rec_session__keeps_all_that_is_put)
{
	struct rec_session s = session(1);
	struct err err = ERR_INIT;
	struct seen seen;

	s.tail = "dGFpbA==";
	s.grid = 65536;
	s.off_grid = true;
	s.received = 5;
	s.front_number = 1;
	s.front_offset = 65536;
	s.hash_offset = 64;
	s.hash_crc32 = 0xffffffff;
	s.hash_state = "c3RhdGU=";
	s.until_ms = 99;
	assert_int_equal(db_write(db, put, &s, &err), 0);
	seen = look(db);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.s.id, s.id);
	assert_string_equal(seen.s.blob_id, s.blob_id);
	assert_string_equal(seen.filename, "a");
	assert_string_equal(seen.tail, "dGFpbA==");
	assert_int_equal(seen.s.total_size, UINT64_MAX);
	assert_int_equal(seen.s.total_chunks, 7);
	assert_int_equal(seen.s.layout, REC_SEALED);
	assert_true(seen.s.encryption && seen.s.off_grid);
	assert_int_equal(seen.s.grid, 65536);
	assert_int_equal(seen.s.front_offset, 65536);
	assert_int_equal(seen.s.hash_crc32, 0xffffffff);
	assert_int_equal(seen.s.until_ms, 99);
}

DB_TEST(test_db_rec_session__changes_only_what_it_says)
{
	struct rec_session s = session(1), later = s;
	struct err err = ERR_INIT;
	struct seen seen;

	assert_int_equal(db_write(db, put, &s, &err), 0);
	later.received = 10;
	later.grid = 4;
	later.total_size = 12;
	later.file_hash = "abc";
	later.front_offset = 999;
	assert_int_equal(db_write(db, touch, &later, &err), 0);
	seen = look(db);
	assert_int_equal(seen.s.received, 10);
	assert_int_equal(seen.s.total_size, 12);
	assert_string_equal(seen.file_hash, "abc");
	assert_int_equal(seen.s.front_offset, 0);
	/* They may come in another order than they were made. */
	later.received = 8;
	assert_int_equal(db_write(db, touch, &later, &err), 0);
	assert_int_equal(look(db).s.received, 10);
	later.grid = 77;
	later.front_number = 2;
	assert_int_equal(db_write(db, advance, &later, &err), 0);
	seen = look(db);
	assert_int_equal(seen.s.front_offset, 999);
	assert_int_equal(seen.s.front_number, 2);
	assert_int_equal(seen.s.grid, 4);
}

DB_TEST(test_db_rec_session__has_one_open_for_a_name)
{
	struct rec_session s = session(1), other = session(2);
	struct err err = ERR_INIT;

	assert_int_equal(db_write(db, put, &s, &err), 0);
	assert_int_equal(db_write(db, put, &other, &err), -1);
	s.state = REC_SESSION_CANCELLED;
	assert_int_equal(db_write(db, put, &s, &err), 0);
	assert_int_equal(db_write(db, put, &other, &err), 0);
	assert_int_equal(look(db).count, 2);
	assert_int_equal(db_write(db, remove_row, s.id, &err), 0);
	assert_int_equal(look(db).count, 1);
}

struct blob {
	const char *id;
	bool is_there;
};

static int
ask_blob(struct db_tx *tx, void *arg, struct err *err)
{
	struct blob *b = arg;

	return rec_session_has_blob(tx, b->id, &b->is_there, err);
}

DB_TEST(test_db_rec_session__knows_the_blobs_of_the_open)
{
	struct rec_session s = session(1);
	struct blob b = { s.blob_id, false };
	struct err err = ERR_INIT;

	assert_int_equal(db_write(db, put, &s, &err), 0);
	assert_int_equal(db_read(db, ask_blob, &b, &err), 0);
	assert_true(b.is_there);
	s.state = REC_SESSION_COMPLETED;
	assert_int_equal(db_write(db, put, &s, &err), 0);
	assert_int_equal(db_read(db, ask_blob, &b, &err), 0);
	assert_false(b.is_there);
}

/* --- chunks --------------------------------------------------------------- */

struct chunk_job {
	const char *session;
	struct rec_chunk chunk;
	unsigned limit;
	bool left;
	uint64_t sum;
	unsigned count;
};

static int
put_chunk(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	return rec_chunk_put(tx, j->session, &j->chunk, err);
}

static int
get_chunk(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	return rec_chunk_get(tx, j->session, j->chunk.number, &j->chunk, err);
}

static int
add_chunk(void *arg, const struct rec_chunk *c, struct err *err)
{
	struct chunk_job *j = arg;

	(void)err;
	/* in their order */
	assert_true(j->count == 0 || c->number > j->chunk.number);
	j->chunk = *c;
	j->sum += c->size;
	j->count++;
	return 0;
}

static int
each_chunk(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	j->count = 0;
	j->sum = 0;
	return rec_chunk_each(tx, j->session, add_chunk, j, err);
}

static int
clear(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	return rec_chunk_clear(tx, j->session, j->limit, &j->left, err);
}

static int
count_blob(void *arg, const char *blob_id, struct err *err)
{
	struct chunk_job *j = arg;

	(void)err;
	assert_int_equal(strlen(blob_id), ID_SIZE - 1);
	j->count++;
	return 0;
}

static int
each_blob(struct db_tx *tx, void *arg, struct err *err)
{
	struct chunk_job *j = arg;

	j->count = 0;
	return rec_chunk_each_blob(tx, count_blob, j, err);
}

DB_TEST(test_db_rec_session__keeps_chunks)
{
	struct rec_session s = session(1);
	struct chunk_job j = { .session = s.id, .limit = 2 };
	struct err err = ERR_INIT;

	for (unsigned i = 5; i > 0; i--) {
		j.chunk = (struct rec_chunk){ .number = i, .size = 10 * i };
		memset(j.chunk.hash, 'f', 64);
		if (i == 3)
			(void)help_id(77, j.chunk.blob_id);
		assert_int_equal(db_write(db, put_chunk, &j, &err), 0);
	}
	j.chunk = (struct rec_chunk){ .number = 3 };
	assert_int_equal(db_read(db, get_chunk, &j, &err), 0);
	assert_int_equal(j.chunk.size, 30);
	assert_int_equal(strlen(j.chunk.hash), 64);
	assert_int_equal(db_read(db, each_blob, &j, &err), 0);
	assert_int_equal(j.count, 1);
	/* It is in its place now. */
	j.chunk.blob_id[0] = '\0';
	assert_int_equal(db_write(db, put_chunk, &j, &err), 0);
	assert_int_equal(db_read(db, each_blob, &j, &err), 0);
	assert_int_equal(j.count, 0);
	assert_int_equal(db_read(db, each_chunk, &j, &err), 0);
	assert_int_equal(j.count, 5);
	assert_int_equal(j.sum, 150);
	j.chunk.number = 9;
	assert_int_equal(db_read(db, get_chunk, &j, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(db_write(db, clear, &j, &err), 0);
		assert_int_equal(j.left, i < 2);
	}
	assert_int_equal(db_read(db, each_chunk, &j, &err), 0);
	assert_int_equal(j.count, 0);
}
