/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/rec_counter.h"

static const struct {
	const char *name;
	bool in_memory;
	bool durable;
} kinds[] = {
	{ "sqlite", false, true },
	{ "sqlite, relaxed", false, false },
	{ "sqlite, in memory", true, true },
};

static void
no_fatal(const struct err *err)
{
	fprintf(stderr, "unknown outcome: %s\n", err->msg);
	abort();
}

void
help_each_database(void (*test)(struct db *db))
{
	struct err err = ERR_INIT;
	struct db_state state;
	char path[512];
	struct db *db;
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct db_config cf = { .durable = kinds[i].durable,
			.fatal = no_fatal };

		snprintf(
		    path, sizeof(path), "%s/kind%zu.db", unit_tempdir(), i);
		if (!kinds[i].in_memory)
			cf.path = path;
		print_message("over %s\n", kinds[i].name);
		if (db_open(&cf, &db, &state, &err) < 0)
			fail_msg("%s: %s", kinds[i].name, err.msg);
		assert_true(state.is_new);
		test(db);
		db_close(db);
	}
}

struct db *
help_open(const char *path, struct db_state *ret_found)
{
	struct db_config cf = { .path = path,
		.backup_dir = unit_temppath("backups"),
		.durable = true,
		.fatal = no_fatal };
	struct err err = ERR_INIT;
	struct db *db;

	if (db_open(&cf, &db, ret_found, &err) < 0)
		fail_msg("'%s': %s", path, err.msg);
	return db;
}

unsigned
help_count_files(const char *part)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(unit_tempdir());

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, part) != NULL;
	closedir(d);
	return n;
}

const char *
help_id(unsigned n, char ret[ID_SIZE])
{
	snprintf(ret, ID_SIZE, "%032x", n);
	return ret;
}

/* Read only by those to whom the rows are given. */
static char *
text(const char *s)
{
	union {
		const char *from;
		char *to;
	} u = { s };

	return u.to;
}

struct rec_file
help_file(const char *filename, unsigned blob)
{
	struct rec_file f = {
		.filename = text(filename),
		.mime_type = text("text/plain"),
		.crc32 = 0xfedcba98u,
		.size = blob,
		.created_ms = 1000 + blob,
		.modified_ms = 1000 + blob,
	};

	help_id(blob, f.blob_id);
	help_id(blob, f.transfer_id);
	memset(f.sha256, 'a', 64);
	return f;
}

struct rec_transfer
help_transfer(const char *filename, unsigned id, enum rec_status status)
{
	struct rec_transfer t = {
		.direction =
		    status == REC_DOWNLOADING ? REC_DOWNLOAD : REC_UPLOAD,
		.status = status,
		.filename = text(filename),
		.transferred = 10,
		.total = 10,
		.client_ip = text("192.0.2.1"),
		.created_ms = 1000 + id,
		.updated_ms = 1000 + id,
	};

	help_id(id, t.id);
	return t;
}

/* --- one record function each ----------------------------------------- */

struct call {
	const void *in;
	void *out;
	const char *prefix;
	const char *name;
	bool flag;
	bool *ret_flag;
};

static enum err_code
write_call(struct db *db, db_fn fn, struct call *c)
{
	struct err err = ERR_INIT;

	return db_write(db, fn, c, &err) < 0 ? err.code : ERR_NONE;
}

static enum err_code
read_call(struct db *db, db_fn fn, struct call *c)
{
	struct err err = ERR_INIT;

	return db_read(db, fn, c, &err) < 0 ? err.code : ERR_NONE;
}

static int
file_put(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_file_put(tx, c->in, c->flag, c->ret_flag, err);
}

enum err_code
help_file_put(
    struct db *db, const struct rec_file *f, bool may_replace, bool *ret_new)
{
	struct call c = { .in = f, .flag = may_replace };

	c.ret_flag = ret_new;
	return write_call(db, file_put, &c);
}

static int
file_get(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_file_get(tx, c->prefix, c->name, c->out, err);
}

enum err_code
help_file_get(struct db *db, const char *prefix, const char *filename,
    struct rec_file *ret)
{
	struct call c = { .prefix = prefix, .name = filename, .out = ret };

	return read_call(db, file_get, &c);
}

static int
file_remove(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_file_remove(tx, c->prefix, c->name, err);
}

enum err_code
help_file_remove(struct db *db, const char *prefix, const char *filename)
{
	struct call c = { .prefix = prefix, .name = filename };

	return write_call(db, file_remove, &c);
}

static int
blob_is_known(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_blob_is_known(tx, c->name, c->ret_flag, err);
}

bool
help_file_is_there(struct db *db, const char *filename)
{
	struct rec_file f;

	if (help_file_get(db, "", filename, &f) != ERR_NONE)
		return false;
	rec_file_fini(&f);
	return true;
}

bool
help_blob_is_known(struct db *db, const char *blob_id)
{
	bool known = false;
	struct call c = { .name = blob_id, .ret_flag = &known };

	assert_int_equal(read_call(db, blob_is_known, &c), ERR_NONE);
	return known;
}

static int
transfer_put(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_transfer_put(tx, c->in, err);
}

enum err_code
help_transfer_put(struct db *db, const struct rec_transfer *t)
{
	struct call c = { .in = t };

	return write_call(db, transfer_put, &c);
}

static int
transfer_get(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_transfer_get(tx, c->name, c->out, err);
}

enum err_code
help_transfer_get(struct db *db, const char *id, struct rec_transfer *ret)
{
	struct call c = { .name = id, .out = ret };

	return read_call(db, transfer_get, &c);
}

static int
transfer_newest(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_transfer_newest(tx, c->prefix, c->name, c->out, err);
}

enum err_code
help_transfer_newest(struct db *db, const char *prefix, const char *filename,
    struct rec_transfer *ret)
{
	struct call c = { .prefix = prefix, .name = filename, .out = ret };

	return read_call(db, transfer_newest, &c);
}

static int
transfer_count(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_transfer_count(tx, c->out, err);
}

uint64_t
help_transfer_count(struct db *db)
{
	uint64_t n = 0;
	struct call c = { .out = &n };

	assert_int_equal(read_call(db, transfer_count, &c), ERR_NONE);
	return n;
}

static int
counter(struct db_tx *tx, void *arg, struct err *err)
{
	struct call *c = arg;

	return rec_counter_get(tx, c->name, c->out, err);
}

int64_t
help_counter(struct db *db, const char *name)
{
	int64_t n = -1;
	struct call c = { .name = name, .out = &n };

	assert_int_equal(read_call(db, counter, &c), ERR_NONE);
	return n;
}
