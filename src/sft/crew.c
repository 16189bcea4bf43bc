/* SPDX-License-Identifier: MIT */
#include "sft/crew.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/thread.h"

#define TICK_NS (100 * 1000000LL)

struct crew {
	struct cli *cli;
	const struct crew_work *work;
	pthread_mutex_t lock; /* over all below, and work->next() */
	pthread_cond_t ended; /* one of them */
	unsigned running;
	struct err err; /* the first failure */
};

struct member {
	struct crew *crew;
	struct http *http;
	pthread_t thread;
	bool is_started;
};

static bool
next(struct crew *c, uint64_t *ret_piece)
{
	bool is_there;

	pthread_mutex_lock(&c->lock);
	is_there =
	    c->err.code == ERR_NONE && c->work->next(c->work->arg, ret_piece);
	pthread_mutex_unlock(&c->lock);
	return is_there;
}

static void
fail(struct crew *c, const struct err *err)
{
	pthread_mutex_lock(&c->lock);
	if (c->err.code == ERR_NONE)
		c->err = *err;
	pthread_mutex_unlock(&c->lock);
}

static void *
run(void *arg)
{
	struct member *m = arg;
	struct crew *c = m->crew;
	struct err err = ERR_INIT;
	uint64_t piece;

	while (next(c, &piece)) {
		if (c->work->run(c->work->arg, m->http, piece, &err) == 0)
			continue;
		fail(c, &err);
		break;
	}
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_cond_signal(&c->ended);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static int
start(struct crew *c, struct member *m, struct err *err)
{
	static const struct thread_options options = { "sft-crew", 0 };

	m->crew = c;
	if (http_clone(c->cli->http, &m->http, err) < 0)
		return -1;
	pthread_mutex_lock(&c->lock);
	c->running++;
	pthread_mutex_unlock(&c->lock);
	if (thread_start(&options, run, m, &m->thread, err) == 0) {
		m->is_started = true;
		return 0;
	}
	pthread_mutex_lock(&c->lock);
	c->running--;
	pthread_mutex_unlock(&c->lock);
	return -1;
}

/* Until all have ended. */
static void
watch(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->running > 0) {
		(void)thread_cond_wait_until(&c->ended, &c->lock,
		    clock_mono_ns(clock_system()) + TICK_NS);
		progress_tick(c->cli->progress);
		if (c->work->look == NULL || c->running == 0)
			continue;
		pthread_mutex_unlock(&c->lock);
		c->work->look(c->work->arg);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
}

int
crew_run(struct cli *cli, unsigned threads, const struct crew_work *work,
    struct err *err)
{
	struct crew c = { .cli = cli, .work = work };
	struct member members[CREW_MAX] = { { 0 } };
	struct err why = ERR_INIT;

	pthread_mutex_init(&c.lock, NULL);
	thread_cond_init(&c.ended);
	for (unsigned i = 0; i < threads; i++) {
		if (start(&c, &members[i], &why) < 0) {
			fail(&c, &why);
			break;
		}
	}
	watch(&c);
	for (unsigned i = 0; i < threads; i++) {
		if (members[i].is_started)
			pthread_join(members[i].thread, NULL);
		http_close(members[i].http);
	}
	pthread_cond_destroy(&c.ended);
	pthread_mutex_destroy(&c.lock);
	if (c.err.code == ERR_NONE)
		return 0;
	*err = c.err;
	return -1;
}
