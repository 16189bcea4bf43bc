/* SPDX-License-Identifier: MIT */
#include "engine/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "engine/session.h"
#include "engine_fixture.h"
#include "unit.h"

/* A back end that can write anywhere, and one that cannot. */
static const char *const urls[] = { "mem:", "mem:?grain=5242880&random=0" };

#define COUNT_MAX 6

/* A file in pieces. */
struct pieces {
	unsigned char *p;
	size_t n;
	size_t sizes[COUNT_MAX];
	size_t count;
};

static void
pieces_init(struct pieces *f, const size_t *sizes, size_t count)
{
	memset(f, 0, sizeof(*f));
	f->count = count;
	for (size_t i = 0; i < count; i++) {
		f->sizes[i] = sizes[i];
		f->n += sizes[i];
	}
	f->p = mem_alloc(f->n + 1);
	rand_bytes(f->p, f->n);
}

static struct chunk_request
request(
    struct fixture *x, const struct pieces *f, size_t number, bool encryption)
{
	struct chunk_request r = {
		.who = &x->who,
		.client = &x->client,
		.filename = "a",
		.number = number,
		.total = f->count,
		.total_size = REC_SIZE_UNKNOWN,
		.has_encryption = true,
		.encryption = encryption,
		.expected = f->sizes[number],
	};
	size_t at = 0;

	for (size_t i = 0; i < number; i++)
		at += f->sizes[i];
	sha256(f->p + at, f->sizes[number], r.sha256);
	return r;
}

static int
send(struct fixture *x, const struct pieces *f, const struct chunk_request *r,
    struct chunk_result *ret, struct err *err)
{
	struct source *body;
	size_t at = 0;
	int rc;

	for (size_t i = 0; i < r->number; i++)
		at += f->sizes[i];
	body = source_mem(f->p + at, f->sizes[r->number]);
	rc = chunk_take(x->engine, r, body, ret, err);
	source_close(body);
	return rc;
}

static void
send_ok(struct fixture *x, const struct pieces *f, size_t number,
    bool encryption, bool is_last)
{
	struct chunk_request r = request(x, f, number, encryption);
	struct chunk_result result;
	struct err err = ERR_INIT;

	if (send(x, f, &r, &result, &err) < 0)
		fail_msg("chunk %zu: %s", number, err.msg);
	assert_int_equal(result.is_completed, is_last);
	if (is_last)
		assert_int_equal(result.size, f->n);
	chunk_result_fini(&result);
}

static void
assert_file(struct fixture *x, const struct pieces *f)
{
	char *got = fixture_get(x, "a");

	assert_non_null(got);
	assert_memory_equal(got, f->p, f->n);
	free(got);
}

/* --- any sizes, any order, any place to keep them --------------------------
 */

static const size_t shapes[][4] = {
	{ 65536, 65536, 65536, 10 },
	{ 65536, 65536, 65536, 0 },
	{ 65536, 65536, 65536, 70000 },
	{ 1000, 1000, 1000, 1 },
	{ 1000, 2000, 70000, 3 },
	{ 65536, 70000, 65536, 65536 },
	{ 131072, 65536, 131072, 5 },
	{ 0, 0, 0, 0 },
	{ 10, 0, 0, 0 },
};
static const size_t orders[][4] = {
	{ 0, 1, 2, 3 },
	{ 3, 2, 1, 0 },
	{ 0, 2, 3, 1 },
	{ 1, 3, 0, 2 },
	{ 3, 0, 1, 2 },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_engine_chunk__makes_the_file)
{
	for (size_t u = 0; u < LENGTH(urls); u++)
		for (size_t s = 0; s < LENGTH(shapes); s++)
			for (size_t o = 0; o < 2 * LENGTH(orders); o++) {
				bool encryption = o % 2 == 1;
				struct fixture x;
				struct pieces f;

				fixture_init(&x, urls[u]);
				pieces_init(&f, shapes[s], 4);
				for (size_t i = 0; i < 4; i++)
					send_ok(&x, &f, orders[o / 2][i],
					    encryption, i == 3);
				assert_file(&x, &f);
				free(f.p);
				fixture_fini(&x);
			}
}

/* --- what is refused ------------------------------------------------------ */

