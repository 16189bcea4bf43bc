/* SPDX-License-Identifier: MIT */
#include "crypto/seal_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

/* Segments that are read and opened at once. */
#define BATCH 16

struct opening {
	struct source source;
	struct source *inner;
	struct seal *seal;
	uint64_t size;     /* of the plaintext */
	uint64_t segments; /* of the file */
	uint64_t sound;    /* those from here on count as damaged */
	uint64_t next;     /* to be read */
	size_t skip;       /* bytes at the next one's begin, not wanted */
	uint64_t left;     /* bytes wanted, not in held */
	/* One that is given away piece by piece. */
	unsigned char *held;
	size_t held_at;
	size_t held_n;
};

/* --- opening -------------------------------------------------------------- */

/* Of nothing at the end it is the last one. */
static uint64_t
first_segment(const struct seal_range *r)
{
	uint64_t first = r->offset / SEAL_SEGMENT;

	return first < seal_segments(r->size) ? first : first - 1;
}

void
seal_range_stored(
    const struct seal_range *r, uint64_t *ret_offset, uint64_t *ret_length)
{
	uint64_t first = first_segment(r);
	uint64_t last =
	    r->length == 0 ? first : (r->offset + r->length - 1) / SEAL_SEGMENT;
	uint64_t begin = seal_offset(first);
	uint64_t end = last + 1 == seal_segments(r->size)
	                   ? seal_size(r->size)
	                   : seal_offset(last + 1);

	if (end > r->stored)
		end = r->stored;
	*ret_offset = begin < end ? begin : end;
	*ret_length = end - *ret_offset;
}

static size_t
segment_size(const struct opening *o, uint64_t index)
{
	return index + 1 < o->segments
	           ? SEAL_SEGMENT
	           : (size_t)(o->size - index * SEAL_SEGMENT);
}

static int
damaged(const struct opening *o, struct err *err)
{
	return err_set(err, ERR_DECRYPTION_FAILED,
	    "the stored bytes of the file are damaged from byte %" PRIu64 " on",
	    o->next * SEAL_SEGMENT);
}

/* The next ${count} segments, their text to ${buf}: how many are there whole,
 * or -1. */
static ssize_t
read_segments(struct opening *o, unsigned char *buf,
    struct seal_segment *segments, size_t count, struct err *err)
{
	struct iovec parts[3 * BATCH];
	size_t n = 0, whole = 0;
	ssize_t got;

	for (size_t i = 0; i < count; i++) {
		struct seal_segment *g = &segments[i];

		g->text = buf;
		g->n = segment_size(o, o->next + i);
		buf += g->n;
		parts[n++] = (struct iovec){ g->nonce, EAX_NONCE_SIZE };
		parts[n++] = (struct iovec){ g->text, g->n };
		parts[n++] = (struct iovec){ g->tag, EAX_TAG_SIZE };
	}
	got = source_read_parts(o->inner, parts, (int)n, err);
	if (got < 0)
		return -1;
	for (size_t left = (size_t)got; whole < count; whole++) {
		size_t stored = segments[whole].n + SEAL_OVERHEAD;

		if (left < stored)
			break;
		left -= stored;
	}
	return (ssize_t)whole;
}

/*
 * Opens the next ${count} segments into ${buf}.  Returns how many at the
 * front are authentic, at least 1, or -1; nothing after the first that is not
 * will be.
 */
static ssize_t
open_segments(
    struct opening *o, unsigned char *buf, size_t count, struct err *err)
{
	struct seal_segment segments[BATCH];
	struct seal_opening run = { .first = o->next, .segments = segments };
	ssize_t whole;
	size_t good;

	if (o->next >= o->sound)
		return damaged(o, err);
	if (count > o->sound - o->next)
		count = (size_t)(o->sound - o->next);
	whole = read_segments(o, buf, segments, count, err);
	if (whole < 0)
		return -1;
	run.count = (size_t)whole;
	run.is_last = o->next + run.count == o->segments;
	good = seal_open_run(o->seal, &run);
	if (good < count)
		o->sound = o->next + good;
	if (good == 0)
		return damaged(o, err);
	o->next += good;
	return (ssize_t)good;
}

/* How many segments fit whole into ${n} bytes. */
static size_t
how_many_fit(const struct opening *o, size_t n)
{
	size_t count = 0;

	while (count < BATCH && o->next + count < o->segments) {
		size_t one = segment_size(o, o->next + count);

		if (one > n)
			break;
		n -= one;
		count++;
	}
	return count;
}

/* What is wanted of ${n} bytes of plaintext, from their begin. */
static size_t
wanted(struct opening *o, size_t n)
{
	n -= o->skip;
	o->skip = 0;
	if (n > o->left)
		n = (size_t)o->left;
	o->left -= n;
	return n;
}

static int
hold_next(struct opening *o, struct err *err)
{
	size_t n = segment_size(o, o->next);

	o->held = mem_try_alloc(n);
	if (o->held == NULL)
		return err_set(err, ERR_UNAVAILABLE, "out of memory");
	if (open_segments(o, o->held, 1, err) < 0) {
		free(o->held);
		o->held = NULL;
		return -1;
	}
	o->held_at = o->skip;
	o->held_n = wanted(o, n);
	return 0;
}

