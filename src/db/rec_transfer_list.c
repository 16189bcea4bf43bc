/* SPDX-License-Identifier: MIT */

/* Walks over transfers. */

#include <stdlib.h>

#include "db/db_priv.h"
#include "db/rec_prefix.h"
#include "db/rec_transfer_priv.h"

/* After all ids: hex digits end with f. */
#define AFTER_ALL "g"

/*
 * In the order of the index, page by page from where the last one ended, so
 * that no row is seen twice while others come.  The name is hidden in an
 * expression, else the table would be walked by name, and sorted.
 */
static const char SQL_NEWEST[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM newest n "
    "JOIN transfers t ON t.id = n.upload_id "
    "WHERE n.upload_id < $1 ORDER BY n.upload_id DESC LIMIT $2";
static const char SQL_NEWEST_UNDER[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM newest n "
    "JOIN transfers t ON t.id = n.upload_id "
    "WHERE n.upload_id < $1 "
    "AND n.filename || '' >= $2 AND n.filename || '' < $3 "
    "ORDER BY n.upload_id DESC LIMIT $4";
static const char SQL_ENDED[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM transfers t "
    "WHERE t.ended_ms >= $1 "
    "ORDER BY t.ended_ms DESC, t.id DESC LIMIT $2";
static const char SQL_ENDED_UNDER[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM transfers t "
    "WHERE t.ended_ms >= $1 "
    "AND t.filename || '' >= $2 AND t.filename || '' < $3 "
    "ORDER BY t.ended_ms DESC, t.id DESC LIMIT $4";

/* Puts the name's range and the limit, walks, closes. */
static int
walk(struct sql *q, const struct rec_transfer_query *query, rec_transfer_fn fn,
    void *arg, struct err *err)
{
	struct rec_transfer t;
	int rc;

	sql_put_int(q, query->limit);
	while ((rc = sql_step(q, err)) > 0) {
		rec_transfer_take_row(q, &t);
		rc = fn(arg, &t, err);
		rec_transfer_fini(&t);
		if (rc < 0)
			break;
	}
	sql_close(q);
	return rc;
}

int
rec_transfer_each_newest(struct db_tx *tx,
    const struct rec_transfer_query *query, rec_transfer_fn fn, void *arg,
    struct err *err)
{
	char *end = rec_prefix_end(query->prefix);
	struct sql q;
	int rc = -1;

	if (sql_open(&q, tx, end == NULL ? SQL_NEWEST : SQL_NEWEST_UNDER, err) <
	    0)
		goto out;
	sql_put_text(
	    &q, query->before_id[0] == '\0' ? AFTER_ALL : query->before_id);
	if (end != NULL) {
		sql_put_text(&q, query->prefix);
		sql_put_text(&q, end);
	}
	rc = walk(&q, query, fn, arg, err);
out:
	free(end);
	return rc;
}

int
rec_transfer_each_ended(struct db_tx *tx,
    const struct rec_transfer_query *query, rec_transfer_fn fn, void *arg,
    struct err *err)
{
	char *end = rec_prefix_end(query->prefix);
	struct sql q;
	int rc = -1;

	if (sql_open(&q, tx, end == NULL ? SQL_ENDED : SQL_ENDED_UNDER, err) <
	    0)
		goto out;
	sql_put_int(&q, query->since_ms);
	if (end != NULL) {
		sql_put_text(&q, query->prefix);
		sql_put_text(&q, end);
	}
	rc = walk(&q, query, fn, arg, err);
out:
	free(end);
	return rc;
}
