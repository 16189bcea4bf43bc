/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/append_priv.h"
#include "engine/upload.h"

/* --- the parts ------------------------------------------------------------ */

struct parts {
	struct mover *mover;
	struct session **sessions; /* with references, each is_finishing */
	size_t count;
	uint64_t size;
};

static int
no_part(const char *what, struct err *err)
{
	return err_set(err, ERR_INVALID_PARAMETER,
	    "a URL of Upload-Concat %s; no file was made", what);
}

/* Under the lock of ${s}. */
static int
check_part(const struct session *s, struct err *err)
{
	if (s->rec.state != REC_SESSION_OPEN || s->rec.concat == NULL)
		return no_part("is that of no partial upload", err);
	if (s->is_ending || s->is_finishing)
		return no_part("serves another file", err);
	if (!list_is_empty(&s->claims) || s->offset != s->rec.total_size)
		return no_part("is that of an unfinished upload", err);
	return 0;
}

static int
add_part(struct parts *p, struct engine *e, const struct append_new *req,
    const char *url, struct err *err)
{
	struct session *s;
	int rc;

	/* It would seem to be another's. */
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->sessions[i]->rec.url, url) == 0)
			return no_part("is given twice", err);
	/* Waiting for one while others are held, two joins of the same parts
	 * could wait for each other for ever. */
	if (append_find_now(e, req->who, url, &s, err) < 0) {
		if (err->code == ERR_UPLOAD_NOT_FOUND ||
		    err->code == ERR_UPLOAD_EXPIRED)
			return no_part("is that of no upload", err);
		return -1;
	}
	rc = check_part(s, err);
	if (rc == 0) {
		s->is_finishing = true;
		p->sessions[p->count++] = s;
		p->size += s->offset;
	}
	pthread_mutex_unlock(&s->lock);
	if (rc < 0)
		session_unref(s);
	return rc;
}

/* They served their file, or can serve another. */
static void
drop_parts(struct parts *p, bool are_used)
{
	struct err why = ERR_INIT;

	err_set(&why, ERR_UPLOAD_EXPIRED, "it has become part of a file");
	for (size_t i = 0; i < p->count; i++) {
		struct session *s = p->sessions[i];

		pthread_mutex_lock(&s->lock);
		s->is_finishing = false;
		pthread_cond_broadcast(&s->changed);
		if (are_used)
			(void)session_end(s, REC_SESSION_FAILED, &why);
		pthread_mutex_unlock(&s->lock);
		session_unref(s);
	}
	free(p->sessions);
}

/* --- their bytes ---------------------------------------------------------- */

struct joined {
	struct source source;
	struct parts *parts;
	size_t at;          /* the part that is read */
	struct source *now; /* NULL: none is open */
	bool is_in_tail;    /* of that part */
};

/* The next piece of a part: what lies in segments, then its tail. */
static int
open_next(struct joined *j, struct err *err)
{
	struct session *s = j->parts->sessions[j->at];
	uint64_t settled = s->offset - s->tail_n;
	struct session_piece p = session_front(s, 0, settled);

	if (!j->is_in_tail)
		return session_read(s, &p, &j->now, err);
	j->now = source_mem(
	    s->tail == NULL ? (unsigned char *)"" : s->tail, s->tail_n);
	return 0;
}

static ssize_t
joined_read(struct source *src, void *buf, size_t n, struct err *err)
{
	struct joined *j = CONTAINER_OF(src, struct joined, source);

	while (j->at < j->parts->count) {
		ssize_t got;

		if (j->now == NULL && open_next(j, err) < 0)
			return -1;
		got = source_read(j->now, buf, n, err);
		if (got != 0)
			return got;
		source_close(j->now);
		j->now = NULL;
		if (j->is_in_tail)
			j->at++;
		j->is_in_tail = !j->is_in_tail;
	}
	return 0;
}

/* --- the file ------------------------------------------------------------- */

static int
make_file(struct engine *e, const struct append_new *req, struct parts *parts,
    struct upload_result *ret, struct err *err)
{
	const struct upload_options options = {
		.filename = req->filename,
		.client_id = req->client->id,
		.priority = req->priority,
		.encryption = req->has_encryption && req->encryption,
		.is_decided = true,
		.may_replace = !req->keep_existing,
	};
	const struct upload_request ur = {
		.who = req->who,
		.client = req->client,
		.options = &options,
		.total = parts->size,
		.mover = parts->mover,
	};
	struct joined body = {
		.source = { .read = joined_read },
		.parts = parts,
	};
	struct upload *up;
	int rc;

	if (upload_begin(e, &ur, &up, err) < 0)
		return -1;
	rc = upload_fill(up, &body.source, err);
	source_close(body.now);
	if (rc == 0)
		rc = upload_finish(up, &options, ret, err);
	if (rc < 0)
		upload_abort(up, err);
	return rc;
}

static int
put(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_put(tx, arg, err);
}

/* What its URL answers from now on. */
static int
record_final(struct engine *e, struct session *s, const struct upload_result *r,
    struct err *err)
{
	struct sessions *all = e->sessions;

	memcpy(s->rec.id, r->id, ID_SIZE);
	s->rec.state = REC_SESSION_COMPLETED;
	s->rec.total_size = r->size;
	s->rec.front_offset = s->rec.received = r->size;
	s->rec.updated_ms = clock_wall_ms(e->clock);
	s->rec.until_ms = s->rec.updated_ms + e->settings->upload_expiry;
	s->offset = r->size;
	s->is_begun = s->is_loaded = s->is_ending = s->is_retired = true;
	if (engine_write(e, put, &s->rec, err) < 0)
		return -1;
	session_ref(s);
	pthread_mutex_lock(&all->lock);
	session_enlist(s);
	pthread_mutex_unlock(&all->lock);
	return 0;
}

/* "final;" and the URLs, as they were sent. */
static char *
concat_text(const char *const *urls, size_t count)
{
	struct buf b;
	char *text;

	buf_init(&b, 7 + count * (APPEND_URL_SIZE + 8));
	(void)buf_append_str(&b, "final;");
	for (size_t i = 0; i < count; i++)
		(void)buf_printf(&b, "%s/tus/%s", i == 0 ? "" : " ", urls[i]);
	text = buf_take(&b);
	return text;
}

int
append_join(struct engine *e, const struct append_new *req,
    const struct append_parts *from, struct append_state *ret, struct err *err)
{
	struct parts parts = {
		.mover = from->mover,
		.sessions =
		    mem_calloc(from->count + 1, sizeof(struct session *)),
	};
	struct append_new named = *req;
	struct upload_result r = { 0 };
	struct session *s = session_new(e->sessions);
	int rc = 0;

	append_fill(s, req);
	s->rec.concat = concat_text(from->urls, from->count);
	named.filename = s->rec.filename;
	for (size_t i = 0; i < from->count && rc == 0; i++)
		rc = add_part(&parts, e, req, from->urls[i], err);
	if (rc == 0)
		rc = make_file(e, &named, &parts, &r, err);
	if (rc == 0)
		rc = record_final(e, s, &r, err);
	drop_parts(&parts, rc == 0);
	if (rc == 0)
		append_describe(s, ret);
	upload_result_fini(&r);
	session_unref(s);
	return rc;
}
