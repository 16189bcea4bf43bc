/* SPDX-License-Identifier: MIT */
#include "db_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_priv.h"

static const char SQL_MAKE[] =
    "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT)";
static const char SQL_PUT[] = "INSERT INTO things (id, name) VALUES ($1, $2)";
static const char SQL_ALL[] = "SELECT id, name FROM things ORDER BY id";
static const char SQL_DROP[] = "DELETE FROM things WHERE id >= $1";

static void
put(struct db_tx *tx, int64_t id, const char *name)
{
	int64_t changes = 0;
	struct sql q;

	assert_int_equal(sql_open(&q, tx, SQL_PUT, NULL), 0);
	sql_put_int(&q, id);
	sql_put_text(&q, name);
	assert_int_equal(sql_run(&q, &changes, NULL), 0);
	assert_int_equal(changes, 1);
}

static int
values(struct db_tx *tx, void *arg, struct err *err)
{
	char chars[4];
	char *text;
	struct sql q;

	(void)arg;
	assert_int_equal(sql_do(tx, SQL_MAKE, err), 0);
	put(tx, INT64_MIN, "");
	put(tx, 0, NULL);
	put(tx, INT64_MAX, "long enough");
	assert_int_equal(sql_open(&q, tx, SQL_ALL, err), 0);
	assert_int_equal(sql_step(&q, err), 1);
	assert_true(sql_get_int(&q) == INT64_MIN);
	assert_false(sql_get_is_null(&q));
	text = sql_get_text(&q);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(sql_step(&q, err), 1);
	assert_false(sql_get_bool(&q));
	assert_true(sql_get_is_null(&q)); /* looks, and does not take */
	assert_null(sql_get_text(&q));
	assert_int_equal(sql_step(&q, err), 1);
	sql_skip(&q);
	sql_get_chars(&q, chars, sizeof(chars));
	assert_string_equal(chars, "lon");
	assert_int_equal(sql_step(&q, err), 0);
	sql_close(&q);
	return 0;
}

DB_TEST(test_db_sql__values)
{
	assert_int_equal(db_write(db, values, NULL, NULL), 0);
}

/* The same statement at work twice, as when a walk's callback walks. */
static int
nested(struct db_tx *tx, void *arg, struct err *err)
{
	int *seen = arg;
	struct sql outer, inner;

	assert_int_equal(sql_do(tx, SQL_MAKE, err), 0);
	put(tx, 1, "a");
	put(tx, 2, "b");
	assert_int_equal(sql_open(&outer, tx, SQL_ALL, err), 0);
	while (sql_step(&outer, err) > 0) {
		assert_int_equal(sql_open(&inner, tx, SQL_ALL, err), 0);
		while (sql_step(&inner, err) > 0)
			*seen += (int)sql_get_int(&inner);
		sql_close(&inner);
		*seen += 10 * (int)sql_get_int(&outer);
	}
	sql_close(&outer);
	return 0;
}

DB_TEST(test_db_sql__nested)
{
	int seen = 0;

	assert_int_equal(db_write(db, nested, &seen, NULL), 0);
	assert_int_equal(seen, 36);
}

/* More statements than are kept. */
static int
many(struct db_tx *tx, void *arg, struct err *err)
{
	static char texts[SQL_CACHE + 8][32];
	int64_t *sum = arg;
	struct sql q;
	int round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < SQL_CACHE + 8; i++) {
			snprintf(texts[i], sizeof(texts[i]), "SELECT %d", i);
			if (sql_open(&q, tx, texts[i], err) < 0)
				return -1;
			if (sql_step(&q, err) != 1)
				return -1;
			*sum += sql_get_int(&q);
			sql_close(&q);
		}
	}
	return 0;
}

DB_TEST(test_db_sql__more_than_are_kept)
{
	int64_t sum = 0;
	int n = SQL_CACHE + 8;

	assert_int_equal(db_write(db, many, &sum, NULL), 0);
	assert_int_equal(sum, 3 * n * (n - 1) / 2);
}

/* A statement that failed is as good as new. */
static int
after_failure(struct db_tx *tx, void *arg, struct err *err)
{
	struct err inner = ERR_INIT;
	int64_t changes = 0;
	struct sql q;

	(void)arg;
	assert_int_equal(sql_do(tx, SQL_MAKE, err), 0);
	put(tx, 1, "a");
	assert_int_equal(sql_open(&q, tx, SQL_PUT, err), 0);
	sql_put_int(&q, 1);
	sql_put_text(&q, "twice");
	assert_int_equal(sql_run(&q, NULL, &inner), -1);
	assert_int_equal(inner.code, ERR_DATABASE);
	put(tx, 2, "b");
	assert_int_equal(sql_open(&q, tx, SQL_DROP, err), 0);
	sql_put_int(&q, 0);
	assert_int_equal(sql_run(&q, &changes, err), 0);
	assert_int_equal(changes, 2);
	/* Too many parameters, and no statement at all. */
	assert_int_equal(sql_open(&q, tx, SQL_DROP, err), 0);
	sql_put_int(&q, 0);
	sql_put_int(&q, 0);
	assert_int_equal(sql_run(&q, NULL, &inner), -1);
	assert_int_equal(sql_open(&q, tx, "SELEC 1", &inner), -1);
	assert_int_equal(inner.code, ERR_DATABASE);
	return 0;
}

DB_TEST(test_db_sql__after_failure)
{
	assert_int_equal(db_write(db, after_failure, NULL, NULL), 0);
}
