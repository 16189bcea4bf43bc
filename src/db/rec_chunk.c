/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "db/db_priv.h"
#include "db/rec_session.h"

#define COLUMNS "number, size, hash, blob_id"

static const char SQL_PUT[] =
    "INSERT INTO chunks (session_id, " COLUMNS ") "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (session_id, number) "
    "DO UPDATE SET size = excluded.size, hash = excluded.hash, "
    "blob_id = excluded.blob_id";
static const char SQL_GET[] = "SELECT " COLUMNS " FROM chunks "
                              "WHERE session_id = $1 AND number = $2";
static const char SQL_EACH[] =
    "SELECT " COLUMNS " FROM chunks WHERE session_id = $1 ORDER BY number";
static const char SQL_CLEAR[] =
    "DELETE FROM chunks WHERE session_id = $1 AND number IN "
    "(SELECT number FROM chunks WHERE session_id = $1 LIMIT $2)";
static const char SQL_BLOBS[] =
    "SELECT blob_id FROM chunks WHERE blob_id IS NOT NULL";

int
rec_chunk_put(struct db_tx *tx, const char *session_id,
    const struct rec_chunk *c, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_PUT, err) < 0)
		return -1;
	sql_put_text(&q, session_id);
	sql_put_int(&q, (int64_t)c->number);
	sql_put_int(&q, (int64_t)c->size);
	sql_put_text(&q, c->hash);
	if (c->blob_id[0] == '\0')
		sql_put_null(&q);
	else
		sql_put_text(&q, c->blob_id);
	return sql_run(&q, NULL, err);
}

static void
take_row(struct sql *q, struct rec_chunk *c)
{
	c->number = (uint64_t)sql_get_int(q);
	c->size = (uint64_t)sql_get_int(q);
	sql_get_chars(q, c->hash, sizeof(c->hash));
	sql_get_chars(q, c->blob_id, sizeof(c->blob_id));
}

int
rec_chunk_get(struct db_tx *tx, const char *session_id, uint64_t number,
    struct rec_chunk *ret, struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_GET, err) < 0)
		return -1;
	sql_put_text(&q, session_id);
	sql_put_int(&q, (int64_t)number);
	rc = sql_step(&q, err);
	if (rc > 0)
		take_row(&q, ret);
	sql_close(&q);
	if (rc < 0)
		return -1;
	return rc > 0 ? 0
	              : err_set(err, ERR_ABSENT,
	                    "there is no chunk %llu on record",
	                    (unsigned long long)number);
}

int
rec_chunk_each(struct db_tx *tx, const char *session_id, rec_chunk_fn fn,
    void *arg, struct err *err)
{
	struct rec_chunk c;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	sql_put_text(&q, session_id);
	while ((rc = sql_step(&q, err)) > 0) {
		take_row(&q, &c);
		rc = fn(arg, &c, err);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}

int
rec_chunk_clear(struct db_tx *tx, const char *session_id, unsigned limit,
    bool *ret_left, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_CLEAR, err) < 0)
		return -1;
	sql_put_text(&q, session_id);
	sql_put_int(&q, limit);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_left = changes == (int64_t)limit;
	return 0;
}

int
rec_chunk_each_blob(
    struct db_tx *tx, rec_chunk_blob_fn fn, void *arg, struct err *err)
{
	char blob_id[ID_SIZE];
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_BLOBS, err) < 0)
		return -1;
	while ((rc = sql_step(&q, err)) > 0) {
		sql_get_chars(&q, blob_id, sizeof(blob_id));
		rc = fn(arg, blob_id, err);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}
