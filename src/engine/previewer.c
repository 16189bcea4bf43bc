/* SPDX-License-Identifier: MIT */
#include "engine/previewer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/decoder.h"
#include "proto/preview.h"

#define MS_NS 1000000LL
#define SLICE_NS (100 * MS_NS)

struct slot {
	struct decoder *decoder; /* the taker's; NULL: none runs */
	bool is_taken;           /* under the lock */
	int64_t rests_ns;        /* since when */
};

struct previewer {
	char *program;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	unsigned waiting;                     /* under the lock */
	char version[PREVIEWER_VERSION_SIZE]; /* under the lock */
	struct slot prompt[PREVIEWER_PROMPT];
	struct slot idle;
};

struct previewer *
previewer_new(const char *program)
{
	struct previewer *p = mem_calloc(1, sizeof(*p));

	p->program = mem_strdup(program);
	pthread_mutex_init(&p->lock, NULL);
	thread_cond_init(&p->freed);
	return p;
}

void
previewer_free(struct previewer *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < PREVIEWER_PROMPT; i++)
		decoder_free(p->prompt[i].decoder);
	decoder_free(p->idle.decoder);
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	free(p->program);
	free(p);
}

bool
previewer_is_there(const struct previewer *p)
{
	return access(p->program, X_OK) == 0;
}

void
previewer_version(struct previewer *p, char ret[PREVIEWER_VERSION_SIZE])
{
	pthread_mutex_lock(&p->lock);
	memcpy(ret, p->version, PREVIEWER_VERSION_SIZE);
	pthread_mutex_unlock(&p->lock);
}

/* --- whose turn -------------------------------------------------------------
 */

/* Under the lock: a free one, best one that runs already; NULL. */
static struct slot *
find_free(struct previewer *p, bool is_idle)
{
	struct slot *found = NULL;

	if (is_idle)
		return p->idle.is_taken ? NULL : &p->idle;
	for (size_t i = 0; i < PREVIEWER_PROMPT; i++) {
		struct slot *s = &p->prompt[i];

		if (!s->is_taken && (found == NULL || s->decoder != NULL))
			found = s;
	}
	return found;
}

/* Under the lock, which it gives up meanwhile. */
static int
wait_free(struct previewer *p, const struct previewer_job *job,
    struct slot **ret_slot, struct err *err)
{
	int64_t now_ns = clock_mono_ns(clock_system());
	int64_t until_ns = now_ns + PREVIEWER_WAIT_MS * MS_NS;
	int rc = 0;

	if (p->waiting == PREVIEWER_WAITING_MAX)
		return err_set(err, ERR_SERVER_BUSY,
		    "too many previews are wanted at once");
	p->waiting++;
	while ((*ret_slot = find_free(p, job->is_idle)) == NULL && rc == 0) {
		(void)thread_cond_wait_until(
		    &p->freed, &p->lock, now_ns + SLICE_NS);
		now_ns = clock_mono_ns(clock_system());
		if (job->check != NULL)
			rc = job->check(job->arg, err);
		if (rc == 0 && now_ns >= until_ns)
			rc = err_set(err, ERR_SERVER_BUSY,
			    "too many previews are wanted at once");
	}
	p->waiting--;
	return *ret_slot != NULL ? 0 : rc;
}

static int
take(struct previewer *p, const struct previewer_job *job,
    struct slot **ret_slot, struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	*ret_slot = find_free(p, job->is_idle);
	if (*ret_slot == NULL)
		rc = wait_free(p, job, ret_slot, err);
	if (rc == 0)
		(*ret_slot)->is_taken = true;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

static void
give(struct previewer *p, struct slot *s)
{
	if (s->decoder != NULL && !decoder_is_fit(s->decoder)) {
		decoder_free(s->decoder);
		s->decoder = NULL;
	}
	pthread_mutex_lock(&p->lock);
	s->is_taken = false;
	s->rests_ns = clock_mono_ns(clock_system());
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

unsigned
previewer_waiting(struct previewer *p)
{
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = p->waiting;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* --- work -------------------------------------------------------------------
 */

static struct decoder_wait
wait_of(const struct previewer_job *job)
{
	int64_t ms = job->is_idle ? PREVIEW_IDLE_TIME_MS : PREVIEW_TIME_MS;

	return (struct decoder_wait){
		.deadline_ns = clock_mono_ns(clock_system()) + ms * MS_NS,
		.check = job->check,
		.arg = job->arg,
	};
}

/* The slot is the caller's. */
static int
start(struct previewer *p, struct slot *s, const struct previewer_job *job,
    struct err *err)
{
	const struct decoder_wait wait = wait_of(job);

	if (s->decoder != NULL && decoder_is_fit(s->decoder))
		return 0;
	decoder_free(s->decoder);
	s->decoder = NULL;
	if (decoder_start(p->program, job->is_idle, &wait, &s->decoder, err) <
	    0)
		return -1;
	pthread_mutex_lock(&p->lock);
	(void)snprintf(
	    p->version, sizeof(p->version), "%s", decoder_version(s->decoder));
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int
previewer_make(struct previewer *p, const struct previewer_job *job,
    struct buf *ret_jpeg, struct err *err)
{
	struct decoder_wait wait;
	struct slot *s;
	int rc;

	if (take(p, job, &s, err) < 0)
		return -1;
	rc = start(p, s, job, err);
	if (rc == 0) {
		wait = wait_of(job);
		rc = decoder_run(s->decoder, job->src, &wait, ret_jpeg, err);
	}
	give(p, s);
	return rc;
}

/* Under the lock: what it had, when that has rested long enough. */
static struct decoder *
retire(struct slot *s, int64_t now_ns)
{
	struct decoder *d;

	/* Else it is the taker's. */
	if (s->is_taken)
		return NULL;
	d = s->decoder;
	if (d == NULL || now_ns - s->rests_ns < PREVIEWER_REST_MS * MS_NS)
		return NULL;
	s->decoder = NULL;
	return d;
}

void
previewer_tidy(struct previewer *p)
{
	int64_t now_ns = clock_mono_ns(clock_system());
	struct decoder *old[PREVIEWER_PROMPT + 1];

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < PREVIEWER_PROMPT; i++)
		old[i] = retire(&p->prompt[i], now_ns);
	old[PREVIEWER_PROMPT] = retire(&p->idle, now_ns);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i <= PREVIEWER_PROMPT; i++)
		decoder_free(old[i]);
}
