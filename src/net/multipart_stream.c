/* SPDX-License-Identifier: MIT */
#include "net/multipart_stream.h"

#include <stdint.h>
#include <string.h>

#define STEP MULTIPART_STREAM_STEP
/* More held memory than this is given back once it is not needed. */
#define HELD_KEEP (2 * STEP)

static int
fail_memory(struct err *err)
{
	return err_set(err, ERR_SERVER_BUSY, "no memory for a form");
}

int
multipart_stream_init(struct multipart_stream *st, struct source *body,
    const char *boundary, struct err *err)
{
	*st = (struct multipart_stream){ .body = body };
	st->delim_n = 4 + strlen(boundary);
	memcpy(st->delim, "\r\n--", 4);
	memcpy(st->delim + 4, boundary, st->delim_n - 4);
	buf_init(&st->held, SIZE_MAX);
	return buf_append(&st->held, "\r\n", 2) < 0 ? fail_memory(err) : 0;
}

void
multipart_stream_fini(struct multipart_stream *st)
{
	buf_fini(&st->held);
	st->at = 0;
}

uint64_t
multipart_stream_position(const struct multipart_stream *st)
{
	/* The CRLF of a head, where it is still held, is no content. */
	return st->taken - (uint64_t)multipart_stream_left(st) +
	       (st->fresh ? 2 : 0);
}

size_t
multipart_stream_left(const struct multipart_stream *st)
{
	return st->held.len - st->at;
}

const char *
multipart_stream_front(const struct multipart_stream *st)
{
	/* an offset to no memory is not defined, not even 0 */
	return st->held.p == NULL ? "" : st->held.p + st->at;
}

/* Drops ${n} held bytes; what a large read left is freed with the last. */
void
multipart_stream_drop(struct multipart_stream *st, size_t n)
{
	st->at += n;
	if (st->at < st->held.len)
		return;
	st->at = 0;
	if (st->held.cap > HELD_KEEP)
		buf_fini(&st->held);
	else
		buf_clear(&st->held);
}

void
multipart_stream_drop_delimiter(struct multipart_stream *st)
{
	st->found = false;
	multipart_stream_drop(st, st->delim_n);
}

void
multipart_stream_begin(struct multipart_stream *st)
{
	st->fresh = true;
}

/* Moves the held bytes to the front of their memory, or of a smaller one. */
static int
compact(struct multipart_stream *st)
{
	struct buf small;

	if (st->held.cap <= HELD_KEEP || multipart_stream_left(st) > STEP) {
		buf_consume(&st->held, st->at);
		st->at = 0;
		return 0;
	}
	buf_init(&small, st->held.max);
	if (buf_append(&small, multipart_stream_front(st),
	        multipart_stream_left(st)) < 0)
		return -1;
	buf_fini(&st->held);
	st->held = small;
	st->at = 0;
	return 0;
}

int
multipart_stream_pull(struct multipart_stream *st, struct err *err)
{
	ssize_t got;
	void *room;

	if (compact(st) < 0)
		return fail_memory(err);
	room = buf_reserve(&st->held, STEP);
	if (room == NULL)
		return fail_memory(err);
	got = source_read(st->body, room, STEP, err);
	if (got < 0)
		return -1;
	buf_add(&st->held, (size_t)got);
	st->taken += (uint64_t)got;
	return got > 0;
}

static int
truncated(struct err *err)
{
	return err_set(err, ERR_MALFORMED_REQUEST,
	    "the form is malformed: it ends without its last delimiter");
}

int
multipart_stream_pull_more(struct multipart_stream *st, struct err *err)
{
	int rc = multipart_stream_pull(st, err);

	if (rc < 0)
		return -1;
	return rc > 0 ? 0 : truncated(err);
}

enum follows { FOLLOWS_YES, FOLLOWS_NO, FOLLOWS_UNKNOWN };

/* Do the ${n} bytes at ${p}, after a delimiter's text, make it one? */
static enum follows
follows(const char *p, size_t n)
{
	if (n == 0)
		return FOLLOWS_UNKNOWN;
	if (p[0] == ' ' || p[0] == '\t')
		return FOLLOWS_YES;
	if (p[0] != '-' && p[0] != '\r')
		return FOLLOWS_NO;
	if (n == 1)
		return FOLLOWS_UNKNOWN;
	return p[1] == (p[0] == '-' ? '-' : '\n') ? FOLLOWS_YES : FOLLOWS_NO;
}

