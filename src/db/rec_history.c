/* SPDX-License-Identifier: MIT */
#include "db/rec_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_priv.h"
#include "db/rec_counter.h"
#include "db/rec_prefix.h"
#include "db/rec_transfer_priv.h"

/* Ids begin with the time; a clock may have been set a little back since. */
#define SLACK_MS (24LL * 3600 * 1000)
#define ID_TIME_MAX ((int64_t)0xffffffffffff)

/*
 * The range of ids ($1, $2) and the filters that no index leads ($3 .. $10) are
 * the same for all; $11 is what the index of the statement looks for.
 */
#define FILTERS                                                                \
	"t.id >= $1 AND t.id < $2 AND t.created_ms >= $3 "                     \
	"AND t.created_ms < $4 AND ($5 < 0 OR t.status = $5) "                 \
	"AND ($6 < 0 OR t.direction = $6) "                                    \
	"AND ($7 IS NULL OR (t.filename >= $7 AND t.filename < $8)) "          \
	"AND ($9 IS NULL OR t.client_ip = $9) "                                \
	"AND ($10 IS NULL OR t.client_id = $10)"
#define COUNT "SELECT COUNT(*) FROM transfers t WHERE " FILTERS
#define PAGE "SELECT " REC_TRANSFER_COLUMNS " FROM transfers t WHERE " FILTERS
#define ORDER(limit, offset)                                                   \
	" ORDER BY t.id DESC LIMIT " limit " OFFSET " offset

enum lead { BY_TIME, BY_FILENAME, BY_IP, BY_CLIENT_ID, BY_STATUS, LEADS };

static const char *const counts[LEADS] = {
	[BY_TIME] = COUNT,
	[BY_FILENAME] = COUNT " AND t.filename = $11",
	[BY_IP] = COUNT " AND t.client_ip = $11",
	[BY_CLIENT_ID] = COUNT " AND t.client_id = $11",
	[BY_STATUS] = COUNT " AND t.status = $11 AND t.status <> 3",
};
static const char *const pages[LEADS] = {
	[BY_TIME] = PAGE ORDER("$11", "$12"),
	[BY_FILENAME] = PAGE " AND t.filename = $11" ORDER("$12", "$13"),
	[BY_IP] = PAGE " AND t.client_ip = $11" ORDER("$12", "$13"),
	[BY_CLIENT_ID] = PAGE " AND t.client_id = $11" ORDER("$12", "$13"),
	[BY_STATUS] =
	    PAGE " AND t.status = $11 AND t.status <> 3" ORDER("$12", "$13"),
};

/* The most telling filter leads. */
static enum lead
choose(const struct rec_history_query *q)
{
	if (q->filename != NULL)
		return BY_FILENAME;
	if (q->client_ip != NULL)
		return BY_IP;
	if (q->client_id != NULL)
		return BY_CLIENT_ID;
	if (q->status >= 0 && q->status != REC_COMPLETED)
		return BY_STATUS;
	return BY_TIME;
}

/* The first id of a moment. */
static void
id_at(int64_t ms, char ret[ID_SIZE])
{
	if (ms < 0)
		ms = 0;
	if (ms > ID_TIME_MAX)
		ms = ID_TIME_MAX;
	(void)snprintf(ret, ID_SIZE, "%012" PRIx64 "%020d", (uint64_t)ms, 0);
}

/* What a statement borrows until it is closed. */
struct bounds {
	char from[ID_SIZE];
	char before[ID_SIZE];
	char *prefix_end;
};

static void
put(struct sql *s, const struct rec_history_query *q, enum lead lead,
    struct bounds *b)
{
	const char *const values[LEADS] = {
		[BY_FILENAME] = q->filename,
		[BY_IP] = q->client_ip,
		[BY_CLIENT_ID] = q->client_id,
	};

	id_at(q->from_ms - SLACK_MS, b->from);
	id_at(
	    q->before_ms > ID_TIME_MAX ? ID_TIME_MAX : q->before_ms + SLACK_MS,
	    b->before);
	b->prefix_end = rec_prefix_end(q->prefix);
	sql_put_text(s, b->from);
	sql_put_text(s, b->before);
	sql_put_int(s, q->from_ms);
	sql_put_int(s, q->before_ms);
	sql_put_int(s, lead == BY_STATUS ? -1 : q->status);
	sql_put_int(s, q->direction);
	if (b->prefix_end == NULL) {
		sql_put_null(s);
		sql_put_null(s);
	} else {
		sql_put_text(s, q->prefix);
		sql_put_text(s, b->prefix_end);
	}
	/* what leads need not be looked at twice */
	sql_put_text(s, lead == BY_IP ? NULL : q->client_ip);
	sql_put_text(s, lead == BY_CLIENT_ID ? NULL : q->client_id);
	if (lead == BY_STATUS)
		sql_put_int(s, q->status);
	else if (lead != BY_TIME)
		sql_put_text(s, values[lead]);
}

/* --- counting ------------------------------------------------------------- */

static bool
is_kept(const struct rec_history_query *q)
{
	return q->prefix[0] == '\0' && q->filename == NULL &&
	       q->client_ip == NULL && q->client_id == NULL &&
	       q->from_ms == 0 && q->before_ms == INT64_MAX;
}

/* Of a state, a direction, both or neither: the sums know. */
static int
count_kept(struct db_tx *tx, const struct rec_history_query *q, uint64_t *ret,
    struct err *err)
{
	static const char *const directions[] = { "upload", "download" };
	char name[REC_COUNTER_NAME];
	uint64_t n;

	*ret = 0;
	for (int d = 0; d < 2; d++) {
		for (int s = 0; s < REC_STATUS_COUNT; s++) {
			if ((q->direction >= 0 && q->direction != d) ||
			    (q->status >= 0 && q->status != s))
				continue;
			(void)snprintf(name, sizeof(name), "%s.%s",
			    directions[d], rec_status_name((enum rec_status)s));
			if (rec_counter_on_record(tx, name, &n, err) < 0)
				return -1;
			*ret += n;
		}
	}
	return 0;
}

int
rec_history_count(struct db_tx *tx, const struct rec_history_query *q,
    uint64_t *ret, struct err *err)
{
	enum lead lead = choose(q);
	struct bounds b;
	struct sql s;
	int rc;

	if (is_kept(q))
		return count_kept(tx, q, ret, err);
	if (sql_open(&s, tx, counts[lead], err) < 0)
		return -1;
	put(&s, q, lead, &b);
	rc = sql_step(&s, err);
	*ret = rc > 0 ? (uint64_t)sql_get_int(&s) : 0;
	sql_close(&s);
	free(b.prefix_end);
	return rc < 0 ? -1 : 0;
}

/* --- a page --------------------------------------------------------------- */

int
rec_history_each(struct db_tx *tx, const struct rec_history_query *q,
    rec_transfer_fn fn, void *arg, struct err *err)
{
	enum lead lead = choose(q);
	struct rec_transfer t;
	struct bounds b;
	struct sql s;
	int rc;

	if (sql_open(&s, tx, pages[lead], err) < 0)
		return -1;
	put(&s, q, lead, &b);
	sql_put_int(&s, q->limit);
	sql_put_int(&s, (int64_t)q->offset);
	while ((rc = sql_step(&s, err)) > 0) {
		rec_transfer_take_row(&s, &t);
		rc = fn(arg, &t, err);
		rec_transfer_fini(&t);
		if (rc < 0)
			break;
	}
	sql_close(&s);
	free(b.prefix_end);
	return rc;
}
