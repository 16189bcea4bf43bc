/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/intake_priv.h"

/*
 * buffers[0] and [1] are windows in turn: while the hash of one is under way,
 * what it left waiting goes on in the other.  [2] takes what is sealed.
 */
#define OUT 2

/* --- sealing and writing -------------------------------------------------- */

/* Where sealed bytes go before they are written, and how much fits. */
struct sealed_out {
	unsigned char *p;
	size_t n;
	unsigned char *scratch; /* to be freed */
};

static int
open_out(struct intake *in, struct sealed_out *ret, struct err *err)
{
	struct buffers *b = in->engine->buffers;
	bool holds_one = in->buffers[0] != NULL || in->buffers[1] != NULL;

	*ret = (struct sealed_out){ NULL, buffers_size(b), NULL };
	if (in->buffers[OUT] == NULL)
		in->buffers[OUT] = holds_one ? buffers_try(b) : buffers_take(b);
	if (in->buffers[OUT] != NULL) {
		ret->p = in->buffers[OUT];
		return 0;
	}
	/* One that holds a buffer must not wait for a second. */
	ret->n = SEAL_HEADER_SIZE + SEAL_STEP;
	ret->p = ret->scratch = mem_try_alloc(ret->n);
	if (ret->p == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	return 0;
}

/* The most of ${run} that fits into ${n} bytes, sealed. */
static struct seal_run
first_of(const struct seal_run *run, size_t n)
{
	struct seal_run one = *run;
	size_t most = n / SEAL_STEP * SEAL_SEGMENT;

	if (seal_run_size(one.n) > n) {
		one.n = most;
		one.is_last = false;
	}
	return one;
}

/* Seals and writes the first ${n} bytes at ${p}: whole segments, or the rest
 * of the file. */
static int
seal_and_store(struct intake *in, const unsigned char *p, size_t n,
    bool is_last, struct err *err)
{
	struct seal_run left = { in->segments, is_last, p, n };
	struct sealed_out out;
	int rc = -1;

	if (open_out(in, &out, err) < 0)
		return -1;
	do {
		size_t filled = 0;
		struct seal_run one;

		if (in->seal == NULL) {
			in->own_seal = seal_new(in->engine->keys);
			in->seal = in->own_seal;
			seal_header(in->seal, out.p);
			filled = SEAL_HEADER_SIZE;
		}
		one = first_of(&left, out.n - filled);
		filled += seal_run(in->seal, &one, out.p + filled);
		if (intake_store(in, out.p, filled, err) < 0)
			goto out;
		left.first += seal_segments(one.n);
		left.plain = (const unsigned char *)left.plain + one.n;
		left.n -= one.n;
	} while (left.n > 0);
	in->segments = left.first;
	rc = 0;
out:
	free(out.scratch);
	return rc;
}

/* Whole segments of what waits that cannot be the file's last. */
static size_t
settled_bytes(const struct intake *in)
{
	return in->waiting == 0
	           ? 0
	           : (in->waiting - 1) / SEAL_SEGMENT * SEAL_SEGMENT;
}

int
intake_seal_rest(struct intake *in, struct err *err)
{
	static const unsigned char nothing[1];
	int rc = seal_and_store(in, in->window == NULL ? nothing : in->window,
	    in->waiting, true, err);

	in->waiting = 0;
	intake_give_back(in);
	intake_free_own(in);
	return rc;
}

int
intake_seal_own(struct intake *in, struct err *err)
{
	size_t n = settled_bytes(in);
	int rc = 0;

	if (n > 0)
		rc = seal_and_store(in, in->own, n, false, err);
	intake_give_back(in); /* before one waits again */
	if (rc < 0 || n == 0)
		return rc;
	intake_release(in, in->own, in->own_size);
	in->waiting -= n;
	memmove(in->own, in->own + n, in->waiting);
	return 0;
}

/* --- memory of our own ---------------------------------------------------- */

void
intake_free_own(struct intake *in)
{
	if (in->own != NULL)
		intake_release(in, in->own, in->own_size);
	if (in->window == in->own)
		in->window = NULL;
	free(in->own);
	in->own = NULL;
	in->own_size = 0;
	holding_give(in->engine->holding, in->held);
	in->held = 0;
}

int
intake_resize_own(struct intake *in, size_t size, struct err *err)
{
	void *p;

	if (in->own != NULL)
		intake_release(in, in->own, in->own_size);
	p = mem_try_realloc(in->own, size);
	if (p == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	if (in->window == in->own)
		in->window = p;
	in->own = p;
	in->own_size = size;
	holding_give(in->engine->holding, in->held);
	in->held = 0;
	return 0;
}

/* --- sealed --------------------------------------------------------------- */

static bool
is_borrowed(const struct intake *in)
{
	return in->window != NULL && in->window != in->own;
}

/* A borrowed window, with what waits in it. */
static void
borrow_window(struct intake *in)
{
	in->turn = 0;
	in->buffers[0] = buffers_take(in->engine->buffers);
	if (in->waiting > 0)
		memcpy(in->buffers[0], in->own, in->waiting);
	in->window = in->buffers[0];
	intake_free_own(in);
}

/* What waits in the window goes to the front of the other, or of the same when
 * there is none. */
static void
turn_window(struct intake *in, const unsigned char *rest)
{
	struct buffers *b = in->engine->buffers;
	unsigned other = 1 - in->turn;

	if (in->buffers[other] == NULL)
		in->buffers[other] = buffers_try(b);
	if (in->buffers[other] != NULL)
		in->turn = other;
	intake_release(in, in->buffers[in->turn], buffers_size(b));
	memmove(in->buffers[in->turn], rest, in->waiting);
	in->window = in->buffers[in->turn];
}

static int
sealed_room(struct intake *in, struct room *ret, struct err *err)
{
	if (!is_borrowed(in) && (in->fast || in->offset == 0))
		borrow_window(in);
	if (is_borrowed(in)) {
		*ret = (struct room){ in->window + in->waiting,
			buffers_size(in->engine->buffers) - in->waiting };
		return 0;
	}
	if (in->own_size < in->waiting + INTAKE_SLOW_READ &&
	    intake_resize_own(in, in->waiting + 2 * INTAKE_SLOW_READ, err) < 0)
		return -1;
	in->window = in->own;
	*ret =
	    (struct room){ in->own + in->waiting, in->own_size - in->waiting };
	return 0;
}

static int
sealed_took(struct intake *in, size_t n, struct err *err)
{
	const unsigned char *window = in->window;
	size_t done;

	in->waiting += n;
	if (!is_borrowed(in))
		return in->waiting > SEAL_SEGMENT ? intake_seal_own(in, err)
		                                  : 0;
	if (in->waiting < buffers_size(in->engine->buffers))
		return 0;
	done = settled_bytes(in);
	if (seal_and_store(in, window, done, false, err) < 0)
		return -1;
	in->waiting -= done;
	turn_window(in, window + done);
	return 0;
}

/* What waits moves to memory of our own. */
static int
sealed_pause(struct intake *in, struct err *err)
{
	const unsigned char *window = in->window;
	size_t done = settled_bytes(in);

	if (!is_borrowed(in))
		return 0;
	if (done > 0 && seal_and_store(in, window, done, false, err) < 0)
		return -1;
	in->waiting -= done;
	if (intake_resize_own(in, in->waiting + INTAKE_SLOW_READ, err) < 0)
		return -1;
	memcpy(in->own, window + done, in->waiting);
	in->window = in->own;
	intake_give_back(in);
	return 0;
}

/* Whole segments only; what is left waits in memory of our own. */
static int
end_piece(struct intake *in, struct err *err)
{
	if (sealed_pause(in, err) < 0)
		return -1;
	if (in->end != INTAKE_SEGMENTS_END || in->waiting != SEAL_SEGMENT)
		return 0;
	if (seal_and_store(in, in->own, SEAL_SEGMENT, false, err) < 0)
		return -1;
	in->waiting = 0;
	return 0;
}

static int
sealed_end(struct intake *in, struct err *err)
{
	return in->end == INTAKE_FILE_ENDS ? intake_seal_rest(in, err)
	                                   : end_piece(in, err);
}

int
intake_prepend(struct intake *in, const void *p, size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	if (intake_resize_own(in, n + INTAKE_SLOW_READ, err) < 0)
		return -1;
	memcpy(in->own, p, n);
	in->window = in->own;
	in->waiting = n;
	return 0;
}

const struct intake_mode intake_sealed = {
	.room = sealed_room,
	.took = sealed_took,
	.pause = sealed_pause,
	.end = sealed_end,
};
