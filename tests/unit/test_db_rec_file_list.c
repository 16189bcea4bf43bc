/* SPDX-License-Identifier: MIT */
#include "db/rec_file_list.h"

#include <stdio.h>
#include <string.h>

#include "db_help.h"

struct page {
	struct rec_file_query query;
	char seen[256]; /* the names, each with a space behind */
	char last[64];
	int64_t last_key;
};

static int
see(void *arg, const struct rec_file *f, struct err *err)
{
	struct page *p = arg;
	size_t at;

	(void)err;
	at = strlen(p->seen);
	(void)snprintf(p->seen + at, sizeof(p->seen) - at, "%s ", f->filename);
	(void)snprintf(p->last, sizeof(p->last), "%s", f->filename);
	p->last_key = rec_file_order_key(p->query.order, f);
	return 0;
}

static int
list(struct db_tx *tx, void *arg, struct err *err)
{
	struct page *p = arg;

	p->seen[0] = '\0';
	return rec_file_list(tx, &p->query, see, p, err);
}

static struct page
query(enum rec_file_order order, const char *prefix, const char *begins)
{
	return (struct page){
		.query = {
			.prefix = prefix,
			.begins = begins,
			.order = order,
			.limit = 100,
		},
	};
}

#define EXPECT(p, names)                                                       \
	do {                                                                   \
		assert_int_equal(db_read(db, list, &(p), NULL), 0);            \
		assert_string_equal((p).seen, names);                          \
	} while (0)

static void
next(struct page *p)
{
	p->query.after = p->last;
	p->query.after_key = p->last_key;
}

/* Sizes and times are the number. */
static void
put(struct db *db, const char *name, unsigned blob, uint64_t size)
{
	struct rec_file f = help_file(name, blob);

	f.size = size;
	assert_int_equal(help_file_put(db, &f, true, NULL), ERR_NONE);
}

static void
fill(struct db *db)
{
	put(db, "b/2", 1, 50);
	put(db, "a", 2, 7);
	put(db, "b/1", 3, 50);
	put(db, "B", 4, 0);
	put(db, "\xc3\xa9", 5, 50);
	put(db, "b", 6, 9);
}

DB_TEST(test_db_rec_file_list__orders)
{
	struct page name = query(REC_FILE_BY_NAME, "", "");
	struct page newest = query(REC_FILE_NEWEST, "", "");
	struct page largest = query(REC_FILE_LARGEST, "", "");

	EXPECT(name, "");
	EXPECT(newest, "");
	fill(db);
	EXPECT(name, "B a b b/1 b/2 \xc3\xa9 ");
	EXPECT(newest, "b \xc3\xa9 B b/1 a b/2 ");
	EXPECT(largest, "\xc3\xa9 b/2 b/1 b a B ");
}

DB_TEST(test_db_rec_file_list__prefixes)
{
	static const struct {
		const char *prefix;
		const char *begins;
		const char *names;
	} rows[] = {
		{ "", "b", "b b/1 b/2 " },
		{ "", "b/", "b/1 b/2 " },
		{ "b/", "", "b/1 b/2 " },
		{ "b/", "b", "b/1 b/2 " },
		{ "b", "b/", "b/1 b/2 " },
		{ "b/", "b/2", "b/2 " },
		{ "b/", "a", "" },
		{ "a", "b/", "" },
		{ "", "c", "" },
		{ "", "\xc3\xa9", "\xc3\xa9 " },
		{ "\xf4\x8f\xbf\xbf", "", "" },
	};
	struct page p;

	fill(db);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = query(REC_FILE_BY_NAME, rows[i].prefix, rows[i].begins);
		EXPECT(p, rows[i].names);
	}
	p = query(REC_FILE_NEWEST, "b/", "");
	EXPECT(p, "b/1 b/2 ");
	p = query(REC_FILE_LARGEST, "", "b");
	EXPECT(p, "b/2 b/1 b ");
}

/* What comes and goes between pages moves nobody else. */
DB_TEST(test_db_rec_file_list__pages_are_stable)
{
	struct page p;

	fill(db);
	p = query(REC_FILE_BY_NAME, "", "");
	p.query.limit = 2;
	EXPECT(p, "B a ");
	next(&p);
	assert_int_equal(help_file_remove(db, "", "a"), ERR_NONE);
	put(db, "A", 7, 1);
	put(db, "b/0", 8, 1);
	EXPECT(p, "b b/0 ");
	next(&p);
	EXPECT(p, "b/1 b/2 ");
	next(&p);
	EXPECT(p, "\xc3\xa9 ");
	next(&p);
	EXPECT(p, "");
}

DB_TEST(test_db_rec_file_list__pages_with_equal_keys)
{
	struct page p;

	fill(db);
	p = query(REC_FILE_LARGEST, "", "");
	p.query.limit = 1;
	EXPECT(p, "\xc3\xa9 ");
	next(&p);
	EXPECT(p, "b/2 ");
	next(&p);
	assert_int_equal(help_file_remove(db, "", "b/2"), ERR_NONE);
	EXPECT(p, "b/1 ");
	next(&p);
	EXPECT(p, "b ");
}

static int
put_many(struct db_tx *tx, void *arg, struct err *err)
{
	char name[16];

	(void)arg;
	for (unsigned i = 0; i <= FILES_FEW; i++) {
		struct rec_file f;
		bool is_new;
		int rc;

		(void)snprintf(name, sizeof(name), "m/%05u", i);
		f = help_file(name, 100 + i);
		rc = rec_file_put(tx, &f, true, &is_new, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* However many names begin so, the order is the same. */
DB_TEST(test_db_rec_file_list__a_prefix_of_many)
{
	static const enum rec_file_order orders[] = { REC_FILE_NEWEST,
		REC_FILE_LARGEST };
	struct page few, many;

	fill(db);
	assert_int_equal(db_write(db, put_many, NULL, NULL), 0);
	put(db, "n", 50, 1u << 20);
	for (size_t i = 0; i < 2; i++) {
		/* ten of them, and one more than FILES_FEW */
		few = query(orders[i], "", "m/1000");
		many = query(orders[i], "", "m/");
		few.query.limit = many.query.limit = 1;
		EXPECT(few, "m/10000 ");
		EXPECT(many, "m/10000 ");
		next(&few);
		next(&many);
		EXPECT(few, "");
		EXPECT(many, "m/09999 ");
		next(&many);
		many.query.limit = 2;
		EXPECT(many, "m/09998 m/09997 ");
	}
}

static int
stop(void *arg, const struct rec_file *f, struct err *err)
{
	(void)arg;
	(void)f;
	return err_set(err, ERR_INTERNAL, "enough");
}

static int
list_and_stop(struct db_tx *tx, void *arg, struct err *err)
{
	struct page *p = arg;

	return rec_file_list(tx, &p->query, stop, NULL, err);
}

DB_TEST(test_db_rec_file_list__ends_when_told)
{
	struct page p = query(REC_FILE_BY_NAME, "", "");
	struct err e = ERR_INIT;

	fill(db);
	assert_int_equal(db_read(db, list_and_stop, &p, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
}
