/* SPDX-License-Identifier: MIT */
#include "db/rec_file_list.h"

#include <stdlib.h>
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

/* Few names are had by their own index, and put in order: the key with a sign
 * is none that an index would fit. */
#define OF_FEW(key)                                                            \
	"SELECT " REC_FILE_COLUMNS " FROM files "                              \
	"WHERE (+" key ", filename) < ($1, $2) "                               \
	"AND filename >= $3 AND filename < $4 "                                \
	"ORDER BY +" key " DESC, filename DESC LIMIT $5"
static const char SQL_NEWEST_OF_FEW[] = OF_FEW("modified_ms");
static const char SQL_LARGEST_OF_FEW[] = OF_FEW("size");
static const char SQL_COUNT[] =
    "SELECT count(*) FROM (SELECT 1 FROM files "
    "WHERE filename >= $1 AND filename < $2 LIMIT $3)";

static const char *const by_key[][2] = {
	[REC_FILE_NEWEST] = { SQL_NEWEST, SQL_NEWEST_OF_FEW },
	[REC_FILE_LARGEST] = { SQL_LARGEST, SQL_LARGEST_OF_FEW },
};

/* Names that begin with ${prefix}: those before ${end} (NULL: to the last). */
struct range {
	const char *prefix;
	char *end;
};

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

/* Are there at most FILES_FEW of these names?  1, 0, -1. */
static int
are_few(struct db_tx *tx, const struct range *names, struct err *err)
{
	struct sql s;
	int rc;

	if (names->end == NULL)
		return 0;
	if (sql_open(&s, tx, SQL_COUNT, err) < 0)
		return -1;
	sql_put_text(&s, names->prefix);
	sql_put_text(&s, names->end);
	sql_put_int(&s, FILES_FEW + 1);
	rc = sql_step(&s, err);
	if (rc > 0)
		rc = sql_get_int(&s) <= FILES_FEW;
	sql_close(&s);
	return rc;
}

static int
open_by_key(struct sql *s, struct db_tx *tx, const struct rec_file_query *q,
    const struct range *names, struct err *err)
{
	int few = are_few(tx, names, err);

	if (few < 0 || sql_open(s, tx, by_key[q->order][few], err) < 0)
		return -1;
	sql_put_int(s, q->after == NULL ? INT64_MAX : q->after_key);
	sql_put_text(s, q->after == NULL ? "" : q->after);
	sql_put_text(s, names->prefix);
	if (few > 0)
		sql_put_text(s, names->end);
	sql_put_int(s, q->limit);
	return 0;
}

static int
each(struct sql *s, const char *prefix, rec_file_fn fn, void *arg,
    struct err *err)
{
	struct rec_file f;
	bool is_past;
	int rc;

	while ((rc = sql_step(s, err)) > 0) {
		rec_file_take_row(s, &f);
		is_past = !rec_prefix_holds(prefix, f.filename);
		rc = is_past ? 0 : fn(arg, &f, err);
		rec_file_fini(&f);
		if (rc < 0 || is_past)
			break;
	}
	return rc;
}

int
rec_file_list(struct db_tx *tx, const struct rec_file_query *q, rec_file_fn fn,
    void *arg, struct err *err)
{
	struct range names = { .prefix = both(q) };
	struct sql s;
	int rc;

	if (names.prefix == NULL)
		return 0;
	names.end = rec_prefix_end(names.prefix);
	rc = q->order == REC_FILE_BY_NAME
	         ? open_by_name(&s, tx, q, names.prefix, err)
	         : open_by_key(&s, tx, q, &names, err);
	if (rc == 0) {
		rc = each(&s, names.prefix, fn, arg, err);
		sql_close(&s);
	}
	free(names.end);
	return rc;
}
