/* SPDX-License-Identifier: MIT */
#include "sftd/rewriter.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/rewrite.h"

/* No transfer for so long is idleness; how often one looks while there are
 * some. */
#define IDLE_NS (1000 * 1000000LL)
#define LOOK_NS (100 * 1000000LL)

struct rewriter {
	struct engine *engine;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* has_work, is_stopping */
	bool has_work;       /* under the lock */
	bool is_stopping;    /* under the lock */
	bool is_started;     /* of the thread that starts and stops */
	int64_t busy_ns;     /* the thread's: when a transfer was last seen */
};

/* Any thread. */
static void
unsettled(void *arg)
{
	struct rewriter *r = arg;

	pthread_mutex_lock(&r->lock);
	r->has_work = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

static bool
is_idle(struct rewriter *r)
{
	int64_t now_ns = clock_mono_ns(clock_system());

	if (transfers_live(r->engine->transfers) > 0) {
		r->busy_ns = now_ns;
		return false;
	}
	return now_ns - r->busy_ns >= IDLE_NS;
}

static bool
wait_until_idle(void *arg)
{
	struct rewriter *r = arg;
	bool is_stopping;

	for (;;) {
		bool idle = is_idle(r);

		pthread_mutex_lock(&r->lock);
		if (!idle && !r->is_stopping)
			(void)thread_cond_wait_until(&r->wake, &r->lock,
			    clock_mono_ns(clock_system()) + LOOK_NS);
		is_stopping = r->is_stopping;
		pthread_mutex_unlock(&r->lock);
		if (idle || is_stopping)
			return !is_stopping;
	}
}

static void
failed(void *arg, const char *filename, const struct err *why)
{
	(void)arg;
	log_warning("a file that need not be encrypted stays so",
	    LOG_STR("file", filename), LOG_ERR(why), LOG_END);
}

static bool
wait_for_work(struct rewriter *r)
{
	bool is_stopping;

	pthread_mutex_lock(&r->lock);
	while (!r->has_work && !r->is_stopping)
		pthread_cond_wait(&r->wake, &r->lock);
	r->has_work = false;
	is_stopping = r->is_stopping;
	pthread_mutex_unlock(&r->lock);
	return !is_stopping;
}

static void *
run(void *arg)
{
	struct rewriter *r = arg;
	const struct rewrite_control control = { wait_until_idle, failed, r };

	r->busy_ns = clock_mono_ns(clock_system());
	while (wait_for_work(r) && wait_until_idle(r)) {
		struct err e = ERR_INIT;
		uint64_t files;

		if (rewrite_run(r->engine, &control, &files, &e) < 0 &&
		    e.code != ERR_SHUTTING_DOWN)
			log_error("files that need not be encrypted could not "
			          "be rewritten",
			    LOG_ERR(&e), LOG_END);
	}
	return NULL;
}

int
rewriter_start(
    struct engine *e, struct rewriter **ret_rewriter, struct err *err)
{
	static const struct thread_options options = { "rewriter", 256 * 1024 };
	struct rewriter *r = mem_calloc(1, sizeof(*r));

	r->engine = e;
	r->has_work = true;
	pthread_mutex_init(&r->lock, NULL);
	thread_cond_init(&r->wake);
	if (thread_start(&options, run, r, &r->thread, err) < 0) {
		rewriter_stop(r);
		return -1;
	}
	r->is_started = true;
	e->unsettled_arg = r;
	e->unsettled = unsettled;
	*ret_rewriter = r;
	return 0;
}

void
rewriter_stop(struct rewriter *r)
{
	if (r == NULL)
		return;
	r->engine->unsettled = NULL;
	pthread_mutex_lock(&r->lock);
	r->is_stopping = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	if (r->is_started)
		pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
