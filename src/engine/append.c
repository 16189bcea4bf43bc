/* SPDX-License-Identifier: MIT */
#include "engine/append.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/rand.h"
#include "engine/append_priv.h"

void
append_state_fini(struct append_state *st)
{
	free(st->metadata);
	free(st->concat);
	memset(st, 0, sizeof(*st));
}

/* --- beginning ------------------------------------------------------------ */

void
append_fill(struct session *s, const struct append_new *req)
{
	struct rec_session *r = &s->rec;
	unsigned char random[(APPEND_URL_SIZE - 1) / 2];

	rand_bytes(random, sizeof(random));
	r->kind = REC_SESSION_TUS;
	r->url = mem_alloc(APPEND_URL_SIZE);
	hex_encode(random, sizeof(random), r->url);
	r->filename =
	    mem_strdup(req->filename == NULL ? r->url : req->filename);
	r->prefix = mem_strdup(req->who->prefix);
	r->client = session_client_text(req->client);
	r->metadata = mem_strdup(req->metadata);
	r->concat = mem_strdup(req->is_partial ? "partial" : NULL);
	r->encryption = req->has_encryption && req->encryption;
	/* A part does not know what its file is going to be. */
	r->layout = r->encryption || (req->is_partial && !req->has_encryption)
	                ? REC_SEALED
	                : REC_PLAIN;
	r->total_size = req->length;
	r->keep_existing = req->keep_existing;
}

static int
check_new(struct engine *e, const struct append_new *req, struct err *err)
{
	const char *prefix = req->who->prefix;
	const char *name = req->filename;
	uint64_t max = e->settings->max_file_size;

	if (prefix[0] != '\0' &&
	    (name == NULL || strncmp(name, prefix, strlen(prefix)) != 0))
		return err_set(err, ERR_FORBIDDEN,
		    "this key may only write names that begin with '%s'",
		    prefix);
	if (req->length != REC_SIZE_UNKNOWN && req->length > max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    max);
	return 0;
}

int
append_complete(struct session *s, struct err *err)
{
	struct rec_transfer row = { 0 };
	struct session_result r;
	int rc;

	if (s->rec.concat == NULL) {
		rc = session_finish(s, &r, err);
		session_result_fini(&r);
		return rc;
	}
	if (s->transfer != NULL) {
		transfer_final(s->transfer, REC_COMPLETED, NULL, &row);
		transfer_end(s->transfer, &row);
		s->transfer = NULL;
		rec_transfer_fini(&row);
	}
	return 0;
}

void
append_describe(struct session *s, struct append_state *ret)
{
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->url, s->rec.url, APPEND_URL_SIZE);
	memcpy(ret->id, s->rec.id, ID_SIZE);
	ret->length = s->rec.total_size;
	ret->is_complete = s->rec.state == REC_SESSION_COMPLETED;
	ret->offset = ret->is_complete ? ret->length : s->offset;
	ret->is_partial =
	    s->rec.concat != NULL && strcmp(s->rec.concat, "partial") == 0;
	ret->expires_ms =
	    s->rec.updated_ms + s->engine->settings->upload_expiry;
	ret->metadata = mem_strdup(s->rec.metadata);
	ret->concat = mem_strdup(s->rec.concat);
}

int
append_begin(struct engine *e, const struct append_new *req,
    struct append_state *ret, struct err *err)
{
	const struct session_start start = {
		.client = req->client,
		.priority = req->priority,
		.expected = req->length,
	};
	struct sessions *all = e->sessions;
	struct session *s;
	int rc;

	if (check_new(e, req, err) < 0)
		return -1;
	s = session_new(all);
	append_fill(s, req);
	pthread_mutex_lock(&s->lock);
	rc = session_begin(s, &start, err);
	if (rc == 0) {
		/* Nobody can ask for it before it is told. */
		session_ref(s);
		pthread_mutex_unlock(&s->lock);
		pthread_mutex_lock(&all->lock);
		session_enlist(s);
		pthread_mutex_unlock(&all->lock);
		pthread_mutex_lock(&s->lock);
		if (req->length == 0)
			rc = append_complete(s, err);
		append_describe(s, ret);
	}
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
	if (rc < 0)
		append_state_fini(ret);
	return rc;
}

