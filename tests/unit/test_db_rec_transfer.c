/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 64

struct walk {
	struct rec_transfer_query query;
	char names[LIST_MAX][64];
	char ids[LIST_MAX][ID_SIZE];
	size_t count;
};

static int
see(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct walk *w = arg;

	(void)err;
	assert_true(w->count < LIST_MAX);
	snprintf(w->names[w->count], sizeof(w->names[0]), "%s", t->filename);
	memcpy(w->ids[w->count++], t->id, ID_SIZE);
	return 0;
}

static int
walk_newest(struct db_tx *tx, void *arg, struct err *err)
{
	struct walk *w = arg;

	return rec_transfer_each_newest(tx, &w->query, see, w, err);
}

static int
walk_ended(struct db_tx *tx, void *arg, struct err *err)
{
	struct walk *w = arg;

	return rec_transfer_each_ended(tx, &w->query, see, w, err);
}

/* The names of a walk as "a b c". */
static const char *
names_of(const struct walk *w)
{
	static char text[LIST_MAX * 64];
	size_t n = 0;
	size_t i;

	text[0] = '\0';
	for (i = 0; i < w->count; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
		    i == 0 ? "" : " ", w->names[i]);
	return text;
}

static const char *
newest_under(struct db *db, const char *prefix)
{
	struct walk w = { .query = { prefix, "", 0, LIST_MAX } };

	assert_int_equal(db_read(db, walk_newest, &w, NULL), 0);
	return names_of(&w);
}

static const char *
ended_under(struct db *db, const char *prefix, int64_t since_ms)
{
	struct walk w = { .query = { prefix, "", since_ms, LIST_MAX } };

	assert_int_equal(db_read(db, walk_ended, &w, NULL), 0);
	return names_of(&w);
}

static void
put(struct db *db, const char *filename, unsigned id, enum rec_status status)
{
	struct rec_transfer t = help_transfer(filename, id, status);

	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
}

/* Downloads that ended, too. */
static void
put_download(struct db *db, const char *filename, unsigned id)
{
	struct rec_transfer t = help_transfer(filename, id, REC_COMPLETED);

	t.direction = REC_DOWNLOAD;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
}

TEST(test_db_rec_transfer__names_of_states)
{
	enum rec_status s;
	int i;

	for (i = 0; i < REC_STATUS_COUNT; i++) {
		assert_true(rec_status_of_name(
		    rec_status_name((enum rec_status)i), &s));
		assert_int_equal(s, i);
	}
	assert_string_equal(rec_status_name(REC_INTERRUPTED), "interrupted");
	assert_false(rec_status_of_name("done", &s));
	assert_false(rec_status_is_ended(REC_QUEUED));
	assert_false(rec_status_is_ended(REC_UPLOADING));
	assert_false(rec_status_is_ended(REC_DOWNLOADING));
	assert_true(rec_status_is_ended(REC_INTERRUPTED));
	assert_true(rec_status_is_ended(REC_COMPLETED));
}

DB_TEST(test_db_rec_transfer__comes_back_whole)
{
	struct rec_transfer t = help_transfer("a", 1, REC_FAILED);
	struct rec_transfer copy, got;

	memset(t.sha256, 'b', 64);
	t.encryption = true;
	t.priority = 7;
	t.speed_bps = 123;
	t.retry_count = 3;
	rec_transfer_copy(&copy, &t);
	copy.total = REC_SIZE_UNKNOWN;
	copy.client_id = strdup("me");
	copy.user_agent = strdup("curl");
	copy.error = strdup("it broke");
	copy.error_code = strdup("io");
	assert_int_equal(help_transfer_put(db, &copy), ERR_NONE);
	assert_int_equal(help_transfer_get(db, t.id, &got), ERR_NONE);
	assert_string_equal(got.id, t.id);
	assert_int_equal(got.direction, REC_UPLOAD);
	assert_int_equal(got.status, REC_FAILED);
	assert_string_equal(got.filename, "a");
	assert_string_equal(got.sha256, t.sha256);
	assert_true(got.encryption);
	assert_int_equal(got.priority, 7);
	assert_int_equal(got.transferred, 10);
	assert_true(got.total == REC_SIZE_UNKNOWN);
	assert_int_equal(got.speed_bps, 123);
	assert_string_equal(got.client_ip, "192.0.2.1");
	assert_string_equal(got.client_id, "me");
	assert_string_equal(got.user_agent, "curl");
	assert_int_equal(got.retry_count, 3);
	assert_int_equal(got.created_ms, 1001);
	assert_int_equal(got.updated_ms, 1001);
	assert_string_equal(got.error, "it broke");
	assert_string_equal(got.error_code, "io");
	rec_transfer_fini(&got);
	rec_transfer_fini(&copy);
	assert_int_equal(help_transfer_get(db, help_id(9, t.id), &got),
	    ERR_TRANSFER_NOT_FOUND);
}

