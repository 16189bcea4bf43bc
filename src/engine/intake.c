/* SPDX-License-Identifier: MIT */
#include "engine/intake.h"

#include <string.h>

#include "engine/intake_priv.h"

/* How long a client that was fast may pause before its buffers go. */
#define PATIENCE_MS 20
/* A read of so much, or of all that there was room for, makes a client a fast
 * one. */
#define FAST_READ ((size_t)64 * 1024)

static const struct intake_mode *const modes[] = {
	[INTAKE_PLAIN] = &intake_plain,
	[INTAKE_SEALED] = &intake_sealed,
	[INTAKE_UNDECIDED] = &intake_undecided,
};

void
intake_init(
    struct intake *in, struct engine *e, const struct intake_target *target)
{
	memset(in, 0, offsetof(struct intake, head));
	in->engine = e;
	in->mode = modes[target->path];
	in->blob = target->blob;
	in->owner = target->owner;
	in->stored = target->piece.stored;
	in->segments = target->piece.segment;
	in->seal = target->piece.seal;
	in->end = target->piece.end;
	in->digest = target->digest;
	in->has_own_digest = target->digest == NULL && !target->is_unhashed;
	if (in->has_own_digest)
		in->digest = digest_new(e->hashers);
}

void
intake_release(struct intake *in, const void *p, size_t n)
{
	if (in->digest != NULL)
		digest_release(in->digest, p, n);
}

void
intake_give_back(struct intake *in)
{
	size_t size = buffers_size(in->engine->buffers);

	for (unsigned i = 0; i < INTAKE_BUFFERS; i++) {
		if (in->buffers[i] == NULL)
			continue;
		intake_release(in, in->buffers[i], size);
		buffers_give(in->engine->buffers, in->buffers[i]);
		in->buffers[i] = NULL;
	}
	in->turn = 0;
}

int
intake_store(struct intake *in, const void *p, size_t n, struct err *err)
{
	if (in->owner.stores(in->owner.arg, n, err) < 0 ||
	    in->blob->ops->blob_write_at(in->blob, in->stored, p, n, err) < 0)
		return -1;
	in->stored += n;
	return 0;
}

enum waited { WAIT_READY, WAIT_CUT, WAIT_FAILED };

static enum waited
wait_for_client(struct intake *in, struct source *body, struct err *err)
{
	int ready = source_wait(body, in->fast ? PATIENCE_MS : 0, err);

	if (ready == 0) {
		if (in->mode->pause(in, err) < 0)
			return WAIT_FAILED;
		ready = source_wait(body, -1, err);
	}
	return ready < 0 ? WAIT_CUT : WAIT_READY;
}

static int
take(struct intake *in, const struct room *room, size_t n, struct err *err)
{
	if (in->owner.took(in->owner.arg, n, err) < 0)
		return -1;
	if (in->offset < INTAKE_HEAD) {
		size_t left = (size_t)(INTAKE_HEAD - in->offset);

		memcpy(in->head + in->offset, room->p, n < left ? n : left);
	}
	if (in->digest != NULL)
		digest_add(in->digest, room->p, n);
	if (in->mode->took(in, n, err) < 0)
		return -1;
	in->offset += n;
	return 0;
}

/* How a body's taking went. */
enum outcome {
	ENDED,
	CUT,    /* the body failed: nothing more comes */
	FAILED, /* we did */
};

static enum outcome
pull(struct intake *in, struct source *body, struct err *err)
{
	struct room room;
	ssize_t n;

	for (;;) {
		switch (wait_for_client(in, body, err)) {
		case WAIT_READY:
			break;
		case WAIT_CUT:
			return CUT;
		default:
			return FAILED;
		}
		if (in->mode->room(in, &room, err) < 0)
			return FAILED;
		n = source_read(body, room.p, room.n, err);
		if (n <= 0)
			return n == 0 ? ENDED : CUT;
		in->fast = (size_t)n == room.n || (size_t)n >= FAST_READ;
		if (take(in, &room, (size_t)n, err) < 0)
			return FAILED;
	}
}

int
intake_run(struct intake *in, struct source *body, struct err *err)
{
	enum outcome how = pull(in, body, err);
	struct err e = ERR_INIT;
	int rc = how == ENDED ? 0 : -1;

	if (how == ENDED || (how == CUT && in->end == INTAKE_TAIL_WAITS)) {
		if (in->mode->end(in, &e) < 0) {
			*err = e;
			rc = -1;
		} else {
			in->is_kept = true;
		}
	}
	intake_give_back(in);
	return rc;
}

bool
intake_kept(const struct intake *in)
{
	return in->is_kept;
}

struct slice
intake_rest(const struct intake *in)
{
	return (struct slice){ (const char *)in->window, in->waiting };
}

uint64_t
intake_taken(const struct intake *in)
{
	return in->offset;
}

enum rec_layout
intake_layout(const struct intake *in)
{
	return in->mode == &intake_sealed ? REC_SEALED : REC_PLAIN;
}

uint64_t
intake_stored(const struct intake *in)
{
	return in->stored;
}

void
intake_result(struct intake *in, struct digest_result *ret)
{
	digest_final(in->digest, ret);
}

void
intake_fini(struct intake *in)
{
	intake_give_back(in);
	intake_free_own(in);
	if (in->has_own_digest)
		digest_free(in->digest);
	in->digest = NULL;
	seal_free(in->own_seal);
	in->seal = in->own_seal = NULL;
}

/* --- plain ---------------------------------------------------------------- */

/* The next buffer to read into; nothing in flight uses it. */
static int
plain_room(struct intake *in, struct room *ret, struct err *err)
{
	struct buffers *b = in->engine->buffers;
	unsigned char **slot = &in->buffers[in->turn];

	(void)err;
	if (*slot == NULL && in->turn > 0) {
		/* One that holds a buffer must not wait for a second. */
		*slot = buffers_try(b);
		if (*slot == NULL) {
			in->turn = 0;
			slot = &in->buffers[0];
		}
	}
	if (*slot == NULL)
		*slot = buffers_take(b);
	else
		intake_release(in, *slot, buffers_size(b));
	in->turn = (in->turn + 1) % INTAKE_BUFFERS;
	in->window = *slot;
	*ret = (struct room){ *slot, buffers_size(b) };
	return 0;
}

static int
plain_took(struct intake *in, size_t n, struct err *err)
{
	return intake_store(in, in->window, n, err);
}

static int
plain_pause(struct intake *in, struct err *err)
{
	(void)err;
	intake_give_back(in);
	return 0;
}

const struct intake_mode intake_plain = {
	.room = plain_room,
	.took = plain_took,
	.pause = plain_pause,
	.end = plain_pause,
};