static enum err_code
refused(
    struct fixture *x, const struct pieces *f, const struct chunk_request *r)
{
	struct chunk_result result;
	struct err err = ERR_INIT;

	assert_int_equal(send(x, f, r, &result, &err), -1);
	assert_true(err.msg[0] != '\0');
	return err.code;
}

static uint64_t
received(struct fixture *x)
{
	struct chunk_state st;
	struct err err = ERR_INIT;
	uint64_t n;

	assert_int_equal(chunk_resume(x->engine, &x->who, "a", &st, &err), 0);
	n = st.is_open ? st.received : UINT64_MAX;
	chunk_state_fini(&st);
	return n;
}

TEST(test_engine_chunk__keeps_nothing_of_a_wrong_one)
{
	static const size_t sizes[] = { 100, 100, 7 };

	for (size_t u = 0; u < LENGTH(urls); u++) {
		struct chunk_request r;
		struct fixture x;
		struct pieces f;

		fixture_init(&x, urls[u]);
		pieces_init(&f, sizes, 3);
		r = request(&x, &f, 1, false);
		r.sha256[0] ^= 1;
		assert_int_equal(refused(&x, &f, &r), ERR_CHUNK_HASH_MISMATCH);
		assert_int_equal(received(&x), 0);
		for (size_t i = 0; i < 3; i++)
			send_ok(&x, &f, i, false, i == 2);
		assert_file(&x, &f);
		free(f.p);
		fixture_fini(&x);
	}
}

TEST(test_engine_chunk__sticks_to_what_was_said)
{
	static const size_t sizes[] = { 100, 100, 7 };
	struct chunk_request r;
	struct fixture x;
	struct pieces f;

	fixture_init(&x, NULL);
	pieces_init(&f, sizes, 3);
	send_ok(&x, &f, 0, false, false);
	r = request(&x, &f, 1, true);
	assert_int_equal(refused(&x, &f, &r), ERR_SESSION_CONFLICT);
	r = request(&x, &f, 1, false);
	r.total = 4;
	assert_int_equal(refused(&x, &f, &r), ERR_SESSION_CONFLICT);
	/* The first that says a size says it for all. */
	r = request(&x, &f, 1, false);
	r.total_size = 207;
	{
		struct chunk_result result;
		struct err err = ERR_INIT;

		assert_int_equal(send(&x, &f, &r, &result, &err), 0);
	}
	r = request(&x, &f, 2, false);
	r.total_size = 208;
	assert_int_equal(refused(&x, &f, &r), ERR_SESSION_CONFLICT);
	send_ok(&x, &f, 2, false, true);
	free(f.p);
	fixture_fini(&x);
}

TEST(test_engine_chunk__gives_way_after_a_minute)
{
	static const size_t sizes[] = { 100, 100, 7 };
	struct chunk_request r;
	struct chunk_result result;
	struct err err = ERR_INIT;
	struct fixture x;
	struct pieces f;

	fixture_init(&x, NULL);
	pieces_init(&f, sizes, 3);
	send_ok(&x, &f, 0, false, false);
	r = request(&x, &f, 1, true);
	clock_manual_advance(&x.clock, SESSION_IDLE_MS - 1);
	assert_int_equal(refused(&x, &f, &r), ERR_SESSION_CONFLICT);
	clock_manual_advance(&x.clock, SESSION_IDLE_MS);
	assert_int_equal(send(&x, &f, &r, &result, &err), 0);
	assert_int_equal(result.received, 1);
	assert_int_equal(received(&x), 1);
	free(f.p);
	fixture_fini(&x);
}

static int
get_row(struct db_tx *tx, void *arg, struct err *err)
{
	struct rec_transfer *row = arg;
	char id[ID_SIZE];

	memcpy(id, row->id, ID_SIZE);
	return rec_transfer_get(tx, id, row, err);
}

/* The same chunk with other bytes, or another kind of upload: what was there
 * has failed, whether it was at rest or not. */