DB_TEST(test_db_rec_transfer__put_again_replaces)
{
	struct rec_transfer t = help_transfer("a", 1, REC_UPLOADING);
	struct rec_transfer got;

	t.total = REC_SIZE_UNKNOWN;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	t = help_transfer("a", 1, REC_COMPLETED);
	t.transferred = t.total = 20;
	t.updated_ms = 5000;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_int_equal(help_transfer_get(db, t.id, &got), ERR_NONE);
	assert_int_equal(got.status, REC_COMPLETED);
	assert_int_equal(got.total, 20);
	assert_int_equal(got.updated_ms, 5000);
	rec_transfer_fini(&got);
	assert_int_equal(help_transfer_count(db), 1);
}

DB_TEST(test_db_rec_transfer__newest_upload_wins)
{
	struct rec_transfer got;

	assert_int_equal(
	    help_transfer_newest(db, "", "a", &got), ERR_TRANSFER_NOT_FOUND);
	put_download(db, "a", 5);
	assert_int_equal(help_transfer_newest(db, "", "a", &got), ERR_NONE);
	assert_int_equal(got.direction, REC_DOWNLOAD);
	rec_transfer_fini(&got);
	put(db, "a", 3, REC_FAILED);
	put(db, "a", 2, REC_COMPLETED); /* an older one, recorded late */
	put_download(db, "a", 6);
	assert_int_equal(help_transfer_newest(db, "", "a", &got), ERR_NONE);
	assert_int_equal(got.direction, REC_UPLOAD);
	assert_int_equal(got.status, REC_FAILED);
	rec_transfer_fini(&got);
	put(db, "a", 4, REC_UPLOADING);
	assert_int_equal(help_transfer_newest(db, "", "a", &got), ERR_NONE);
	assert_int_equal(got.status, REC_UPLOADING);
	rec_transfer_fini(&got);
	assert_int_equal(
	    help_transfer_newest(db, "b", "a", &got), ERR_TRANSFER_NOT_FOUND);
}

/* A form's real name comes with its end, the first one goes back to what it
 * was. */
DB_TEST(test_db_rec_transfer__may_change_its_name)
{
	struct rec_transfer got;

	put(db, "a", 1, REC_COMPLETED);
	put(db, "a", 2, REC_UPLOADING);
	put(db, "only", 3, REC_UPLOADING);
	put(db, "b", 2, REC_COMPLETED);
	put(db, "c", 3, REC_COMPLETED);
	assert_string_equal(newest_under(db, ""), "c b a");
	assert_int_equal(help_transfer_newest(db, "", "a", &got), ERR_NONE);
	assert_int_equal(got.created_ms, 1001);
	rec_transfer_fini(&got);
	assert_int_equal(
	    help_transfer_newest(db, "", "only", &got), ERR_TRANSFER_NOT_FOUND);
	assert_int_equal(help_transfer_count(db), 3);
}

DB_TEST(test_db_rec_transfer__lists_newest_uploads_first)
{
	put(db, "a", 1, REC_COMPLETED);
	put(db, "b", 2, REC_COMPLETED);
	put(db, "c", 3, REC_FAILED);
	put(db, "a", 4, REC_UPLOADING);
	put_download(db, "b", 5);
	put_download(db, "d", 6);
	assert_string_equal(newest_under(db, ""), "a c b");
}

