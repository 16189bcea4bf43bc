/* SPDX-License-Identifier: MIT */
#include "db/rec_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/db_priv.h"
#include "db/rec_counter.h"
#include "db/rec_day.h"
#include "db/rec_prefix.h"
#include "db/rec_transfer_priv.h"

#define ID_TIME_MAX ((int64_t)0xffffffffffff)
/* From here on it is worth looking for whole days to skip. */
#define SKIP_MIN 1000

/*
 * The range of ids ($1, $2), which begin with the time, and what the index of
 * the statement looks for (${lead}) are found in the index alone.  The filters
 * of ROWS look at rows.
 */
#define RANGE "FROM transfers t WHERE t.id >= $1 AND t.id < $2"
#define ROWS                                                                   \
	" AND ($3 < 0 OR t.status = $3) AND ($4 < 0 OR t.direction = $4) "     \
	"AND ($5 IS NULL OR (t.filename >= $5 AND t.filename < $6)) "          \
	"AND ($7 IS NULL OR t.client_ip = $7) "                                \
	"AND ($8 IS NULL OR t.client_id = $8)"
#define PAGE(limit, offset) " ORDER BY t.id DESC LIMIT " limit " OFFSET " offset

enum lead { BY_TIME, BY_FILENAME, BY_IP, BY_CLIENT_ID, BY_STATUS, LEADS };

struct statements {
	/* Without ROWS ... */
	const char *count;
	const char *page;
	/* ... and with them. */
	const char *count_rows;
	const char *page_rows;
};

/* Of a page the index alone finds the ids. */
#define STATEMENTS(bare, with_rows, a, b, c, d)                                \
	{                                                                      \
		"SELECT COUNT(*) " RANGE bare,                                 \
		    "SELECT " REC_TRANSFER_COLUMNS                             \
		    " FROM transfers t WHERE t.id IN (SELECT t.id " RANGE bare \
		    PAGE(a, b) ") ORDER BY t.id DESC",                         \
		    "SELECT COUNT(*) " RANGE ROWS with_rows,                   \
		    "SELECT " REC_TRANSFER_COLUMNS " " RANGE ROWS with_rows    \
		    PAGE(c, d),                                                \
	}
#define LED(what)                                                              \
	STATEMENTS(                                                            \
	    " AND " what "$3", " AND " what "$9", "$4", "$5", "$10", "$11")

static const struct statements statements[LEADS] = {
	[BY_TIME] = STATEMENTS("", "", "$3", "$4", "$9", "$10"),
	[BY_FILENAME] = LED("t.filename = "),
	[BY_IP] = LED("t.client_ip = "),
	[BY_CLIENT_ID] = LED("t.client_id = "),
	[BY_STATUS] = LED("t.status <> 3 AND t.status = "),
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

/* Is there nothing to be looked at but the range and what leads? */
static bool
is_bare(const struct rec_history_query *q, enum lead lead)
{
	return q->prefix[0] == '\0' && q->direction < 0 &&
	       (q->status < 0 || lead == BY_STATUS) &&
	       (q->client_ip == NULL || lead == BY_IP) &&
	       (q->client_id == NULL || lead == BY_CLIENT_ID);
}

/* Do the sums of the days know them all? */
static bool
is_summed(const struct rec_history_query *q)
{
	return q->prefix[0] == '\0' && q->filename == NULL &&
	       q->client_ip == NULL && q->client_id == NULL &&
	       q->from_ms % REC_DAY_MS == 0 &&
	       (q->before_ms == INT64_MAX || q->before_ms % REC_DAY_MS == 0);
}

bool
rec_history_is_long(const struct rec_history_query *q)
{
	return !is_summed(q) && !is_bare(q, choose(q));
}

/* The first id of a moment. */
static void
first_id(int64_t ms, char ret[ID_SIZE])
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
put_rows(struct sql *s, const struct rec_history_query *q, enum lead lead,
    struct bounds *b)
{
	sql_put_int(s, lead == BY_STATUS ? -1 : q->status);
	sql_put_int(s, q->direction);
	b->prefix_end = rec_prefix_end(q->prefix);
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
}

static void
put(struct sql *s, const struct rec_history_query *q, enum lead lead,
    struct bounds *b)
{
	const char *const values[LEADS] = {
		[BY_FILENAME] = q->filename,
		[BY_IP] = q->client_ip,
		[BY_CLIENT_ID] = q->client_id,
	};

	first_id(q->from_ms, b->from);
	first_id(q->before_ms, b->before);
	b->prefix_end = NULL;
	sql_put_text(s, b->from);
	sql_put_text(s, b->before);
	if (!is_bare(q, lead))
		put_rows(s, q, lead, b);
	if (lead == BY_STATUS)
		sql_put_int(s, q->status);
	else if (lead != BY_TIME)
		sql_put_text(s, values[lead]);
}

/* --- days ------------------------------------------------------------------
 */

static struct rec_day_query
days_of(const struct rec_history_query *q)
{
	return (struct rec_day_query){
		.status = q->status,
		.direction = q->direction,
		.from_ms = q->from_ms,
		.before_ms = q->before_ms,
	};
}

/* --- counting ------------------------------------------------------------- */

/* Of a state, a direction, both or neither. */
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

static int
count_summed(struct db_tx *tx, const struct rec_history_query *q, uint64_t *ret,
    struct err *err)
{
	const struct rec_day_query days = days_of(q);

	if (q->from_ms == 0 && q->before_ms == INT64_MAX)
		return count_kept(tx, q, ret, err);
	return rec_day_count(tx, &days, ret, err);
}

int
rec_history_count(struct db_tx *tx, const struct rec_history_query *q,
    uint64_t *ret, struct err *err)
{
	enum lead lead = choose(q);
	const struct statements *how = &statements[lead];
	struct bounds b;
	struct sql s;
	int rc;

	if (is_summed(q))
		return count_summed(tx, q, ret, err);
	if (sql_open(&s, tx, is_bare(q, lead) ? how->count : how->count_rows,
	        err) < 0)
		return -1;
	put(&s, q, lead, &b);
	rc = sql_step(&s, err);
	*ret = rc > 0 ? (uint64_t)sql_get_int(&s) : 0;
	sql_close(&s);
	free(b.prefix_end);
	return rc < 0 ? -1 : 0;
}

/* --- a page --------------------------------------------------------------- */

static int
read_page(struct db_tx *tx, const struct rec_history_query *q,
    rec_transfer_fn fn, void *arg, struct err *err)
{
	enum lead lead = choose(q);
	const struct statements *how = &statements[lead];
	struct rec_transfer t;
	struct bounds b;
	struct sql s;
	int rc;

	if (sql_open(
	        &s, tx, is_bare(q, lead) ? how->page : how->page_rows, err) < 0)
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

int
rec_history_each(struct db_tx *tx, const struct rec_history_query *q,
    rec_transfer_fn fn, void *arg, struct err *err)
{
	struct rec_history_query rest = *q;
	const struct rec_day_query days = days_of(q);

	if (q->offset >= SKIP_MIN && is_summed(q) &&
	    rec_day_skip(tx, &days, &rest.offset, &rest.before_ms, err) < 0)
		return -1;
	return read_page(tx, &rest, fn, arg, err);
}