TEST(test_engine_chunk__that_gave_way_has_failed)
{
	static const size_t sizes[] = { 100, 100, 7 };

	for (int i = 0; i < 4; i++) {
		struct chunk_request r;
		struct chunk_result result;
		struct err err = ERR_INIT;
		struct transfer_view v;
		struct rec_transfer row;
		struct fixture x;
		struct pieces f;

		fixture_init(&x, NULL);
		pieces_init(&f, sizes, 3);
		send_ok(&x, &f, 0, false, false);
		assert_true(
		    transfers_find(x.engine->transfers, "a", REC_UPLOAD, &v));
		memcpy(row.id, v.rec.id, ID_SIZE);
		transfer_view_fini(&v);
		f.p[0]++;
		r = request(&x, &f, 0, i >= 2);
		clock_manual_advance(&x.clock, SESSION_IDLE_MS - 1);
		assert_int_equal(refused(&x, &f, &r),
		    i >= 2 ? ERR_SESSION_CONFLICT : ERR_CHUNK_CONFLICT);
		/* which was no visit */
		clock_manual_advance(&x.clock, 1);
		if (i % 2 > 0)
			sessions_tick(x.engine->sessions);
		assert_int_equal(send(&x, &f, &r, &result, &err), 0);
		assert_int_equal(result.received, 1);
		fixture_settle(&x);
		assert_int_equal(db_read(x.engine->db, get_row, &row, &err), 0);
		assert_int_equal(row.status, REC_FAILED);
		assert_string_equal(row.error_code, "session_conflict");
		rec_transfer_fini(&row);
		free(f.p);
		fixture_fini(&x);
	}
}

TEST(test_engine_chunk__expires)
{
	static const size_t sizes[] = { 100, 100 };
	struct fixture x;
	struct pieces f;

	fixture_init(&x, NULL);
	pieces_init(&f, sizes, 2);
	send_ok(&x, &f, 0, true, false);
	clock_manual_advance(&x.clock, x.settings.upload_expiry - 1);
	sessions_tick(x.engine->sessions);
	assert_int_equal(received(&x), 1);
	clock_manual_advance(&x.clock, 1);
	sessions_tick(x.engine->sessions);
	assert_int_equal(received(&x), UINT64_MAX);
	/* Its record goes when it has nothing to say any more. */
	clock_manual_advance(&x.clock, SESSION_ENDED_MS + 1);
	sessions_tick(x.engine->sessions);
	for (size_t i = 0; i < 2; i++)
		send_ok(&x, &f, i, false, i == 1);
	free(f.p);
	fixture_fini(&x);
}

TEST(test_engine_chunk__is_idle_after_a_minute)
{
	static const size_t sizes[] = { 100, 100 };
	struct transfer_view v;
	struct fixture x;
	struct pieces f;

	fixture_init(&x, NULL);
	pieces_init(&f, sizes, 2);
	send_ok(&x, &f, 0, false, false);
	assert_int_equal(transfers_live(x.engine->transfers), 1);
	clock_manual_advance(&x.clock, SESSION_IDLE_MS);
	sessions_tick(x.engine->sessions);
	assert_int_equal(transfers_live(x.engine->transfers), 0);
	send_ok(&x, &f, 0, false, false);
	assert_true(transfers_find(x.engine->transfers, "a", REC_UPLOAD, &v));
	/* It came back, and the chunk came again. */
	assert_int_equal(v.rec.retry_count, 2);
	transfer_view_fini(&v);
	send_ok(&x, &f, 1, false, true);
	free(f.p);
	fixture_fini(&x);
}

/* --- what is there -------------------------------------------------------- */

TEST(test_engine_chunk__lists_ranges)
{
	static const size_t sizes[] = { 10, 10, 10, 10, 10, 3 };
	static const size_t sent[] = { 0, 1, 3, 5 };
	struct chunk_state st;
	struct err err = ERR_INIT;
	struct fixture x;
	struct pieces f;

	fixture_init(&x, NULL);
	pieces_init(&f, sizes, 6);
	for (size_t i = 0; i < LENGTH(sent); i++)
		send_ok(&x, &f, sent[i], false, false);
	assert_int_equal(chunk_resume(x.engine, &x.who, "a", &st, &err), 0);
	assert_true(st.is_open);
	assert_int_equal(st.total, 6);
	assert_int_equal(st.received, 4);
	assert_int_equal(st.grid, 10);
	assert_int_equal(st.range_count, 3);
	assert_int_equal(st.ranges[0].last, 1);
	assert_int_equal(st.ranges[1].first, 3);
	assert_int_equal(st.ranges[2].last, 5);
	chunk_state_fini(&st);
	free(f.p);
	fixture_fini(&x);
}
