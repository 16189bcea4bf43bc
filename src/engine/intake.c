/* SPDX-License-Identifier: MIT */
#include "engine/intake.h"

#include <inttypes.h>
#include <string.h>

/* How long a client that was fast may pause before its buffers go. */
#define PATIENCE_MS 20
/* A read of so much makes a client a fast one. */
#define FAST_READ (64u * 1024)

void
intake_init(
    struct intake *in, struct engine *e, const struct intake_target *target)
{
	memset(in, 0, offsetof(struct intake, head));
	in->engine = e;
	in->blob = target->blob;
	in->transfer = target->transfer;
	in->hold = target->hold;
	in->size_max = e->settings->max_file_size;
	in->digest = digest_new(e->hashers);
}

static void
give_back(struct intake *in)
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

/* The next buffer to read into; nothing in flight uses it. */
static void *
next_buffer(struct intake *in)
{
	struct buffers *b = in->engine->buffers;
	void **slot = &in->buffers[in->turn];

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
	return *slot;
}

static int
wait_for_client(struct intake *in, struct source *body, struct err *err)
{
	int ready = source_wait(body, in->fast ? PATIENCE_MS : 0, err);

	if (ready == 0) {
		give_back(in);
		ready = source_wait(body, -1, err);
	}
	return ready < 0 ? -1 : 0;
}

static int
admit(struct intake *in, size_t n, struct err *err)
{
	if (in->offset + n > in->size_max)
		return err_set(err, ERR_FILE_TOO_LARGE,
		    "the file is larger than %" PRIu64
		    " bytes, the most that this server takes",
		    in->size_max);
	return space_hold_take(in->hold, n, err);
}

static int
take(struct intake *in, const void *p, size_t n, struct err *err)
{
	if (admit(in, n, err) < 0)
		return -1;
	if (in->offset < INTAKE_HEAD) {
		size_t room = (size_t)(INTAKE_HEAD - in->offset);

		memcpy(in->head + in->offset, p, n < room ? n : room);
	}
	digest_add(in->digest, p, n);
	if (in->blob->ops->blob_write_at(in->blob, in->offset, p, n, err) < 0)
		return -1;
	in->offset += n;
	transfer_moved(in->transfer, in->offset);
	return 0;
}

int
intake_run(struct intake *in, struct source *body, struct err *err)
{
	size_t size = buffers_size(in->engine->buffers);
	ssize_t n;
	int rc = -1;

	for (;;) {
		void *p;

		if (wait_for_client(in, body, err) < 0)
			goto out;
		p = next_buffer(in);
		n = source_read(body, p, size, err);
		if (n <= 0)
			break;
		in->fast = (size_t)n >= FAST_READ;
		if (take(in, p, (size_t)n, err) < 0)
			goto out;
	}
	rc = n < 0 ? -1 : 0;
out:
	give_back(in);
	return rc;
}

void
intake_result(struct intake *in, struct digest_result *ret)
{
	digest_final(in->digest, ret);
}

void
intake_fini(struct intake *in)
{
	give_back(in);
	digest_free(in->digest);
	in->digest = NULL;
}