/* --- finding -------------------------------------------------------------- */

/* Under its lock: may it be seen, and is it there? */
static int
check_found(
    const struct session *s, const struct principal *who, struct err *err)
{
	bool is_known =
	    strncmp(s->rec.filename, who->prefix, strlen(who->prefix)) == 0;

	if (is_known && s->rec.state != REC_SESSION_OPEN &&
	    s->rec.state != REC_SESSION_COMPLETED)
		return err_set(err, ERR_UPLOAD_EXPIRED,
		    "this upload was ended, and its bytes are gone: begin "
		    "anew");
	if (is_known && s->is_begun)
		return 0;
	return err_set(
	    err, ERR_UPLOAD_NOT_FOUND, "there is no upload of this URL");
}

/* What is being looked for, by whom. */
struct sought {
	const struct principal *who;
	const char *url;
	bool waits; /* until nobody makes a file of it */
};

static int
find(struct engine *e, const struct sought *what, struct session **ret_s,
    struct err *err)
{
	struct sessions *all = e->sessions;
	struct session *s;

	pthread_mutex_lock(&all->lock);
	s = map_get(all->urls, slice_str(what->url));
	if (s != NULL)
		session_ref(s);
	pthread_mutex_unlock(&all->lock);
	if (s == NULL)
		return err_set(err, ERR_UPLOAD_NOT_FOUND,
		    "there is no upload of this URL");
	pthread_mutex_lock(&s->lock);
	while ((what->waits && s->is_finishing) ||
	       (s->is_ending && !s->is_retired))
		pthread_cond_wait(&s->changed, &s->lock);
	if (check_found(s, what->who, err) == 0 &&
	    (s->rec.state != REC_SESSION_OPEN || session_load(s, err) == 0)) {
		*ret_s = s;
		return 0;
	}
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
	return -1;
}

int
append_find(struct engine *e, const struct principal *who, const char *url,
    struct session **ret_s, struct err *err)
{
	return find(e, &(struct sought){ who, url, true }, ret_s, err);
}

int
append_find_now(struct engine *e, const struct principal *who, const char *url,
    struct session **ret_s, struct err *err)
{
	return find(e, &(struct sought){ who, url, false }, ret_s, err);
}

void
append_take_over(struct session *s)
{
	struct list *it, *tmp;

	LIST_FOREACH(&s->claims, it, tmp)
	{
		struct claim *c = CONTAINER_OF(it, struct claim, link);

		if (!c->is_evicted && c->mover != NULL)
			c->mover->interrupt(
			    c->mover->arg, ERR_UPLOAD_TAKEN_OVER);
		c->is_evicted = true;
	}
	while (!list_is_empty(&s->claims) || s->is_finishing)
		pthread_cond_wait(&s->changed, &s->lock);
}

int
append_look(struct engine *e, const struct principal *who, const char *url,
    struct append_state *ret, struct err *err)
{
	struct session *s;

	if (append_find(e, who, url, &s, err) < 0)
		return -1;
	if (s->rec.state == REC_SESSION_OPEN)
		append_take_over(s);
	append_describe(s, ret);
	pthread_mutex_unlock(&s->lock);
	session_unref(s);
	return 0;
}

/* --- removing ------------------------------------------------------------- */

static int
remove_row(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_session_remove(tx, arg, err);
}

int
append_remove(struct engine *e, const struct principal *who, const char *url,
    struct err *err)
{
	struct err why = ERR_INIT;
	struct session *s;
	char id[ID_SIZE];

	if (append_find(e, who, url, &s, err) < 0)
		return -1;
	if (s->rec.state == REC_SESSION_OPEN) {
		err_set(&why, ERR_CANCELLED, "the upload was cancelled");
		(void)session_end(s, REC_SESSION_CANCELLED, &why);
	}
	memcpy(id, s->rec.id, ID_SIZE);
	pthread_mutex_unlock(&s->lock);
	session_forget(s);
	session_unref(s);
	return engine_write(e, remove_row, id, err);
}
