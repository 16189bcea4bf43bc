/* SPDX-License-Identifier: MIT */

/* The sums that are kept with each change. */

#include "db/rec_counter.h"

#include <stdio.h>
#include <string.h>

#include "db_help.h"

static void
put(struct db *db, const char *filename, unsigned id)
{
	struct rec_transfer t = help_transfer(filename, id, REC_COMPLETED);

	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
}

DB_TEST(test_db_rec_counter__follow_the_state)
{
	struct rec_transfer t = help_transfer("x/A.TXT", 1, REC_UPLOADING);

	assert_int_equal(help_transfer_count(db), 0);
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_int_equal(help_transfer_count(db), 1);
	assert_int_equal(help_counter(db, "upload.uploading"), 1);
	assert_int_equal(help_counter(db, "bytes.upload"), 0);
	assert_int_equal(help_counter(db, "encrypted"), 0);
	assert_int_equal(help_counter(db, "type..txt"), 1);
	t.status = REC_COMPLETED;
	t.encryption = true;
	t.transferred = 3000;
	t.speed_bps = 1000;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	/* Told twice, counted once. */
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_int_equal(help_transfer_count(db), 1);
	assert_int_equal(help_counter(db, "upload.uploading"), 0);
	assert_int_equal(help_counter(db, "upload.completed"), 1);
	assert_int_equal(help_counter(db, "bytes.upload"), 3000);
	assert_int_equal(help_counter(db, "us.upload"), 3000000);
	assert_int_equal(help_counter(db, "encrypted"), 1);
	assert_int_equal(help_counter(db, "type..txt"), 1);
	t = help_transfer("x/A.TXT", 2, REC_COMPLETED);
	t.direction = REC_DOWNLOAD;
	assert_int_equal(help_transfer_put(db, &t), ERR_NONE);
	assert_int_equal(help_transfer_count(db), 2);
	assert_int_equal(help_counter(db, "download.completed"), 1);
	assert_int_equal(help_counter(db, "bytes.download"), 10);
	assert_int_equal(help_counter(db, "type..txt"), 1);
}

DB_TEST(test_db_rec_counter__by_extension)
{
	static const struct {
		const char *filename;
		const char *counter;
	} cases[] = {
		{ "a.tar.gz", "type..gz" },
		{ "a.JPeG", "type..jpeg" },
		{ "d.ir/none", "type." },
		{ ".hidden", "type." },
		{ "d/.hidden", "type." },
		{ "dot.", "type." },
		{ "a.\xc3\xa9", "type..\xc3\xa9" },
		{ "a.12345678901234567890123456",
		    "type..1234567890123456789012345" },
	};
	size_t i;

	for (i = 0; i < 7; i++) {
		int64_t before = help_counter(db, cases[i].counter);

		put(db, cases[i].filename, (unsigned)i + 1);
		if (help_counter(db, cases[i].counter) != before + 1)
			fail_msg("'%s' is not counted as '%s'",
			    cases[i].filename, cases[i].counter);
	}
	/* One byte more than fits is no extension. */
	put(db, "a.12345678901234567890123456", 100);
	assert_int_equal(help_counter(db, "type."), 5);
	put(db, "a.1234567890123456789012345", 101);
	assert_int_equal(
	    help_counter(db, "type..1234567890123456789012345"), 1);
}

struct types {
	unsigned first;
	unsigned count;
};

static int
put_types(struct db_tx *tx, void *arg, struct err *err)
{
	const struct types *w = arg;
	struct rec_transfer t;
	char name[16];
	unsigned i;

	for (i = w->first; i < w->first + w->count; i++) {
		snprintf(name, sizeof(name), "a.%u", i);
		t = help_transfer(name, i + 1, REC_COMPLETED);
		if (rec_transfer_put(tx, &t, err) < 0)
			return -1;
	}
	return 0;
}

static int
count_type(void *arg, const char *name, int64_t value, struct err *err)
{
	int64_t *sums = arg;

	(void)err;
	sums[0]++;
	sums[1] += value;
	if (strcmp(name, REC_COUNTER_TYPE_OTHER) == 0)
		sums[2] = value;
	return 0;
}

static int
read_types(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_counter_each(tx, REC_COUNTER_TYPE, count_type, arg, err);
}

/* Clients cannot make the table of types grow without end. */
DB_TEST(test_db_rec_counter__types_have_an_end)
{
	struct types w = { 0, REC_COUNTER_TYPES + 50 };
	int64_t sums[3] = { 0, 0, 0 };

	assert_int_equal(db_write(db, put_types, &w, NULL), 0);
	assert_int_equal(db_read(db, read_types, sums, NULL), 0);
	assert_int_equal(sums[0], REC_COUNTER_TYPES + 1);
	assert_int_equal(sums[1], REC_COUNTER_TYPES + 50);
	assert_int_equal(sums[2], 50);
	/* One that is known goes on being counted as itself. */
	put(db, "again.7", 5000);
	assert_int_equal(help_counter(db, "type..7"), 2);
}

static int
put_and_fail(struct db_tx *tx, void *arg, struct err *err)
{
	struct types w = { 0, 5 };
	uint64_t *ret_count = arg;

	if (put_types(tx, &w, err) < 0 ||
	    rec_transfer_count(tx, ret_count, err) < 0)
		return -1;
	return err_set(err, ERR_CANCELLED, "changed its mind");
}

/* A job sees what it counted; nobody else does when it fails. */
DB_TEST(test_db_rec_counter__failed_jobs_do_not_count)
{
	uint64_t count = 0;

	put(db, "a", 100);
	assert_int_equal(db_write(db, put_and_fail, &count, NULL), -1);
	assert_int_equal(count, 6);
	assert_int_equal(help_transfer_count(db), 1);
	assert_int_equal(help_counter(db, "type..1"), 0);
}
