/* SPDX-License-Identifier: MIT */
#ifndef SFT_GATE_H
#define SFT_GATE_H

/*
 * How many pieces are under way at once, and which of those that wait goes
 * next: the first one of the file.  Not guarded: whoever shares one does that.
 */

#include <stdbool.h>
#include <stdint.h>

#include "sft/crew.h"

struct gate {
	unsigned active;
	unsigned allowed;
	unsigned most; /* it is never allowed more again */
	uint64_t waiting[CREW_MAX];
	unsigned count;
};

/* ${allowed} of ${most} at once, each at least 1. */
void gate_init(struct gate *g, unsigned allowed, unsigned most);

/* ${piece} waits; it may go; it goes, or gives up; it is through. */
void gate_wait(struct gate *g, uint64_t piece);
bool gate_is_open(const struct gate *g, uint64_t piece);
void gate_enter(struct gate *g, uint64_t piece);
void gate_give_up(struct gate *g, uint64_t piece);
void gate_leave(struct gate *g);

/* Half as many from now on: a connection broke. */
void gate_halve(struct gate *g);
/* So many, if that may be. */
void gate_allow(struct gate *g, unsigned n);

#endif
