/* SPDX-License-Identifier: MIT */
#include "storage/space.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#define LOOK_NS (100 * 1000 * 1000)
#define LOOK_BYTES ((uint64_t)64 * 1024 * 1024)
/* An upload of unknown size reserves so much at a time. */
#define STEP ((uint64_t)16 * 1024 * 1024)

struct space {
	struct storage *st;
	const struct clock *clock;
	uint64_t min_free;
	pthread_mutex_t lock; /* over all below */
	bool has_looked;
	int64_t looked_ns;
	uint64_t free_bytes; /* then; UINT64_MAX: no bound */
	uint64_t written;    /* since then */
	uint64_t reserved;   /* in all holds */
};

struct space *
space_new(struct storage *st, uint64_t min_free, const struct clock *clock)
{
	struct space *sp = mem_calloc(1, sizeof(*sp));

	sp->st = st;
	sp->min_free = min_free;
	sp->clock = clock;
	pthread_mutex_init(&sp->lock, NULL);
	return sp;
}

void
space_free(struct space *sp)
{
	if (sp == NULL)
		return;
	pthread_mutex_destroy(&sp->lock);
	free(sp);
}

/* Under the lock, as the next three. */
static int
look(struct space *sp, struct err *err)
{
	if (sp->st->ops->free_space(sp->st, &sp->free_bytes, err) < 0)
		return -1;
	sp->has_looked = true;
	sp->looked_ns = clock_mono_ns(sp->clock);
	sp->written = 0;
	return 0;
}

static bool
is_stale(const struct space *sp)
{
	return !sp->has_looked || sp->written >= LOOK_BYTES ||
	       clock_mono_ns(sp->clock) - sp->looked_ns >= LOOK_NS;
}

static bool
fits(const struct space *sp, uint64_t bytes)
{
	uint64_t left = sp->free_bytes;
	const uint64_t taken[] = { sp->written, sp->reserved, sp->min_free };
	size_t i;

	if (left == UINT64_MAX)
		return true;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (taken[i] > left)
			return false;
		left -= taken[i];
	}
	return bytes <= left;
}

static int
reserve(struct space *sp, uint64_t bytes, struct err *err)
{
	int rc = -1;

	pthread_mutex_lock(&sp->lock);
	if (is_stale(sp) && look(sp, err) < 0)
		goto out;
	/* Somebody may just have deleted something to make room. */
	if (!fits(sp, bytes) && look(sp, err) < 0)
		goto out;
	if (!fits(sp, bytes)) {
		(void)err_set(err, ERR_STORAGE_FULL,
		    "the disk is too full: there is no room for %" PRIu64
		    " bytes",
		    bytes);
		goto out;
	}
	sp->reserved += bytes;
	rc = 0;
out:
	pthread_mutex_unlock(&sp->lock);
	return rc;
}

/* Out of the hold: ${written} of it onto the disk. */
static void
settle(struct space_hold *h, uint64_t bytes, uint64_t written)
{
	struct space *sp = h->space;

	pthread_mutex_lock(&sp->lock);
	sp->reserved -= bytes;
	sp->written += written;
	pthread_mutex_unlock(&sp->lock);
	h->held -= bytes;
}

int
space_hold_init(
    struct space_hold *h, struct space *sp, uint64_t size, struct err *err)
{
	*h = (struct space_hold){ .space = sp };
	h->is_known = size != STORAGE_SIZE_UNKNOWN;
	h->goes_at_once = h->is_known && sp->st->ops->caps(sp->st)->reserves;
	if (!h->is_known || sp->min_free == 0)
		return 0;
	if (reserve(sp, size, err) < 0)
		return -1;
	h->held = size;
	return 0;
}

/* Has ${h} hold at least ${n}: a step more, or just that near the end. */
static int
grow(struct space_hold *h, uint64_t n, struct err *err)
{
	uint64_t missing = n - h->held;
	uint64_t more = missing > STEP ? missing : STEP;

	if (reserve(h->space, more, NULL) < 0) {
		more = missing;
		if (reserve(h->space, more, err) < 0)
			return -1;
	}
	h->held += more;
	return 0;
}

int
space_hold_take(struct space_hold *h, uint64_t n, struct err *err)
{
	if (h->space->min_free == 0)
		return 0;
	if (h->goes_at_once) {
		if (h->held > 0)
			settle(h, h->held, h->held);
		return 0;
	}
	if (n > h->held && grow(h, n, err) < 0)
		return -1;
	settle(h, n, n);
	return 0;
}

void
space_hold_fini(struct space_hold *h)
{
	if (h->space != NULL && h->held > 0)
		settle(h, h->held, 0);
	h->space = NULL;
}
