/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "db/rec_file.h"
#include "engine/chunk_priv.h"

/* --- does it fit the session? --------------------------------------------- */

static int
conflict(const char *what, struct err *err)
{
	return err_set(err, ERR_SESSION_CONFLICT,
	    "an upload of this name is under way with another '%s': go on with "
	    "that one, or cancel it first",
	    what);
}

/* Under its lock. */
static int
check_fields(
    const struct session *s, const struct chunk_request *req, struct err *err)
{
	const struct rec_session *r = &s->rec;
	char hex[SHA256_HEX_SIZE];

	if (req->total != r->total_chunks)
		return conflict("total_chunks", err);
	if (req->total_size != REC_SIZE_UNKNOWN &&
	    r->total_size != REC_SIZE_UNKNOWN &&
	    req->total_size != r->total_size)
		return conflict("total_size", err);
	if (req->has_encryption && req->encryption != r->encryption)
		return conflict("encryption", err);
	hex_encode(req->file_hash, SHA256_SIZE, hex);
	if (req->has_file_hash && r->file_hash != NULL &&
	    strcmp(hex, r->file_hash) != 0)
		return conflict("file_hash", err);
	return 0;
}

/* Each chunk says it again; only another than before is a wish, or it would
 * undo what somebody has changed meanwhile. */
static void
adopt_priority(struct session *s, const struct chunk_request *req)
{
	bool is_new = s->said_priority != SESSION_PRIORITY_UNSAID &&
	              s->said_priority != req->priority;

	if (!req->has_priority)
		return;
	if (is_new && s->transfer != NULL)
		transfer_set_options(
		    s->transfer, s->rec.encryption, req->priority);
	s->said_priority = req->priority;
}

/* Under its lock: what the session did not know yet. */
static void
adopt(struct session *s, const struct chunk_request *req)
{
	char hex[SHA256_HEX_SIZE];

	if (req->total_size != REC_SIZE_UNKNOWN &&
	    s->rec.total_size == REC_SIZE_UNKNOWN) {
		s->rec.total_size = req->total_size;
		if (s->transfer != NULL)
			transfer_set_total(s->transfer, req->total_size);
	}
	if (req->has_file_hash && s->rec.file_hash == NULL) {
		hex_encode(req->file_hash, SHA256_SIZE, hex);
		s->rec.file_hash = mem_strdup(hex);
	}
	/* Whoever says so once has said it for the file. */
	s->rec.keep_existing |= req->keep_existing;
	adopt_priority(s, req);
}

int
chunk_adopt(struct session *s, const struct chunk_request *req, struct err *err)
{
	if (check_fields(s, req, err) < 0)
		return -1;
	adopt(s, req);
	return 0;
}

bool
chunk_may_displace(const struct session *s)
{
	int64_t idle_ms =
	    clock_mono_ms(s->engine->clock) - atomic_load(&s->moved_ms);

	return list_is_empty(&s->claims) && !s->is_finishing &&
	       !lane_waits(s->lane) && idle_ms >= SESSION_IDLE_MS;
}

void
chunk_displace(struct session *s, const struct err *why)
{
	struct err e = ERR_INIT;

	if (why == NULL) {
		err_set(&e, ERR_SESSION_CONFLICT,
		    "nothing came for a minute, and then another upload of "
		    "this name");
		why = &e;
	}
	if (session_end(s, REC_SESSION_FAILED, why))
		s->rec.until_ms = 0;
}

/* --- a new one ------------------------------------------------------------ */

static int
check_new(struct engine *e, const struct chunk_request *req, struct err *err)
{
	const char *prefix = req->who->prefix;
	uint64_t max = e->settings->max_file_size;

	if (strncmp(req->filename, prefix, strlen(prefix)) != 0)
		return err_set(err, ERR_FORBIDDEN,
		    "this key may only write names that begin with '%s'",
		    prefix);
	if (req->total_size != REC_SIZE_UNKNOWN && req->total_size > max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    max);
	return 0;
}

/* For progress, and nothing else: what the whole may have. */
static uint64_t
guess_total(const struct chunk_request *req)
{
	if (req->total_size != REC_SIZE_UNKNOWN)
		return req->total_size;
	if (req->total == 1)
		return req->expected;
	return REC_SIZE_UNKNOWN;
}

static void
fill(struct session *s, const struct chunk_request *req)
{
	struct rec_session *r = &s->rec;

	r->kind = REC_SESSION_CHUNKS;
	r->filename = mem_strdup(req->filename);
	r->prefix = mem_strdup(req->who->prefix);
	r->client = session_client_text(req->client);
	r->encryption = req->has_encryption && req->encryption;
	r->layout = r->encryption ? REC_SEALED : REC_PLAIN;
	r->total_chunks = req->total;
	r->total_size = REC_SIZE_UNKNOWN;
	s->said_priority = req->priority;
	adopt(s, req);
}

/* Locked, in the registry, not yet begun: who finds it waits for the lock.
 * Under the registry's lock. */
static struct session *
add_new(struct sessions *all, const struct chunk_request *req)
{
	struct session *s = session_new(all);

	fill(s, req);
	session_ref(s);
	pthread_mutex_lock(&s->lock);
	session_enlist(s);
	return s;
}

/* ${s} is locked, and is given up when it fails. */
static int
begin(struct session *s, const struct chunk_request *req, struct err *err)
{
	const struct session_start start = {
		.client = req->client,
		.priority = req->priority,
		.expected = guess_total(req),
	};

	if (session_begin(s, &start, err) == 0)
		return 0;
	s->is_ending = true;
	pthread_mutex_unlock(&s->lock);
	session_forget(s);
	session_unref(s);
	return -1;
}

/* --- one that has ended --------------------------------------------------- */