/*
 * How many bytes at ${p} are content for sure; *ret_found: a delimiter comes
 * right after them, else perhaps the beginning of one.
 *
 * memmem() with the whole delimiter skips about its length at a time: 20 to
 * 70 GB/s with browsers' and curl's boundaries.  The worst that a boundary
 * made for it (one letter 70 times, and that letter as content) gets is 0.24
 * GB/s: slower, but still linear.
 */
static size_t
scan(
    const struct multipart_stream *st, const char *p, size_t n, bool *ret_found)
{
	const char *end = p + n;
	const char *at = p;
	const char *tail;
	enum follows f;

	*ret_found = false;
	for (;;) {
		at = memmem(at, (size_t)(end - at), st->delim, st->delim_n);
		if (at == NULL)
			break;
		f = follows(at + st->delim_n, (size_t)(end - at) - st->delim_n);
		if (f != FOLLOWS_NO) {
			*ret_found = f == FOLLOWS_YES;
			return (size_t)(at - p);
		}
		at += st->delim_n;
	}
	/* Only the first byte of a delimiter is a CR, so only the last CR
	 * can begin one that is not there whole. */
	tail = n < st->delim_n ? p : end - (st->delim_n - 1);
	at = memrchr(tail, '\r', (size_t)(end - tail));
	if (at != NULL && memcmp(at, st->delim, (size_t)(end - at)) == 0)
		return (size_t)(at - p);
	return n;
}

/* Finds out about the held bytes, unless something is known already. */
static void
look(struct multipart_stream *st)
{
	if (st->clean > 0 || st->found || multipart_stream_left(st) == 0)
		return;
	st->clean = scan(st, multipart_stream_front(st),
	    multipart_stream_left(st), &st->found);
	/* CR LF at the front: both are content, or neither is for sure. */
	if (st->fresh && (st->clean > 0 || st->found)) {
		st->fresh = false;
		if (st->clean > 0) {
			st->clean -= 2;
			multipart_stream_drop(st, 2);
		}
	}
}

/*
 * Reads from the body into the caller's ${buf}, behind ${got} bytes that are
 * there already and the held ones, which must be no more than the beginning
 * of a delimiter: the bytes of content now in ${buf}, perhaps none.
 */
static ssize_t
read_direct(struct multipart_stream *st, char *buf, size_t n, size_t got,
    struct err *err)
{
	size_t kept = multipart_stream_left(st);
	ssize_t done;
	size_t content;

	if (kept > 0) {
		memcpy(buf + got, multipart_stream_front(st), kept);
		multipart_stream_drop(st, kept);
	}
	done = source_read(st->body, buf + got + kept, n - got - kept, err);
	if (done < 0)
		return -1;
	if (done == 0)
		return truncated(err);
	st->taken += (uint64_t)done;
	kept += (size_t)done;
	content = scan(st, buf + got, kept, &st->found);
	if (buf_append(&st->held, buf + got + content, kept - content) < 0)
		return fail_memory(err);
	return (ssize_t)(got + content);
}

/* Gives held content, and more behind it where that needs no waiting. */
static ssize_t
serve(struct multipart_stream *st, char *buf, size_t n, struct err *err)
{
	size_t got = n < st->clean ? n : st->clean;
	int ready;

	memcpy(buf, multipart_stream_front(st), got);
	multipart_stream_drop(st, got);
	st->clean -= got;
	if (st->clean > 0 || st->found || n - got < STEP)
		return (ssize_t)got;
	ready = source_wait(st->body, 0, err);
	if (ready <= 0)
		return ready < 0 ? -1 : (ssize_t)got;
	return read_direct(st, buf, n, got, err);
}

ssize_t
multipart_stream_read(
    struct multipart_stream *st, void *buf, size_t n, struct err *err)
{
	ssize_t got;

	for (;;) {
		look(st);
		if (st->clean > 0)
			return serve(st, buf, n, err);
		if (st->found)
			return 0;
		if (n >= STEP && !st->fresh) {
			got = read_direct(st, buf, n, 0, err);
			if (got != 0)
				return got;
		} else if (multipart_stream_pull_more(st, err) < 0) {
			return -1;
		}
	}
}

/*
 * The beginning of a delimiter must not make read() wait with the caller's
 * buffer in its hands, so it is found out here what came.
 */
int
multipart_stream_wait(
    struct multipart_stream *st, int timeout_ms, struct err *err)
{
	int rc;

	for (;;) {
		look(st);
		if (st->clean > 0 || st->found)
			return 1;
		rc = source_wait(st->body, timeout_ms, err);
		if (rc <= 0)
			return rc;
		if (multipart_stream_pull_more(st, err) < 0)
			return -1;
		/* The bound is on the whole, not on each dribble. */
		if (timeout_ms > 0)
			timeout_ms = 0;
	}
}
