/* SPDX-License-Identifier: MIT */
#ifndef DB_SQL_H
#define DB_SQL_H

/*
 * Statements, as the record functions use them: opened, given their
 * parameters in order, stepped, their columns taken in order, closed; all
 * within one function (rule 5).
 *
 *	static const char SQL_SIZE[] = "SELECT size FROM files "
 *				       "WHERE filename = $1";
 *
 *	if (sql_open(&q, tx, SQL_SIZE, err) < 0)
 *		return -1;
 *	sql_put_text(&q, filename);
 *	rc = sql_step(&q, err);
 *	if (rc > 0)
 *		*ret_size = (uint64_t)sql_get_int(&q);
 *	sql_close(&q);
 *
 * Prepared statements are kept with the connection, found by the address of
 * their text, which therefore must be constant; the longest unused goes when
 * there are SQL_CACHE of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "db/db_driver.h"

#define SQL_CACHE 32

struct sql_slot {
	const char *text; /* NULL: empty */
	struct db_stmt *stmt;
	bool busy;
	uint64_t used; /* when, in statements */
};

struct sql_cache {
	struct sql_slot slots[SQL_CACHE];
	uint64_t now;
};

struct sql {
	const struct db_driver *driver;
	struct db_conn *conn;
	struct db_stmt *stmt;
	struct sql_slot *slot; /* NULL: the same text is at work already */
	int at;                /* the next parameter or column */
};

/* After a failure there is nothing to close. */
int sql_open(
    struct sql *q, struct db_tx *tx, const char *text, struct err *err);
void sql_close(struct sql *q);

/* The next parameter.  Text is borrowed until sql_close(); NULL is null. */
void sql_put_int(struct sql *q, int64_t v);
void sql_put_text(struct sql *q, const char *s);
void sql_put_null(struct sql *q);

int sql_step(struct sql *q, struct err *err); /* 1: a row, 0: end, -1 */
/* Steps to the end and closes, also when it fails; ${ret_changes} (may be
 * NULL) is how many rows it changed. */
int sql_run(struct sql *q, int64_t *ret_changes, struct err *err);

/* The next column of the row. */
int64_t sql_get_int(struct sql *q);
bool sql_get_bool(struct sql *q);
char *sql_get_text(struct sql *q); /* for the caller to free(); NULL: null */
/* Into ${ret} of ${size} bytes with the NUL, cut when longer; "" for null. */
void sql_get_chars(struct sql *q, char *ret, size_t size);
bool sql_get_is_null(const struct sql *q); /* looks only */
void sql_skip(struct sql *q);

/* A statement without parameters or rows. */
int sql_do(struct db_tx *tx, const char *text, struct err *err);

void sql_cache_fini(struct sql_cache *cache, const struct db_driver *driver);

#endif
