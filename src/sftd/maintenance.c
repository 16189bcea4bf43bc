/* SPDX-License-Identifier: MIT */
#include "sftd/maintenance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/auth.h"
#include "engine/history.h"
#include "engine/reaper.h"
#include "engine/session.h"
#include "engine/status_file.h"
#include "sftd/certificate.h"

#define TURN_MS 1000
#define BACKUP_AGE_MS (24LL * 3600 * 1000)
/* How often one looks whether a backup is due; first when so much time has
 * gone by. */
#define BACKUP_LOOK_MS (10LL * 60 * 1000)
#define BALLAST_LOOK_MS (10LL * 1000)
#define PRUNE_LOOK_MS (10LL * 1000)
#define USES_LOOK_MS (60LL * 1000)
/* A failing task says so at most this often. */
#define COMPLAIN_EVERY_MS 60000

struct maintenance {
	struct engine *engine;
	struct tls *tls; /* NULL: none */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* stopping */
	bool started;        /* of the thread that starts and stops */
	bool stopping;       /* under lock */
	_Atomic bool trash;  /* the reaper has work */
	/* The thread's own. */
	uint64_t written; /* transfers_changes() of the last status file */
	int64_t backup_look_ms; /* when to look next */
	int64_t ballast_look_ms;
	int64_t prune_look_ms;
	int64_t uses_look_ms;
	int64_t complained_ms;
};

static void
complain(struct maintenance *m, const char *what, const struct err *e)
{
	int64_t now_ms = clock_mono_ms(m->engine->clock);

	if (m->complained_ms != 0 &&
	    now_ms - m->complained_ms < COMPLAIN_EVERY_MS)
		return;
	m->complained_ms = now_ms;
	log_error(what, LOG_ERR(e), LOG_END);
}

static bool
is_stopping(void *arg)
{
	struct maintenance *m = arg;
	bool stopping;

	pthread_mutex_lock(&m->lock);
	stopping = m->stopping;
	pthread_mutex_unlock(&m->lock);
	return stopping;
}

/* --- tasks -----------------------------------------------------------------
 */

static void
trashed(void *arg)
{
	struct maintenance *m = arg;

	atomic_store(&m->trash, true);
}

static void
reap(struct maintenance *m)
{
	struct err e = ERR_INIT;
	bool left = true;

	if (!atomic_exchange(&m->trash, false))
		return;
	if (reaper_run(m->engine, &left, &e) < 0)
		complain(m, "replaced files could not be removed", &e);
	if (left)
		atomic_store(&m->trash, true);
}

static void
write_status_file(struct maintenance *m)
{
	uint64_t changes = transfers_changes(m->engine->transfers);
	struct err e = ERR_INIT;

	if (changes == m->written && transfers_live(m->engine->transfers) == 0)
		return;
	if (status_file_write(m->engine, &e) < 0)
		complain(m, "the status file could not be written", &e);
	else
		m->written = changes;
}

/* By the age of the newest, and not by the time that this run has lasted: one
 * that is restarted every day would never come to it. */
static void
back_up(struct maintenance *m)
{
	int64_t now_ms = clock_mono_ms(m->engine->clock);
	struct err e = ERR_INIT;

	if (now_ms < m->backup_look_ms)
		return;
	m->backup_look_ms = now_ms + BACKUP_LOOK_MS;
	if (!db_wants_backup(m->engine->db, BACKUP_AGE_MS))
		return;
	m->backup_look_ms = now_ms + BACKUP_AGE_MS;
	if (db_backup(m->engine->db, ENGINE_BACKUPS_KEPT, &e) < 0)
		log_error("the database could not be backed up", LOG_ERR(&e),
		    LOG_END);
}

/* When it was given up, and there is room again. */
static void
fill_ballast(struct maintenance *m)
{
	int64_t now_ms = clock_mono_ms(m->engine->clock);

	if (now_ms < m->ballast_look_ms)
		return;
	m->ballast_look_ms = now_ms + BALLAST_LOOK_MS;
	(void)home_ballast_fill(m->engine->home, NULL); /* or later */
}

/* As long as there is something, at every turn a little. */
static void
prune_history(struct maintenance *m)
{
	int64_t now_ms = clock_mono_ms(m->engine->clock);
	struct err e = ERR_INIT;
	bool left = false;

	if (now_ms < m->prune_look_ms)
		return;
	if (history_prune(m->engine, &left, &e) < 0)
		complain(m, "old transfers could not be removed", &e);
	if (!left)
		m->prune_look_ms = now_ms + PRUNE_LOOK_MS;
}

static void
tend_sessions(struct maintenance *m)
{
	sessions_tick(m->engine->sessions);
}

/* When keys were used last.  What is left at the end engine_close() writes. */
static void
write_uses(struct maintenance *m)
{
	int64_t now_ms = clock_mono_ms(m->engine->clock);
	struct err e = ERR_INIT;

	if (now_ms < m->uses_look_ms)
		return;
	m->uses_look_ms = now_ms + USES_LOOK_MS;
	if (auth_write_uses(m->engine->auth, &e) < 0)
		complain(m, "uses of keys could not be recorded", &e);
}

/* Of keys that are no longer good. */
static void
evict_expired(struct maintenance *m)
{
	tenants_evict_expired(
	    m->engine->tenants, clock_wall_ms(m->engine->clock));
}

static void
look_at_certificate(struct maintenance *m)
{
	certificate_look(m->tls, false);
}

static void (*const tasks[])(struct maintenance *m) = {
	reap,
	write_status_file,
	back_up,
	fill_ballast,
	tend_sessions,
	prune_history,
	write_uses,
	evict_expired,
	look_at_certificate,
};

static void *
run(void *arg)
{
	struct maintenance *m = arg;

	while (!is_stopping(m)) {
		for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
			tasks[i](m);
		pthread_mutex_lock(&m->lock);
		if (!m->stopping)
			(void)thread_cond_wait_until(&m->wake, &m->lock,
			    clock_mono_ns(clock_system()) +
			        TURN_MS * 1000000LL);
		pthread_mutex_unlock(&m->lock);
	}
	return NULL;
}

int
maintenance_start(struct engine *e, struct tls *tls, struct maintenance **ret_m,
    struct err *err)
{
	static const struct thread_options options = { "maintenance", 0 };
	struct maintenance *m = mem_calloc(1, sizeof(*m));

	m->engine = e;
	m->tls = tls;
	m->backup_look_ms = clock_mono_ms(e->clock) + BACKUP_LOOK_MS;
	pthread_mutex_init(&m->lock, NULL);
	thread_cond_init(&m->wake);
	/* What the last run left in the trash. */
	atomic_store(&m->trash, true);
	e->trashed_arg = m;
	e->trashed = trashed;
	if (thread_start(&options, run, m, &m->thread, err) < 0) {
		maintenance_stop(m);
		return -1;
	}
	m->started = true;
	*ret_m = m;
	return 0;
}

void
maintenance_stop(struct maintenance *m)
{
	struct err e = ERR_INIT;

	if (m == NULL)
		return;
	pthread_mutex_lock(&m->lock);
	m->stopping = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	if (m->started)
		pthread_join(m->thread, NULL);
	m->engine->trashed = NULL;
	reap(m);
	if (status_file_write(m->engine, &e) < 0)
		log_error("the status file could not be written", LOG_ERR(&e),
		    LOG_END);
	pthread_cond_destroy(&m->wake);
	pthread_mutex_destroy(&m->lock);
	free(m);
}