struct lookup {
	const struct session *session;
	struct rec_file file;
	bool is_there;
};

static int
look_up(struct db_tx *tx, void *arg, struct err *err)
{
	struct lookup *l = arg;
	struct err e = ERR_INIT;

	if (rec_file_of_blob(tx, l->session->rec.blob_id, &l->file, &e) == 0) {
		l->is_there = true;
		return 0;
	}
	if (e.code == ERR_FILE_NOT_FOUND)
		return 0;
	*err = e;
	return -1;
}

int
chunk_answer_completed(
    struct session *s, struct chunk_result *ret, struct err *err)
{
	struct lookup l = { .session = s };
	int rc = 0;

	if (db_read(s->engine->db, look_up, &l, err) < 0)
		return -1;
	if (l.is_there && strcmp(l.file.filename, s->rec.filename) == 0) {
		*ret = (struct chunk_result){
			.received = s->rec.total_chunks,
			.total = s->rec.total_chunks,
			.is_completed = true,
			.filename = l.file.filename,
			.mime_type = l.file.mime_type,
			.size = l.file.size,
			.encryption = l.file.encryption,
		};
		memcpy(ret->sha256, l.file.sha256, sizeof(ret->sha256));
		memcpy(ret->id, s->rec.id, ID_SIZE);
		l.file.filename = l.file.mime_type = NULL;
		rc = 1;
	}
	rec_file_fini(&l.file);
	return rc;
}

/* It may be the chunk that completed the session, whose answer was lost. */
static int
answer_again(struct session *s, const struct chunk_request *req,
    struct chunk_result *ret, struct err *err)
{
	char *client = session_client_text(req->client);
	bool is_same = strcmp(client, s->rec.client) == 0 &&
	               req->number == s->rec.last_number &&
	               req->total == s->rec.total_chunks;

	free(client);
	if (!is_same || session_open_seal(s, NULL) < 0 ||
	    !session_is_hash(s, req->number, req->sha256, s->rec.last_hash))
		return 0;
	return chunk_answer_completed(s, ret, err);
}

/* 0: it has nothing to say about the chunk, 1: it answered it. */
static int
ask_ended(struct session *s, const struct chunk_request *req,
    struct chunk_result *ret, struct err *err)
{
	int64_t left_ms = s->rec.until_ms - clock_wall_ms(s->engine->clock);

	if (left_ms <= 0)
		return 0;
	if (s->rec.state == REC_SESSION_COMPLETED)
		return answer_again(s, req, ret, err);
	if (req->number == 0 || req->total != s->rec.total_chunks ||
	    s->rec.error == NULL || s->rec.error_code == NULL)
		return 0;
	return err_set(
	    err, err_code_of_name(s->rec.error_code), "%s", s->rec.error);
}

/* --- finding -------------------------------------------------------------- */

/* The open one of that name, or else the newest that has ended, with a
 * reference; else a new one, locked. */
static struct session *
look(struct sessions *all, const struct chunk_request *req, bool ask_first,
    bool *ret_new)
{
	struct slice name = slice_str(req->filename);
	struct session *s;

	*ret_new = false;
	pthread_mutex_lock(&all->lock);
	s = map_get(all->names, name);
	if (s == NULL && ask_first)
		s = map_get(all->ended, name);
	if (s != NULL) {
		session_ref(s);
	} else {
		s = add_new(all, req);
		*ret_new = true;
	}
	pthread_mutex_unlock(&all->lock);
	return s;
}

/* Under its lock.  0: it takes the chunk, 1: look again, -1. */
static int
consider(struct session *s, const struct chunk_request *req, struct err *err)
{
	struct err why = ERR_INIT;

	if (session_settled(s, err) < 0)
		return -1;
	if (s->is_ending || !s->is_begun)
		return 1;
	err_clear(err);
	if (check_fields(s, req, err) < 0) {
		if (!chunk_may_displace(s))
			return -1;
		chunk_displace(s, NULL);
		return 1;
	}
	if (session_wake(s, &why) == 0) {
		adopt(s, req);
		return 0;
	}
	if (why.code != ERR_ABSENT) {
		*err = why;
		return -1;
	}
	err_set(&why, ERR_INTERNAL, "its bytes are gone");
	chunk_displace(s, &why);
	return 1;
}

/* Under its lock.  0: it takes the chunk, 1: it answered it, -1, 2: another
 * has to be looked for. */
static int
ask(struct session *s, const struct chunk_request *req, bool *ask_first,
    struct chunk_result *ret, struct err *err)
{
	int rc;

	if (!s->is_begun)
		return 2;
	if (!s->is_ending) {
		rc = consider(s, req, err);
		if (rc <= 0)
			return rc;
	}
	/* It is going; once it is gone it may have something to say. */
	if (session_settled(s, err) < 0)
		return -1;
	if (s->rec.state == REC_SESSION_OPEN)
		return 2;
	*ask_first = false;
	rc = ask_ended(s, req, ret, err);
	return rc == 0 ? 2 : rc;
}

int
chunk_find_session(struct engine *e, const struct chunk_request *req,
    struct session **ret_s, struct chunk_result *ret, struct err *err)
{
	bool ask_first = true;

	if (check_new(e, req, err) < 0)
		return -1;
	for (;;) {
		bool is_new;
		struct session *s = look(e->sessions, req, ask_first, &is_new);
		int rc;

		*ret_s = s;
		if (is_new)
			return begin(s, req, err);
		pthread_mutex_lock(&s->lock);
		rc = ask(s, req, &ask_first, ret, err);
		if (rc == 0)
			return 0;
		pthread_mutex_unlock(&s->lock);
		session_unref(s);
		if (rc != 2)
			return rc;
	}
}
