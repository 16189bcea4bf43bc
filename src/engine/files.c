/* SPDX-License-Identifier: MIT */
#include "engine/files.h"

#include <stdlib.h>

#include "base/mem.h"

void
files_page_fini(struct files_page *p)
{
	for (size_t i = 0; i < p->count; i++)
		rec_file_fini(&p->files[i]);
	free(p->files);
	*p = (struct files_page){ 0 };
}

/* --- finding -------------------------------------------------------------- */

struct query {
	const char *prefix;
	const char *filename;
	struct rec_file *file;
};

static int
get_file(struct db_tx *tx, void *arg, struct err *err)
{
	const struct query *q = arg;

	return rec_file_get(tx, q->prefix, q->filename, q->file, err);
}

int
files_find(struct engine *e, const struct principal *who, const char *filename,
    struct rec_file *ret, struct err *err)
{
	struct query q = { who->prefix, filename, ret };

	return db_read(e->db, get_file, &q, err);
}

/* --- listing -------------------------------------------------------------- */

struct listing {
	const struct rec_file_query *query;
	struct files_page *page;
};

static int
take(void *arg, const struct rec_file *f, struct err *err)
{
	struct listing *l = arg;
	struct rec_file *copy;

	(void)err;
	if (l->page->count == l->query->limit) {
		l->page->has_more = true;
		return 0;
	}
	copy = &l->page->files[l->page->count++];
	*copy = *f;
	copy->filename = mem_strdup(f->filename);
	copy->mime_type =
	    f->mime_type == NULL ? NULL : mem_strdup(f->mime_type);
	return 0;
}

static int
read_page(struct db_tx *tx, void *arg, struct err *err)
{
	struct listing *l = arg;
	struct rec_file_query one_more = *l->query;

	one_more.limit++;
	return rec_file_list(tx, &one_more, take, l, err);
}

int
files_list(struct engine *e, const struct principal *who,
    struct rec_file_query *q, struct files_page *ret, struct err *err)
{
	struct listing l = { q, ret };

	*ret = (struct files_page){ 0 };
	q->prefix = who->prefix;
	ret->files = mem_calloc(q->limit, sizeof(*ret->files));
	/* By time or size, those of a prefix may lie anywhere. */
	if ((q->order != REC_FILE_BY_NAME ? db_read_long : db_read)(
	        e->db, read_page, &l, err) < 0) {
		files_page_fini(ret);
		return -1;
	}
	return 0;
}

/* --- removing ------------------------------------------------------------- */

struct removal {
	const char *prefix;
	const char *filename;
};

static int
remove_row(struct db_tx *tx, void *arg, struct err *err)
{
	const struct removal *r = arg;

	return rec_file_remove(tx, r->prefix, r->filename, err);
}

int
files_remove(struct engine *e, const struct principal *who,
    const char *filename, struct err *err)
{
	struct removal r = { who->prefix, filename };

	if (engine_write(e, remove_row, &r, err) < 0)
		return -1;
	if (e->trashed != NULL)
		e->trashed(e->trashed_arg);
	return 0;
}
