/* SPDX-License-Identifier: MIT */
#include "sft/file_hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/thread.h"

#define STEP ((size_t)1024 * 1024)
/* So often is a signal looked for. */
#define LOOK_NS (100 * 1000000LL)

struct file_hash {
	struct file_hash_options options;
	pthread_t thread;
	_Atomic bool is_stopping;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t done;
	bool is_done;
	struct err err; /* why it is not known, if so */
	char hex[SHA256_HEX_SIZE];
};

static int
compute(struct file_hash *h, char ret[SHA256_HEX_SIZE], struct err *err)
{
	const struct file_hash_options *o = &h->options;
	unsigned char *buf = mem_alloc(STEP);
	unsigned char sum[SHA256_SIZE];
	struct sha256 s;
	uint64_t at = 0;
	ssize_t n;
	int rc = 0;

	sha256_init(&s);
	while (rc == 0 && at < o->size && !h->is_stopping) {
		n = file_pread_full(o->fd, buf,
		    o->size - at < STEP ? (size_t)(o->size - at) : STEP, at,
		    err);
		if (n == 0)
			err_set(err, ERR_IO,
			    "the file became shorter while it was being sent");
		rc = n <= 0 ? -1 : 0;
		if (n > 0) {
			sha256_update(&s, buf, (size_t)n);
			at += (uint64_t)n;
		}
	}
	free(buf);
	if (rc < 0)
		return -1;
	sha256_final(&s, sum);
	hex_encode(sum, sizeof(sum), ret);
	return 0;
}

static void *
run(void *arg)
{
	struct file_hash *h = arg;
	char hex[SHA256_HEX_SIZE] = "";
	struct err err = ERR_INIT;

	(void)compute(h, hex, &err);
	pthread_mutex_lock(&h->lock);
	memcpy(h->hex, hex, sizeof(hex));
	h->err = err;
	h->is_done = true;
	pthread_cond_broadcast(&h->done);
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
free_hash(struct file_hash *h)
{
	pthread_cond_destroy(&h->done);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int
file_hash_start(const struct file_hash_options *o, struct file_hash **ret_h,
    struct err *err)
{
	static const struct thread_options options = { "sft-hash", 0 };
	struct file_hash *h = mem_calloc(1, sizeof(*h));

	h->options = *o;
	pthread_mutex_init(&h->lock, NULL);
	thread_cond_init(&h->done);
	if (thread_start(&options, run, h, &h->thread, err) < 0) {
		free_hash(h);
		return -1;
	}
	*ret_h = h;
	return 0;
}

void
file_hash_close(struct file_hash *h)
{
	if (h == NULL)
		return;
	h->is_stopping = true;
	pthread_join(h->thread, NULL);
	free_hash(h);
}

int
file_hash_get(
    struct file_hash *h, bool wait, char ret[SHA256_HEX_SIZE], struct err *err)
{
	int rc = 0;

	pthread_mutex_lock(&h->lock);
	while (wait && !h->is_done && rc == 0) {
		(void)thread_cond_wait_until(&h->done, &h->lock,
		    clock_mono_ns(clock_system()) + LOOK_NS);
		rc = interrupt_check(h->options.interrupt, err);
	}
	memcpy(ret, h->hex, SHA256_HEX_SIZE);
	if (rc == 0 && h->err.code != ERR_NONE) {
		*err = h->err;
		rc = -1;
	}
	pthread_mutex_unlock(&h->lock);
	return rc;
}
