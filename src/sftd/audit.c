/* SPDX-License-Identifier: MIT */
#include "sftd/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/recover.h"

#define WORK_NS (5 * 1000000LL)
/* How much longer it rests than it worked; at most so long. */
#define REST 20
#define REST_MAX_NS (1000 * 1000000LL)

struct audit {
	struct engine *engine;
	bool is_suspect;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool is_cancelled; /* set under the lock, with wake */
	int64_t began_ns;         /* the thread's: this stretch of work */
};

static bool
is_cancelled(void *arg)
{
	struct audit *a = arg;

	return atomic_load(&a->is_cancelled);
}

static void
rest_until(struct audit *a, int64_t deadline_ns)
{
	pthread_mutex_lock(&a->lock);
	while (!atomic_load(&a->is_cancelled) &&
	       thread_cond_wait_until(&a->wake, &a->lock, deadline_ns))
		continue;
	pthread_mutex_unlock(&a->lock);
}

/* The pace, in the real time that a processor has. */
static bool
rest_and_stop(void *arg)
{
	struct audit *a = arg;
	int64_t now_ns = clock_mono_ns(clock_system());
	int64_t worked_ns = now_ns - a->began_ns;
	int64_t rest_ns = worked_ns * REST;

	if (worked_ns >= WORK_NS) {
		rest_until(a,
		    now_ns + (rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS));
		a->began_ns = clock_mono_ns(clock_system());
	}
	return is_cancelled(a);
}

static void
found(void *arg, const char *what, const char *name)
{
	(void)arg;
	log_error(what, LOG_STR("name", name), LOG_END);
}

static int
compare(struct audit *a, struct recover_found *f, struct err *err)
{
	const struct db_stop stop = { is_cancelled, a };
	const struct recover_check check = { rest_and_stop, found, a };

	if (a->is_suspect && db_check(a->engine->db, &stop, err) < 0)
		return -1;
	a->began_ns = clock_mono_ns(clock_system());
	return recover_run(a->engine, &check, f, err);
}

static void *
run(void *arg)
{
	struct audit *a = arg;
	struct recover_found f = { 0, 0 };
	struct err e = ERR_INIT;

	if (compare(a, &f, &e) < 0) {
		if (e.code != ERR_SHUTTING_DOWN)
			log_error("the check of records and stored files "
			          "failed",
			    LOG_ERR(&e), LOG_END);
	} else if (a->is_suspect || f.lost > 0 || f.missing > 0) {
		log_info("checked", LOG_UINT("lost_objects", f.lost),
		    LOG_UINT("damaged_files", f.missing), LOG_END);
	} else {
		log_debug("checked", LOG_UINT("lost_objects", 0),
		    LOG_UINT("damaged_files", 0), LOG_END);
	}
	return NULL;
}

static void
audit_free(struct audit *a)
{
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int
audit_start(struct engine *e, bool is_suspect, struct audit **ret_audit,
    struct err *err)
{
	static const struct thread_options options = { "audit", 256 * 1024 };
	struct audit *a = mem_calloc(1, sizeof(*a));

	a->engine = e;
	a->is_suspect = is_suspect;
	atomic_init(&a->is_cancelled, false);
	pthread_mutex_init(&a->lock, NULL);
	thread_cond_init(&a->wake);
	if (thread_start(&options, run, a, &a->thread, err) < 0) {
		audit_free(a);
		return -1;
	}
	*ret_audit = a;
	return 0;
}

void
audit_cancel(struct audit *a)
{
	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	atomic_store(&a->is_cancelled, true);
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	audit_free(a);
}