static ssize_t
give_held(struct opening *o, void *buf, size_t n)
{
	if (n > o->held_n)
		n = o->held_n;
	memcpy(buf, o->held + o->held_at, n);
	o->held_at += n;
	o->held_n -= n;
	if (o->held_n == 0) {
		free(o->held);
		o->held = NULL;
	}
	return (ssize_t)n;
}

static ssize_t
opening_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct opening *o = CONTAINER_OF(s, struct opening, source);
	size_t count, skip, plain = 0;
	ssize_t good;

	if (o->held != NULL)
		return give_held(o, buf, n);
	if (o->left == 0)
		return 0;
	count = how_many_fit(o, n);
	if (count == 0) {
		if (hold_next(o, err) < 0)
			return -1;
		return give_held(o, buf, n);
	}
	good = open_segments(o, buf, count, err);
	if (good < 0)
		return -1;
	for (uint64_t i = o->next - (uint64_t)good; i < o->next; i++)
		plain += segment_size(o, i);
	skip = o->skip;
	plain = wanted(o, plain);
	if (skip > 0)
		memmove(buf, (unsigned char *)buf + skip, plain);
	return (ssize_t)plain;
}

static int
opening_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct opening *o = CONTAINER_OF(s, struct opening, source);

	return o->held != NULL || o->left == 0
	           ? 1
	           : source_wait(o->inner, timeout_ms, err);
}

static void
opening_close(struct source *s)
{
	struct opening *o = CONTAINER_OF(s, struct opening, source);

	source_close(o->inner);
	seal_free(o->seal);
	free(o->held);
	free(o);
}

int
seal_source_open(struct seal *seal, const struct seal_range *r,
    struct source *inner, struct source **ret_src, struct err *err)
{
	struct opening *o = mem_calloc(1, sizeof(*o));

	assert(r->length <= r->size && r->offset <= r->size - r->length);
	o->source.read = opening_read;
	o->source.wait = opening_wait;
	o->source.close = opening_close;
	o->inner = inner;
	o->seal = seal;
	o->size = r->size;
	o->segments = seal_segments(r->size);
	o->sound = o->segments;
	if (r->stored != seal_size(r->size))
		o->sound--;
	o->next = first_segment(r);
	o->skip = (size_t)(r->offset - o->next * SEAL_SEGMENT);
	o->left = r->length;
	if (hold_next(o, err) < 0) {
		opening_close(&o->source);
		return -1;
	}
	if (o->held_n == 0) {
		free(o->held);
		o->held = NULL;
	}
	*ret_src = &o->source;
	return 0;
}

/* --- sealing ----------------------------------------------------------------
 */

/* One byte more than a segment is read: whether it is the last shows only by
 * what comes after it. */
struct sealing {
	struct source source;
	struct source *inner;
	const struct seal *seal;
	uint64_t next; /* segment to be sealed */
	size_t waiting;
	bool at_end; /* of inner */
	bool is_done;
	size_t out_at;
	size_t out_n;
	unsigned char plain[SEAL_SEGMENT + 1];
	unsigned char out[SEAL_HEADER_SIZE + SEAL_STEP];
};

static int
seal_next(struct sealing *s, struct err *err)
{
	struct seal_run run = { .first = s->next, .plain = s->plain };
	ssize_t got = 0;

	if (!s->at_end)
		got = source_read_full(s->inner, s->plain + s->waiting,
		    sizeof(s->plain) - s->waiting, err);
	if (got < 0)
		return -1;
	s->waiting += (size_t)got;
	s->at_end = s->waiting < sizeof(s->plain);
	run.is_last = s->at_end;
	run.n = s->at_end ? s->waiting : SEAL_SEGMENT;
	s->out_at = s->out_n = 0;
	if (s->next == 0) {
		seal_header(s->seal, s->out);
		s->out_n = SEAL_HEADER_SIZE;
	}
	s->out_n += seal_run(s->seal, &run, s->out + s->out_n);
	s->next++;
	s->waiting -= run.n;
	s->plain[0] = s->plain[SEAL_SEGMENT];
	s->is_done = run.is_last;
	return 0;
}

static ssize_t
sealing_read(struct source *source, void *buf, size_t n, struct err *err)
{
	struct sealing *s = CONTAINER_OF(source, struct sealing, source);

	if (s->out_at == s->out_n) {
		if (s->is_done)
			return 0;
		if (seal_next(s, err) < 0)
			return -1;
	}
	if (n > s->out_n - s->out_at)
		n = s->out_n - s->out_at;
	memcpy(buf, s->out + s->out_at, n);
	s->out_at += n;
	return (ssize_t)n;
}

static int
sealing_wait(struct source *source, int timeout_ms, struct err *err)
{
	struct sealing *s = CONTAINER_OF(source, struct sealing, source);

	return s->out_at < s->out_n || s->at_end
	           ? 1
	           : source_wait(s->inner, timeout_ms, err);
}

static void
sealing_close(struct source *source)
{
	struct sealing *s = CONTAINER_OF(source, struct sealing, source);

	source_close(s->inner);
	mem_wipe(s->plain, sizeof(s->plain));
	free(s);
}

struct source *
seal_source_seal(const struct seal *seal, struct source *inner)
{
	struct sealing *s = mem_calloc(1, sizeof(*s));

	s->source.read = sealing_read;
	s->source.wait = sealing_wait;
	s->source.close = sealing_close;
	s->inner = inner;
	s->seal = seal;
	return &s->source;
}
