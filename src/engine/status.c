/* SPDX-License-Identifier: MIT */
#include "engine/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "db/rec_history.h"
#include "engine/session.h"
#include "proto/limits.h"

/* --- a list of views ---------------------------------------------------- */

void
status_list_fini(struct status_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		transfer_view_fini(&l->views[i]);
	free(l->views);
	memset(l, 0, sizeof(*l));
}

/* Takes ${v} over. */
static void
push(struct status_list *l, struct transfer_view *v)
{
	/* Doubled at each power of two. */
	if ((l->count & (l->count - 1)) == 0)
		l->views = mem_realloc(l->views,
		    (l->count == 0 ? 1 : 2 * l->count) * sizeof(*l->views));
	l->views[l->count++] = *v;
	memset(v, 0, sizeof(*v));
}

static int
push_row(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct transfer_view v;

	(void)err;
	transfer_view_of(&v, t);
	push(arg, &v);
	return 0;
}

static void
push_live(void *arg, struct transfer_view *v)
{
	push(arg, v);
}

static void
push_live_upload(void *arg, struct transfer_view *v)
{
	if (v->rec.direction == REC_UPLOAD)
		push(arg, v);
}

static int
newest_first(const void *a, const void *b)
{
	const struct transfer_view *x = a, *y = b;
	int order = strcmp(y->rec.id, x->rec.id);

	/* Seen live and then ended: the end is the truth. */
	if (order == 0)
		order = (int)rec_status_is_ended(y->rec.status) -
		        (int)rec_status_is_ended(x->rec.status);
	return order;
}

static int
turn(const void *a, const void *b)
{
	const struct transfer_view *x = a, *y = b;

	if (x->rec.priority != y->rec.priority)
		return x->rec.priority > y->rec.priority ? -1 : 1;
	return strcmp(x->rec.id, y->rec.id);
}

static void
sort(struct status_list *l, int (*order)(const void *a, const void *b))
{
	if (l->count > 1)
		qsort(l->views, l->count, sizeof(*l->views), order);
}

/* Sorted newest first: keeps the first of each name (or each id). */
static void
keep_first(struct status_list *l, bool by_name)
{
	struct map *seen = map_new();
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct transfer_view *v = &l->views[i];
		const char *key = by_name ? v->rec.filename : v->rec.id;

		if (map_get(seen, slice_str(key)) != NULL) {
			transfer_view_fini(v);
			continue;
		}
		(void)map_put(seen, slice_str(key), v);
		if (kept != i)
			l->views[kept] = *v;
		kept++;
	}
	l->count = kept;
	map_free(seen);
}

static void
cut(struct status_list *l, size_t limit)
{
	while (l->count > limit)
		transfer_view_fini(&l->views[--l->count]);
}

/* --- one file ------------------------------------------------------------- */

struct find {
	const char *prefix;
	const char *filename;
	struct rec_transfer rec;
};

static int
find_newest(struct db_tx *tx, void *arg, struct err *err)
{
	struct find *f = arg;

	return rec_transfer_newest(tx, f->prefix, f->filename, &f->rec, err);
}

/* Does the row tell more than what was seen live? */
static bool
is_newer(const struct rec_transfer *row, const struct rec_transfer *live)
{
	int order = strcmp(row->id, live->id);

	if (row->direction != live->direction)
		return row->direction == REC_UPLOAD;
	return order > 0 || (order == 0 && rec_status_is_ended(row->status));
}

int
status_of(struct engine *e, const struct principal *who, const char *filename,
    struct transfer_view *ret, struct err *err)
{
	struct find f = { .prefix = who->prefix, .filename = filename };
	bool visible = strncmp(filename, who->prefix, strlen(who->prefix)) == 0;
	bool live;

	live = visible &&
	       (transfers_find(e->transfers, filename, REC_UPLOAD, ret) ||
	           transfers_find(e->transfers, filename, REC_DOWNLOAD, ret));
	if (db_read(e->db, find_newest, &f, err) < 0) {
		if (live && err->code == ERR_TRANSFER_NOT_FOUND) {
			err_clear(err);
			return 0;
		}
		if (live)
			transfer_view_fini(ret);
		return -1;
	}
	if (live && is_newer(&f.rec, &ret->rec)) {
		transfer_view_fini(ret);
		live = false;
	}
	if (!live)
		transfer_view_of(ret, &f.rec);
	rec_transfer_fini(&f.rec);
	return 0;
}

/* --- lists ------------------------------------------------------------------
 */

struct page {
	struct rec_transfer_query query;
	struct status_list *list;
	int64_t changed_ms; /* the newest of the prefix, downloads as well */
};

static int
note_change(void *arg, const struct rec_transfer *t, struct err *err)
{
	struct page *p = arg;

	(void)err;
	p->changed_ms = t->updated_ms;
	return 0;
}

