/* SPDX-License-Identifier: MIT */
#include "engine/intake.h"

#include <inttypes.h>
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
	in->transfer = target->transfer;
	in->hold = target->hold;
	in->size_max = e->settings->max_file_size;
	in->digest = digest_new(e->hashers);
}

void
intake_give_back(struct intake *in)
{
	size_t size = buffers_size(in->engine->buffers);

	for (unsigned i = 0; i < INTAKE_BUFFERS; i++) {
		if (in->buffers[i] == NULL)
			continue;
		digest_release(in->digest, in->buffers[i], size);
		buffers_give(in->engine->buffers, in->buffers[i]);
		in->buffers[i] = NULL;
	}
	in->turn = 0;
}

int
intake_store(struct intake *in, const void *p, size_t n, struct err *err)
{
	if (space_hold_take(in->hold, n, err) < 0 ||
	    in->blob->ops->blob_write_at(in->blob, in->stored, p, n, err) < 0)
		return -1;
	in->stored += n;
	return 0;
}

static int
wait_for_client(struct intake *in, struct source *body, struct err *err)
{
	int ready = source_wait(body, in->fast ? PATIENCE_MS : 0, err);

	if (ready == 0) {
		if (in->mode->pause(in, err) < 0)
			return -1;
		ready = source_wait(body, -1, err);
	}
	return ready < 0 ? -1 : 0;
}

static int
take(struct intake *in, const struct room *room, size_t n, struct err *err)
{
	if (in->offset + n > in->size_max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    in->size_max);
	if (in->offset < INTAKE_HEAD) {
		size_t left = (size_t)(INTAKE_HEAD - in->offset);

		memcpy(in->head + in->offset, room->p, n < left ? n : left);
	}
	digest_add(in->digest, room->p, n);
	if (in->mode->took(in, n, err) < 0)
		return -1;
	in->offset += n;
	transfer_moved(in->transfer, in->offset);
	return 0;
}

int
intake_run(struct intake *in, struct source *body, struct err *err)
{
	struct room room;
	ssize_t n;
	int rc = -1;

	for (;;) {
		if (wait_for_client(in, body, err) < 0 ||
		    in->mode->room(in, &room, err) < 0)
			goto out;
		n = source_read(body, room.p, room.n, err);
		if (n <= 0)
			break;
		in->fast = (size_t)n == room.n || (size_t)n >= FAST_READ;
		if (take(in, &room, (size_t)n, err) < 0)
			goto out;
	}
	rc = n < 0 ? -1 : in->mode->end(in, err);
out:
	intake_give_back(in);
	return rc;
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
	digest_free(in->digest);
	in->digest = NULL;
	seal_free(in->seal);
	in->seal = NULL;
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
		digest_release(in->digest, *slot, buffers_size(b));
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