DB_TEST(test_db_rec_transfer__lists_under_a_prefix)
{
	put(db, "team/a", 1, REC_COMPLETED);
	put(db, "team0", 2, REC_COMPLETED);
	put(db, "team", 3, REC_COMPLETED);
	put(db, "team/\xf4\x8f\xbf\xbf", 4, REC_COMPLETED);
	put(db, "other/team/", 5, REC_COMPLETED);
	put(db, "Team/a", 6, REC_COMPLETED);
	put(db, "team/%", 7, REC_COMPLETED);
	assert_string_equal(
	    newest_under(db, "team/"), "team/% team/\xf4\x8f\xbf\xbf team/a");
	assert_string_equal(newest_under(db, "team/%"), "team/%");
	assert_string_equal(newest_under(db, "none/"), "");
	assert_string_equal(
	    ended_under(db, "team/", 0), "team/% team/\xf4\x8f\xbf\xbf team/a");
}

/* While uploads come between the pages, none that stays is missed or shown
 * twice. */
DB_TEST(test_db_rec_transfer__paging_is_stable)
{
	struct walk w = { .query = { "", "", 0, 3 } };
	char name[32];
	size_t before;
	unsigned i;

	for (i = 1; i <= 10; i++) {
		snprintf(name, sizeof(name), "f%02u", i);
		put(db, name, i, REC_COMPLETED);
	}
	do {
		before = w.count;
		if (before > 0)
			w.query.before_id = w.ids[before - 1];
		assert_int_equal(db_read(db, walk_newest, &w, NULL), 0);
		snprintf(name, sizeof(name), "new%zu", before);
		put(db, name, 100 + (unsigned)before, REC_COMPLETED);
		if (before == 0) /* one that was shown comes to the front */
			put(db, "f09", 200, REC_UPLOADING);
	} while (w.count > before);
	assert_string_equal(
	    names_of(&w), "f10 f09 f08 f07 f06 f05 f04 f03 f02 f01");
}

DB_TEST(test_db_rec_transfer__lists_what_ended_lately)
{
	struct rec_transfer t = help_transfer("long", 1, REC_UPLOADING);

	put(db, "a", 2, REC_COMPLETED);
	put(db, "b", 3, REC_CANCELLED);
	put(db, "c", 4, REC_QUEUED);
	put(db, "d", 5, REC_INTERRUPTED);
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_string_equal(ended_under(db, "", 0), "d b a");
	assert_string_equal(ended_under(db, "", 1003), "d b");
	t.status = REC_FAILED;
	t.updated_ms = 2000;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_string_equal(ended_under(db, "", 1003), "long d b");
	/* resumed */
	t.status = REC_UPLOADING;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_string_equal(ended_under(db, "", 1003), "d b");
}

struct interrupted {
	int64_t now_ms;
	uint64_t count;
};

static int
interrupt_all(struct db_tx *tx, void *arg, struct err *err)
{
	struct interrupted *i = arg;

	return rec_transfer_interrupt_all(tx, i->now_ms, &i->count, err);
}

/* More than are read in one step. */
DB_TEST(test_db_rec_transfer__a_dead_run_is_interrupted)
{
	struct interrupted in = { 9000, 0 };
	struct rec_transfer got;
	char name[16], id[ID_SIZE];
	unsigned i;

	put(db, "done", 1000, REC_COMPLETED);
	for (i = 1; i <= 150; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		put(db, name, i, i % 2 == 0 ? REC_UPLOADING : REC_QUEUED);
	}
	assert_int_equal(db_write(db, interrupt_all, &in, NULL), 0);
	assert_int_equal(in.count, 150);
	assert_int_equal(
	    help_transfer_get(db, help_id(77, id), &got), ERR_NONE);
	assert_int_equal(got.status, REC_INTERRUPTED);
	assert_int_equal(got.updated_ms, 9000);
	assert_string_equal(got.error_code, "interrupted");
	assert_non_null(got.error);
	rec_transfer_fini(&got);
	assert_int_equal(help_counter(db, "upload.interrupted"), 150);
	assert_int_equal(help_counter(db, "upload.uploading"), 0);
	assert_int_equal(help_counter(db, "upload.queued"), 0);
	assert_int_equal(help_counter(db, "upload.completed"), 1);
	assert_int_equal(db_write(db, interrupt_all, &in, NULL), 0);
	assert_int_equal(in.count, 0);
}

