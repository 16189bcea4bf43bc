/* SPDX-License-Identifier: MIT */
#include "sftd/foresight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/preview.h"
#include "sftd/background.h"

#define TIDY_NS (10 * 1000000000LL)

struct foresight {
	struct engine *engine;
	pthread_t thread;
	bool is_started; /* of the thread that starts and stops */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock: a ring of blobs. */
	char ids[FORESIGHT_QUEUE_MAX][ID_SIZE];
	size_t first;
	size_t count;
	bool is_stopping;
};

/* Any thread. */
static void
stored(void *arg, const char *blob_id)
{
	struct foresight *f = arg;
	size_t at;

	pthread_mutex_lock(&f->lock);
	if (f->count < FORESIGHT_QUEUE_MAX) {
		at = (f->first + f->count++) % FORESIGHT_QUEUE_MAX;
		memcpy(f->ids[at], blob_id, ID_SIZE);
		pthread_cond_signal(&f->wake);
	}
	pthread_mutex_unlock(&f->lock);
}

/* For struct preview_wait. */
static int
check(void *arg, struct err *err)
{
	struct foresight *f = arg;
	bool is_stopping;

	pthread_mutex_lock(&f->lock);
	is_stopping = f->is_stopping;
	pthread_mutex_unlock(&f->lock);
	return is_stopping ? err_set(err, ERR_SHUTTING_DOWN, "stopped") : 0;
}

/* False when it is time to stop; "" when it is time to tidy up. */
static bool
next(struct foresight *f, char ret_id[ID_SIZE])
{
	int64_t until_ns = clock_mono_ns(clock_system()) + TIDY_NS;
	bool goes_on;

	ret_id[0] = '\0';
	pthread_mutex_lock(&f->lock);
	while (f->count == 0 && !f->is_stopping)
		if (!thread_cond_wait_until(&f->wake, &f->lock, until_ns))
			break;
	if (f->count > 0) {
		memcpy(ret_id, f->ids[f->first], ID_SIZE);
		f->first = (f->first + 1) % FORESIGHT_QUEUE_MAX;
		f->count--;
	}
	goes_on = !f->is_stopping;
	pthread_mutex_unlock(&f->lock);
	return goes_on;
}

/* Its file may be anything: what comes of that is no news. */
static void
prepare(struct foresight *f, const struct preview_wait *wait, const char *id)
{
	struct err e = ERR_INIT;

	if (preview_prepare(f->engine, id, wait, &e) < 0 &&
	    e.code != ERR_SHUTTING_DOWN)
		log_debug("no preview was made ahead of the need",
		    LOG_STR("object", id), LOG_ERR(&e), LOG_END);
}

static void *
run(void *arg)
{
	struct foresight *f = arg;
	const struct preview_wait wait = { check, f };
	char id[ID_SIZE];

	background_spare_disk();
	if (!preview_can_make(f->engine))
		log_info("no previews are made: sft-preview is not installed "
		         "beside sftd",
		    LOG_END);
	while (next(f, id)) {
		if (id[0] != '\0')
			prepare(f, &wait, id);
		preview_tidy(f->engine);
	}
	return NULL;
}

int
foresight_start(struct engine *e, struct foresight **ret_f, struct err *err)
{
	static const struct thread_options options = { "previews", 256 * 1024 };
	struct foresight *f = mem_calloc(1, sizeof(*f));

	f->engine = e;
	pthread_mutex_init(&f->lock, NULL);
	thread_cond_init(&f->wake);
	if (thread_start(&options, run, f, &f->thread, err) < 0) {
		foresight_stop(f);
		return -1;
	}
	f->is_started = true;
	e->stored_arg = f;
	e->stored = stored;
	*ret_f = f;
	return 0;
}

void
foresight_stop(struct foresight *f)
{
	if (f == NULL)
		return;
	f->engine->stored = NULL;
	pthread_mutex_lock(&f->lock);
	f->is_stopping = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	if (f->is_started)
		pthread_join(f->thread, NULL);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
