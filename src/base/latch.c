/* SPDX-License-Identifier: MIT */
#include "base/latch.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CLOSED, AWAITED, OPEN };

void
latch_init(struct latch *l)
{
	atomic_init(&l->state, CLOSED);
}

void
latch_open(struct latch *l)
{
	/* From the exchange on the latch may be gone: the kernel gets only its
	 * address, and a wake-up too many of whatever stands there by then
	 * is one that every user of futexes must expect. */
	if (atomic_exchange(&l->state, OPEN) == AWAITED)
		(void)syscall(
		    SYS_futex, &l->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void
latch_wait(struct latch *l)
{
	uint32_t seen = CLOSED;

	if (!atomic_compare_exchange_strong(&l->state, &seen, AWAITED))
		return; /* open already */
	do {
		/* Any error means: look again. */
		(void)syscall(SYS_futex, &l->state, FUTEX_WAIT_PRIVATE, AWAITED,
		    NULL, NULL, 0);
	} while (atomic_load(&l->state) != OPEN);
}
