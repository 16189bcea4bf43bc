/* SPDX-License-Identifier: MIT */

/* What is done to all sessions, or to those of a name. */

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/session_priv.h"

/* --- now and then --------------------------------------------------------- */

/* Under its lock: the client has been away for long. */
static void
rest_if_idle(struct session *s)
{
	int64_t idle_ms =
	    clock_mono_ms(s->engine->clock) - atomic_load(&s->moved_ms);
	struct err why = ERR_INIT;

	if (s->transfer == NULL || idle_ms < SESSION_IDLE_MS ||
	    !list_is_empty(&s->claims) || s->is_finishing ||
	    lane_waits(s->lane))
		return;
	err_set(&why, ERR_TIMEOUT,
	    "nothing came for a minute; the upload can be gone on with");
	session_rest(s, &why);
}

/* Under its lock. */
static bool
is_expired(const struct session *s)
{
	return list_is_empty(&s->claims) && !s->is_finishing &&
	       !lane_waits(s->lane) &&
	       clock_wall_ms(s->engine->clock) - s->rec.updated_ms >=
	           s->engine->settings->upload_expiry;
}

/* Under its lock: all is there, but whoever brought the last of it was not
 * told, and may not come back. */
static bool
is_left_complete(struct session *s)
{
	if (s->is_finishing || !list_is_empty(&s->claims))
		return false;
	if (s->rec.kind == REC_SESSION_CHUNKS)
		return s->have_count == s->rec.total_chunks;
	return s->rec.total_size == s->offset && s->rec.concat == NULL;
}

struct clearing {
	struct session *session;
	bool left;
};

#define CLEAR_STEP 5000

static int
clear(struct db_tx *tx, void *arg, struct err *err)
{
	struct clearing *c = arg;
	const char *id = c->session->rec.id;

	if (rec_chunk_clear(tx, id, CLEAR_STEP, &c->left, err) < 0)
		return -1;
	return c->left ? 0 : rec_session_remove(tx, id, err);
}

static void
purge(struct session *s)
{
	struct clearing c = { s, true };

	while (c.left)
		if (db_write(s->engine->db, clear, &c, NULL) < 0)
			return;
	session_forget(s);
}

static void
tick_open(struct session *s)
{
	struct session_result ignored = { 0 };
	struct err err = ERR_INIT;

	rest_if_idle(s);
	if (is_expired(s)) {
		err_set(&err, ERR_UPLOAD_EXPIRED,
		    "nothing came for too long; the upload was removed");
		(void)session_end(s, REC_SESSION_FAILED, &err);
	} else if (session_load(s, &err) < 0) {
		if (err.code == ERR_ABSENT)
			(void)session_end(s, REC_SESSION_FAILED, &err);
	} else if (is_left_complete(s)) {
		(void)session_finish_left(s, &ignored, &err);
		session_result_fini(&ignored);
	}
}

static void
tick_one(struct session *s, void *arg)
{
	bool is_over;

	(void)arg;
	pthread_mutex_lock(&s->lock);
	if (s->is_begun && s->rec.state == REC_SESSION_OPEN && !s->is_ending)
		tick_open(s);
	is_over = s->rec.state != REC_SESSION_OPEN &&
	          clock_wall_ms(s->engine->clock) >= s->rec.until_ms;
	pthread_mutex_unlock(&s->lock);
	if (is_over)
		purge(s);
}

void
sessions_tick(struct sessions *all)
{
	session_each(all, tick_one, NULL);
}

/* --- cancelling ----------------------------------------------------------- */

struct cancelling {
	const char *filename;
	unsigned count;
};

static void
cancel_one(struct session *s, void *arg)
{
	struct cancelling *c = arg;
	struct err why = ERR_INIT;

	err_set(&why, ERR_CANCELLED, "the transfer was cancelled");
	pthread_mutex_lock(&s->lock);
	if (s->is_begun && s->rec.state == REC_SESSION_OPEN &&
	    strcmp(s->rec.filename, c->filename) == 0 &&
	    session_end(s, REC_SESSION_CANCELLED, &why))
		c->count++;
	pthread_mutex_unlock(&s->lock);
}

unsigned
sessions_cancel(struct sessions *all, const char *filename)
{
	struct cancelling c = { filename, 0 };

	session_each(all, cancel_one, &c);
	return c.count;
}

/* --- their turn ------------------------------------------------------------
 */

struct prioritising {
	const char *filename;
	int priority;
	unsigned count;
	struct err *err;
	int rc;
};

static int
put_priority(struct db_tx *tx, void *arg, struct err *err)
{
	return rec_transfer_put(tx, arg, err);
}

/* Of one whose client is away: in its transfer's row. */
static void
prioritise_one(struct session *s, void *arg)
{
	struct prioritising *p = arg;
	struct rec_transfer row = { 0 };

	pthread_mutex_lock(&s->lock);
	if (p->rc == 0 && s->is_begun && s->rec.state == REC_SESSION_OPEN &&
	    !s->is_ending && s->transfer == NULL &&
	    strcmp(s->rec.filename, p->filename) == 0) {
		p->rc = session_row(s, &row, p->err);
		if (p->rc == 0) {
			row.priority = p->priority;
			p->rc =
			    engine_write(s->engine, put_priority, &row, p->err);
			if (p->rc == 0)
				transfers_tell(s->engine->transfers, &row);
			rec_transfer_fini(&row);
			p->count++;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

int
sessions_set_priority(struct sessions *all, const char *filename, int priority,
    unsigned *ret_count, struct err *err)
{
	struct prioritising p = { filename, priority, 0, err, 0 };

	session_each(all, prioritise_one, &p);
	*ret_count = p.count;
	return p.rc;
}

/* --- those that wait for their client --------------------------------------
 */

struct listing {
	void (*fn)(void *arg, const char *id);
	void *arg;
};

static void
list_one(struct session *s, void *arg)
{
	struct listing *l = arg;

	/* One that somebody works on has a live transfer. */
	if (pthread_mutex_trylock(&s->lock) != 0)
		return;
	if (s->is_begun && s->rec.state == REC_SESSION_OPEN && !s->is_ending &&
	    s->transfer == NULL)
		l->fn(l->arg, s->rec.id);
	pthread_mutex_unlock(&s->lock);
}

void
sessions_each_idle(
    struct sessions *all, void (*fn)(void *arg, const char *id), void *arg)
{
	struct listing l = { fn, arg };

	session_each(all, list_one, &l);
}
