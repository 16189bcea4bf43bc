/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/mem.h"
#include "engine/intake_priv.h"

#define GROW_FIRST ((size_t)64 * 1024)
/* One byte more than may wait shows that there are more. */
#define CAPACITY (INTAKE_HELD_MAX + GROW_FIRST)

/* From now on it is sealed, beginning with what waits. */
static int
begin_sealing(struct intake *in, struct err *err)
{
	in->mode = &intake_sealed;
	if (intake_seal_own(in, err) < 0)
		return -1;
	return intake_resize_own(in, in->waiting + INTAKE_SLOW_READ, err);
}

/* Doubles the memory; false when the budget has no more. */
static bool
grow(struct intake *in)
{
	size_t size = in->own_size == 0 ? GROW_FIRST : 2 * in->own_size;
	void *p;

	if (size > CAPACITY)
		size = CAPACITY;
	if (!holding_try(in->engine->holding, size - in->held))
		return false;
	/* It may move. */
	if (in->own != NULL)
		intake_release(in, in->own, in->own_size);
	p = mem_try_realloc(in->own, size);
	if (p == NULL) {
		holding_give(in->engine->holding, size - in->held);
		return false;
	}
	in->own = in->window = p;
	in->own_size = in->held = size;
	return true;
}

static int
undecided_room(struct intake *in, struct room *ret, struct err *err)
{
	if (in->waiting == in->own_size && !grow(in)) {
		if (begin_sealing(in, err) < 0)
			return -1;
		return in->mode->room(in, ret, err);
	}
	*ret =
	    (struct room){ in->own + in->waiting, in->own_size - in->waiting };
	return 0;
}

static int
undecided_took(struct intake *in, size_t n, struct err *err)
{
	in->waiting += n;
	if (in->waiting > INTAKE_HELD_MAX)
		return begin_sealing(in, err);
	return 0;
}

/* It has borrowed nothing. */
static int
undecided_pause(struct intake *in, struct err *err)
{
	(void)in;
	(void)err;
	return 0;
}

const struct intake_mode intake_undecided = {
	.room = undecided_room,
	.took = undecided_took,
	.pause = undecided_pause,
	.end = undecided_pause,
};

void
intake_lay_by(struct intake *in)
{
	void *p;

	in->blob = NULL;
	if (in->own == NULL || in->waiting == in->own_size)
		return;
	if (in->waiting == 0) {
		intake_free_own(in);
		return;
	}
	intake_release(in, in->own, in->own_size);
	p = mem_try_realloc(in->own, in->waiting);
	if (p == NULL)
		return;
	if (in->window == in->own)
		in->window = p;
	in->own = p;
	in->own_size = in->waiting;
	if (in->held > in->waiting) {
		holding_give(in->engine->holding, in->held - in->waiting);
		in->held = in->waiting;
	}
}

void
intake_take_up(struct intake *in, struct blob *blob)
{
	in->blob = blob;
}

int
intake_settle(struct intake *in, bool encryption, struct err *err)
{
	if (in->mode != &intake_undecided)
		return 0;
	if (encryption) {
		in->mode = &intake_sealed;
		return intake_seal_rest(in, err);
	}
	in->mode = &intake_plain;
	if (intake_store(in, in->own, in->waiting, err) < 0)
		return -1;
	intake_free_own(in);
	return 0;
}