/* What there is of others is not told, not even how much (rule 26). */
static int
read_sums(struct db_tx *tx, struct page *p, struct err *err)
{
	const struct rec_history_query q = {
		.prefix = p->query.prefix,
		.status = -1,
		.direction = -1,
		.before_ms = INT64_MAX,
		.limit = 1,
	};

	if (q.prefix[0] == '\0')
		return rec_transfer_count(tx, &p->list->total, err);
	if (rec_history_count(tx, &q, &p->list->total, err) < 0)
		return -1;
	return rec_history_each(tx, &q, note_change, p, err);
}

static int
read_newest(struct db_tx *tx, void *arg, struct err *err)
{
	struct page *p = arg;

	if (read_sums(tx, p, err) < 0)
		return -1;
	return rec_transfer_each_newest(tx, &p->query, push_row, p->list, err);
}

static void
drop_from(struct status_list *l, const char *cursor)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (cursor[0] != '\0' &&
		    strcmp(l->views[i].rec.id, cursor) >= 0)
			transfer_view_fini(&l->views[i]);
		else
			l->views[kept++] = l->views[i];
	}
	l->count = kept;
}

static int64_t
last_change(struct engine *e, const struct page *p)
{
	const struct status_list *l = p->list;
	int64_t ms = p->query.prefix[0] == '\0'
	                 ? transfers_last_change(e->transfers)
	                 : p->changed_ms;

	for (size_t i = 0; i < l->count; i++)
		if (l->views[i].rec.updated_ms > ms)
			ms = l->views[i].rec.updated_ms;
	return ms;
}

int
status_newest(struct engine *e, const struct principal *who,
    const struct status_page *page, struct status_list *ret, struct err *err)
{
	struct page p = {
		.query = {
			.prefix = who->prefix,
			.before_id = page->cursor,
			.limit = page->limit + 1,
		},
		.list = ret,
	};

	memset(ret, 0, sizeof(*ret));
	/* The live ones first: what ends in between is in the records then,
	 * and the sort below keeps one of the two. */
	transfers_each(e->transfers, who->prefix, push_live_upload, ret);
	/* Each live one may hide a row. */
	p.query.limit += (unsigned)ret->count;
	/* Under a prefix the newest may be far back. */
	if ((who->prefix[0] != '\0' ? db_read_long : db_read)(
	        e->db, read_newest, &p, err) < 0) {
		status_list_fini(ret);
		return -1;
	}
	sort(ret, newest_first);
	keep_first(ret, true);
	drop_from(ret, page->cursor);
	ret->last_updated = last_change(e, &p);
	if (ret->count > page->limit) {
		cut(ret, page->limit);
		memcpy(ret->next, ret->views[page->limit - 1].rec.id, ID_SIZE);
	}
	return 0;
}

/* Ids of uploads that wait for their clients. */
struct ids {
	char (*ids)[ID_SIZE];
	size_t count;
};

static void
push_id(void *arg, const char *id)
{
	struct ids *l = arg;

	if (l->count == LIMIT_QUEUE_ENDED)
		return;
	memcpy(l->ids[l->count++], id, ID_SIZE);
}

struct queue {
	struct page page;
	struct ids idle;
};

static int
read_idle(struct db_tx *tx, struct queue *q, const char *id, struct err *err)
{
	const char *prefix = q->page.query.prefix;
	struct rec_transfer row = { 0 };
	int rc = 0;

	if (rec_transfer_get(tx, id, &row, err) == 0) {
		if (strncmp(row.filename, prefix, strlen(prefix)) == 0)
			rc = push_row(q->page.list, &row, err);
	} else if (err->code == ERR_TRANSFER_NOT_FOUND) {
		err_clear(err);
	} else {
		rc = -1;
	}
	rec_transfer_fini(&row);
	return rc;
}

static int
read_queue(struct db_tx *tx, void *arg, struct err *err)
{
	struct queue *q = arg;

	for (size_t i = 0; i < q->idle.count; i++)
		if (read_idle(tx, q, q->idle.ids[i], err) < 0)
			return -1;
	return rec_transfer_each_ended(
	    tx, &q->page.query, push_row, q->page.list, err);
}

int
status_queue(struct engine *e, const struct principal *who,
    struct status_list *ret, struct err *err)
{
	struct queue q = {
		.page = {
			.query = {
				.prefix = who->prefix,
				.before_id = "",
				.since_ms = clock_wall_ms(e->clock) -
				    (int64_t)e->settings->queue_keep_seconds *
				        1000,
				.limit = LIMIT_QUEUE_ENDED,
			},
			.list = ret,
		},
	};
	int rc;

	memset(ret, 0, sizeof(*ret));
	q.idle.ids = mem_calloc(LIMIT_QUEUE_ENDED, ID_SIZE);
	sessions_each_idle(e->sessions, push_id, &q.idle);
	transfers_each(e->transfers, who->prefix, push_live, ret);
	rc = db_read(e->db, read_queue, &q, err);
	free(q.idle.ids);
	if (rc < 0) {
		status_list_fini(ret);
		return -1;
	}
	/* What ended between the two looks is there twice. */
	sort(ret, newest_first);
	keep_first(ret, false);
	sort(ret, turn);
	return 0;
}
