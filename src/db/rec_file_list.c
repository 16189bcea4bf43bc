/* SPDX-License-Identifier: MIT */
#include "db/rec_file_list.h"

#include <string.h>

#include "db/db_priv.h"
#include "db/rec_file_priv.h"
#include "db/rec_prefix.h"

static const char SQL_BY_NAME[] = "SELECT " REC_FILE_COLUMNS " FROM files "
                                  "WHERE filename >= $1 AND filename <> $2 "
                                  "ORDER BY filename LIMIT $3";
/* The prefix is asked for so that no other index seems to fit. */
#define BY_KEY(key)                                                            \
	"SELECT " REC_FILE_COLUMNS " FROM files "                              \
	"WHERE (" key ", filename) < ($1, $2) "                                \
	"AND substr(filename, 1, length($3)) = $3 "                            \
	"ORDER BY " key " DESC, filename DESC LIMIT $4"
static const char SQL_NEWEST[] = BY_KEY("modified_ms");
static const char SQL_LARGEST[] = BY_KEY("size");

int64_t
rec_file_order_key(enum rec_file_order order, const struct rec_file *f)
{
	switch (order) {
	case REC_FILE_NEWEST:
		return f->modified_ms;
	case REC_FILE_LARGEST:
		return (int64_t)f->size;
	case REC_FILE_BY_NAME:
		break;
	}
	return 0;
}

/* What both ask for: the longer one, unless they exclude each other. */
static const char *
both(const struct rec_file_query *q)
{
	if (rec_prefix_holds(q->prefix, q->begins))
		return q->begins;
	return rec_prefix_holds(q->begins, q->prefix) ? q->prefix : NULL;
}

static int
open_by_name(struct sql *s, struct db_tx *tx, const struct rec_file_query *q,
    const char *prefix, struct err *err)
{
	const char *after = q->after == NULL ? "" : q->after;

	if (sql_open(s, tx, SQL_BY_NAME, err) < 0)
		return -1;
	sql_put_text(s, strcmp(after, prefix) > 0 ? after : prefix);
	sql_put_text(s, after);
	sql_put_int(s, q->limit);
	return 0;
}

static int
open_by_key(struct sql *s, struct db_tx *tx, const struct rec_file_query *q,
    const char *prefix, struct err *err)
{
	const char *text =
	    q->order == REC_FILE_NEWEST ? SQL_NEWEST : SQL_LARGEST;

	if (sql_open(s, tx, text, err) < 0)
		return -1;
	sql_put_int(s, q->after == NULL ? INT64_MAX : q->after_key);
	sql_put_text(s, q->after == NULL ? "" : q->after);
	sql_put_text(s, prefix);
	sql_put_int(s, q->limit);
	return 0;
}

int
rec_file_list(struct db_tx *tx, const struct rec_file_query *q, rec_file_fn fn,
    void *arg, struct err *err)
{
	const char *prefix = both(q);
	struct rec_file f;
	struct sql s;
	bool is_past;
	int rc;

	if (prefix == NULL)
		return 0;
	rc = q->order == REC_FILE_BY_NAME ? open_by_name(&s, tx, q, prefix, err)
	                                  : open_by_key(&s, tx, q, prefix, err);
	if (rc < 0)
		return -1;
	while ((rc = sql_step(&s, err)) > 0) {
		rec_file_take_row(&s, &f);
		is_past = !rec_prefix_holds(prefix, f.filename);
		rc = is_past ? 0 : fn(arg, &f, err);
		rec_file_fini(&f);
		if (rc < 0 || is_past)
			break;
	}
	sql_close(&s);
	return rc;
}
