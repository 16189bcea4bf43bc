/* SPDX-License-Identifier: MIT */
#include "db/sql.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "db/db_priv.h"

/* The slot that holds ${text}, else the one to put it in, else NULL: all are
 * at work. */
static struct sql_slot *
find_slot(struct sql_cache *cache, const char *text)
{
	struct sql_slot *oldest = NULL;
	size_t i;

	for (i = 0; i < SQL_CACHE; i++) {
		struct sql_slot *slot = &cache->slots[i];

		if (slot->text == text)
			return slot;
		if (slot->busy)
			continue;
		/* An empty one was never used. */
		if (oldest == NULL || slot->used < oldest->used)
			oldest = slot;
	}
	return oldest;
}

static int
fill_slot(
    struct sql_slot *slot, struct db_tx *tx, const char *text, struct err *err)
{
	struct db_stmt *stmt;

	if (tx->driver->prepare(tx->conn, text, &stmt, err) < 0)
		return -1;
	if (slot->text != NULL)
		tx->driver->finalize(slot->stmt);
	slot->text = text;
	slot->stmt = stmt;
	return 0;
}

int
sql_open(struct sql *q, struct db_tx *tx, const char *text, struct err *err)
{
	struct sql_slot *slot = find_slot(&tx->cache, text);

	q->driver = tx->driver;
	q->conn = tx->conn;
	q->slot = NULL;
	q->at = 0;
	if (slot == NULL || slot->busy)
		return tx->driver->prepare(tx->conn, text, &q->stmt, err);
	if (slot->text != text && fill_slot(slot, tx, text, err) < 0)
		return -1;
	slot->busy = true;
	slot->used = ++tx->cache.now;
	q->slot = slot;
	q->stmt = slot->stmt;
	return 0;
}

void
sql_close(struct sql *q)
{
	if (q->slot == NULL) {
		q->driver->finalize(q->stmt);
		return;
	}
	q->driver->reset(q->stmt);
	q->slot->busy = false;
}

void
sql_put_int(struct sql *q, int64_t v)
{
	q->driver->bind_int(q->stmt, ++q->at, v);
}

void
sql_put_text(struct sql *q, const char *s)
{
	if (s == NULL)
		sql_put_null(q);
	else
		q->driver->bind_text(q->stmt, ++q->at, slice_str(s));
}

void
sql_put_null(struct sql *q)
{
	q->driver->bind_null(q->stmt, ++q->at);
}

int
sql_step(struct sql *q, struct err *err)
{
	q->at = 0;
	return q->driver->step(q->stmt, err);
}

int
sql_run(struct sql *q, int64_t *ret_changes, struct err *err)
{
	int rc;

	do {
		rc = sql_step(q, err);
	} while (rc > 0);
	if (rc == 0 && ret_changes != NULL)
		*ret_changes = q->driver->changes(q->conn);
	sql_close(q);
	return rc;
}

int64_t
sql_get_int(struct sql *q)
{
	return q->driver->column_int(q->stmt, q->at++);
}

bool
sql_get_bool(struct sql *q)
{
	return sql_get_int(q) != 0;
}

char *
sql_get_text(struct sql *q)
{
	struct slice s = q->driver->column_text(q->stmt, q->at++);

	return s.p == NULL ? NULL : slice_dup(s);
}

void
sql_get_chars(struct sql *q, char *ret, size_t size)
{
	struct slice s = q->driver->column_text(q->stmt, q->at++);

	assert(size > 0);
	if (s.n >= size)
		s.n = size - 1;
	if (s.n > 0)
		memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
}

bool
sql_get_is_null(const struct sql *q)
{
	return q->driver->column_is_null(q->stmt, q->at);
}

void
sql_skip(struct sql *q)
{
	q->at++;
}

int
sql_do(struct db_tx *tx, const char *text, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, text, err) < 0)
		return -1;
	return sql_run(&q, NULL, err);
}

void
sql_cache_fini(struct sql_cache *cache, const struct db_driver *driver)
{
	size_t i;

	for (i = 0; i < SQL_CACHE; i++) {
		if (cache->slots[i].text != NULL)
			driver->finalize(cache->slots[i].stmt);
	}
	*cache = (struct sql_cache){ 0 };
}