static int
prune(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_prune(tx, arg, err);
}

static unsigned
prune_at(struct db *db, int64_t now_ms, unsigned limit)
{
	struct rec_transfer_pruning p = { now_ms, 500, limit, 0 };

	assert_int_equal(db_write(db, prune, &p, NULL), 0);
	return p.count;
}

DB_TEST(test_db_rec_transfer__old_ones_leave_the_records_but_not_the_sums)
{
	struct rec_transfer got;
	char id[ID_SIZE];

	put(db, "a", 1, REC_COMPLETED);
	put(db, "a", 2, REC_FAILED);
	put(db, "b", 3, REC_COMPLETED);
	put(db, "moves", 4, REC_UPLOADING);
	put(db, "a", 5, REC_COMPLETED);
	/* The third ended at 1003, and is not older than that. */
	assert_int_equal(prune_at(db, 900, 10), 0);
	assert_int_equal(prune_at(db, 900 + 500, 10), 0);
	assert_int_equal(prune_at(db, 1003 + 500, 10), 2);
	assert_int_equal(help_transfer_count(db), 3);
	assert_int_equal(help_transfer_get(db, help_id(1, id), &got),
	    ERR_TRANSFER_NOT_FOUND);
	assert_string_equal(ended_under(db, "", 0), "a b");
	assert_int_equal(help_counter(db, "rows"), 5);
	assert_int_equal(help_counter(db, "upload.completed"), 3);
	assert_int_equal(help_counter(db, "upload.failed"), 1);
	assert_int_equal(help_counter(db, "pruned.rows"), 2);
	assert_int_equal(help_counter(db, "pruned.upload.completed"), 1);
	assert_int_equal(help_counter(db, "pruned.upload.failed"), 1);
	/* The name has a newer one, and then none. */
	assert_int_equal(help_transfer_newest(db, "", "a", &got), ERR_NONE);
	assert_string_equal(got.id, help_id(5, id));
	rec_transfer_fini(&got);
	assert_int_equal(prune_at(db, 100000, 1), 1);
	assert_int_equal(prune_at(db, 100000, 10), 1);
	assert_int_equal(prune_at(db, 100000, 10), 0);
	assert_int_equal(
	    help_transfer_newest(db, "", "a", &got), ERR_TRANSFER_NOT_FOUND);
	assert_int_equal(help_transfer_newest(db, "", "moves", &got), ERR_NONE);
	rec_transfer_fini(&got);
	assert_int_equal(help_transfer_count(db), 1);
}

/* Long ago, elsewhere. */
DB_TEST(test_db_rec_transfer__what_was_taken_over_is_kept_as_long)
{
	put(db, "old", 1, REC_COMPLETED);
	assert_int_equal(prune_at(db, 50000, 10), 0);
	assert_int_equal(prune_at(db, 50500, 10), 0);
	assert_int_equal(prune_at(db, 50501, 10), 1);
}

static struct db *
open_node(const char *node)
{
	struct db_config cf = { .path = unit_temppath("records.db"),
		.node = node };
	struct db_state found;
	struct db *db;

	assert_int_equal(db_open(&cf, &db, &found, NULL), 0);
	return db;
}

/* What another node runs is its own; sums are everybody's. */
TEST(test_db_rec_transfer__nodes)
{
	struct interrupted in = { 9000, 0 };
	struct db *db = open_node("one");

	put(db, "a", 1, REC_UPLOADING);
	put(db, "b", 2, REC_COMPLETED);
	db_close(db);
	db = open_node("two");
	put(db, "c", 3, REC_UPLOADING);
	assert_int_equal(help_transfer_count(db), 3);
	assert_int_equal(db_write(db, interrupt_all, &in, NULL), 0);
	assert_int_equal(in.count, 1);
	assert_int_equal(help_counter(db, "upload.uploading"), 1);
	assert_int_equal(help_counter(db, "upload.interrupted"), 1);
	db_close(db);
	db = open_node("one");
	assert_int_equal(db_write(db, interrupt_all, &in, NULL), 0);
	assert_int_equal(in.count, 1);
	assert_int_equal(help_counter(db, "upload.uploading"), 0);
	assert_int_equal(help_counter(db, "upload.interrupted"), 2);
	db_close(db);
}
