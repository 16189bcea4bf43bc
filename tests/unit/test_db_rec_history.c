/* SPDX-License-Identifier: MIT */
#include "db/rec_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "db_help.h"

#define ROWS 2600
#define DAY_MS (24LL * 3600 * 1000)
#define FIRST_DAY 20000
#define DAYS 6
#define LIMIT 40

/* --- a history, and looking through all of it ------------------------------
 */

static struct rec_transfer rows[ROWS]; /* oldest first */
static char texts[ROWS][3][24];

/* The ${n}th; most are completed, some clients have an id. */
static struct rec_transfer
make(unsigned n)
{
	static const enum rec_status rare[] = { REC_FAILED, REC_CANCELLED,
		REC_INTERRUPTED, REC_UPLOADING };
	int64_t ms = (FIRST_DAY + (int64_t)n * DAYS / ROWS) * DAY_MS + n;
	struct rec_transfer t;

	(void)snprintf(
	    texts[n][0], 24, "%s/f%u", n % 3 == 0 ? "a" : "b", n * 7 % 50);
	(void)snprintf(texts[n][1], 24, "10.0.0.%u", n * 5 % 40);
	(void)snprintf(texts[n][2], 24, "me%u", n % 9);
	t = help_transfer(texts[n][0], n, REC_COMPLETED);
	(void)snprintf(
	    t.id, sizeof(t.id), "%012" PRIx64 "%020x", (uint64_t)ms, n);
	t.direction = n % 2 == 0 ? REC_UPLOAD : REC_DOWNLOAD;
	if (n % 17 == 0)
		t.status = rare[n / 17 % 4];
	t.client_ip = texts[n][1];
	t.client_id = n % 4 == 0 ? texts[n][2] : NULL;
	return t;
}

static int
put_all(struct db_tx *tx, void *arg, struct err *err)
{
	(void)arg;
	for (unsigned n = 0; n < ROWS; n++) {
		rows[n] = make(n);
		if (rec_transfer_put(tx, &rows[n], err) < 0)
			return -1;
	}
	return 0;
}

static bool
is_or_null(const char *wanted, const char *is)
{
	return wanted == NULL || (is != NULL && strcmp(wanted, is) == 0);
}

static bool
matches(const struct rec_history_query *q, const struct rec_transfer *t)
{
	int64_t ms = id_wall_ms(t->id);

	return ms >= q->from_ms && ms < q->before_ms &&
	       strncmp(t->filename, q->prefix, strlen(q->prefix)) == 0 &&
	       is_or_null(q->filename, t->filename) &&
	       is_or_null(q->client_ip, t->client_ip) &&
	       is_or_null(q->client_id, t->client_id) &&
	       (q->status < 0 || q->status == (int)t->status) &&
	       (q->direction < 0 || q->direction == (int)t->direction);
}

struct found {
	struct rec_history_query query;
	uint64_t total;
	char ids[LIMIT][ID_SIZE];
	unsigned count;
};

static void
look_through(struct found *f)
{
	const struct rec_history_query *q = &f->query;

	f->total = f->count = 0;
	for (unsigned n = ROWS; n-- > 0;) {
		if (!matches(q, &rows[n]))
			continue;
		if (f->total++ >= q->offset && f->count < q->limit)
			memcpy(f->ids[f->count++], rows[n].id, ID_SIZE);
	}
}

static int
take(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct found *f = arg;

	(void)err;
	assert_true(f->count < LIMIT);
	memcpy(f->ids[f->count++], t->id, ID_SIZE);
	return 0;
}

static int
ask(struct db_tx *tx, void *arg, struct err *err)
{
	struct found *f = arg;

	f->count = 0;
	if (rec_history_count(tx, &f->query, &f->total, err) < 0)
		return -1;
	return rec_history_each(tx, &f->query, take, f, err);
}

static void
compare(struct db *db, const struct rec_history_query *q)
{
	struct found is = { .query = *q }, wanted = { .query = *q };

	look_through(&wanted);
	assert_int_equal(db_read(db, ask, &is, NULL), 0);
	assert_int_equal(is.total, wanted.total);
	assert_int_equal(is.count, wanted.count);
	for (unsigned i = 0; i < is.count; i++)
		assert_string_equal(is.ids[i], wanted.ids[i]);
}

/* Each filter or none, a few values each. */
static struct rec_history_query
query(unsigned seed)
{
	static const int64_t days[] = { 0, 1, 3, 5 };
	struct rec_history_query q = { "", NULL, NULL, NULL, -1, -1, 0,
		INT64_MAX, 0, LIMIT };

	if (seed % 3 == 1)
		q.status = (int)(seed / 3 % REC_STATUS_COUNT);
	if (seed % 5 == 1)
		q.direction = (int)(seed / 5 % 2);
	if (seed % 7 == 1)
		q.filename = texts[seed % ROWS][0];
	if (seed % 4 == 1)
		q.client_ip = texts[seed % ROWS][1];
	if (seed % 6 == 1)
		q.client_id = texts[seed % ROWS][2];
	if (seed % 11 == 1)
		q.prefix = "a/";
	if (seed % 2 == 1)
		q.from_ms = (FIRST_DAY + days[seed / 2 % 4]) * DAY_MS;
	if (seed % 8 >= 6)
		q.before_ms = (FIRST_DAY + days[seed / 8 % 4]) * DAY_MS;
	/* Not at the beginning of a day. */
	if (seed % 13 == 1)
		q.from_ms += 12345;
	return q;
}

DB_TEST(test_db_rec_history__finds_what_looking_through_all_finds)
{
	static const uint64_t offsets[] = { 0, 39, 999, 1000, 1001, 1300, 2599,
		2600, 100000 };

	assert_int_equal(db_write(db, put_all, NULL, NULL), 0);
	for (unsigned seed = 0; seed < 600; seed++) {
		struct rec_history_query q = query(seed);

		q.offset = offsets[seed / 2 % 9];
		compare(db, &q);
	}
}

static int
prune(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_prune(tx, arg, err);
}

/* The sums know that the oldest have gone. */
DB_TEST(test_db_rec_history__knows_what_was_pruned)
{
	struct rec_transfer_pruning p = { .keep_ms = 1000, .limit = 500 };
	struct found f = { .query = query(0) };
	uint64_t before;

	assert_int_equal(db_write(db, put_all, NULL, NULL), 0);
	f.query.before_ms = (FIRST_DAY + DAYS) * DAY_MS;
	assert_int_equal(db_read(db, ask, &f, NULL), 0);
	before = f.total;
	assert_int_equal(before, ROWS);
	p.now_ms = 1;
	assert_int_equal(db_write(db, prune, &p, NULL), 0);
	p.now_ms = FIRST_DAY * DAY_MS;
	assert_int_equal(db_write(db, prune, &p, NULL), 0);
	assert_int_equal(p.count, 500);
	assert_int_equal(db_read(db, ask, &f, NULL), 0);
	assert_int_equal(f.total, before - 500);
	f.query.before_ms = INT64_MAX;
	assert_int_equal(db_read(db, ask, &f, NULL), 0);
	assert_int_equal(f.total, before - 500);
}
