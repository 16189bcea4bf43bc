/* SPDX-License-Identifier: MIT */
#ifndef BASE_LATCH_H
#define BASE_LATCH_H

/*
 * One thread waits until another opens the latch, once: a futex, so that
 * neither pays for a system call when the latch is opened before the wait.
 * It may stand on the waiter's stack and be gone as soon as latch_wait()
 * returned; what was written before latch_open() is visible after it.
 */

#include <stdatomic.h>
#include <stdint.h>

struct latch {
	_Atomic uint32_t state;
};

void latch_init(struct latch *l);
void latch_open(struct latch *l); /* at most once; never waits */
void latch_wait(struct latch *l); /* one thread */

#endif
