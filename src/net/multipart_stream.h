/* SPDX-License-Identifier: MIT */
#ifndef NET_MULTIPART_STREAM_H
#define NET_MULTIPART_STREAM_H

/*
 * A form's body cut at its delimiters, which are CRLF "--" boundary, and then
 * "--", a space, a tab or CRLF.  For multipart.c, which reads by turns content
 * (multipart_stream_read(), ..._wait()) and what stands between contents
 * (..._left(), ..._front(), ..._pull(), ..._drop()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"
#include "net/multipart.h"

/* How much is read at once where the caller has no room of its own, and from
 * which size on the caller's room is read into. */
#define MULTIPART_STREAM_STEP 4096

struct multipart_stream {
	struct source *body; /* borrowed */
	uint64_t taken;      /* bytes of the body that were read */

	/*
	 * Bytes that were read and not yet passed on: those of held from
	 * ${at}.  The first ${clean} of them are known to be content; if
	 * ${found}, a delimiter, and the one or two bytes that make it one,
	 * come right after them.
	 */
	struct buf held;
	size_t at;
	size_t clean;
	bool found;
	/*
	 * A CRLF that is no content, but may be the delimiter's, stands at
	 * ${at}; clean is 0 and found is false.
	 */
	bool fresh;

	size_t delim_n;
	char delim[4 + MULTIPART_BOUNDARY_MAX];
};

/* ${boundary}: at most MULTIPART_BOUNDARY_MAX bytes, without CR.  The body
 * begins as if a CRLF stood before it: a delimiter may be the first in it. */
int multipart_stream_init(struct multipart_stream *st, struct source *body,
    const char *boundary, struct err *err);
void multipart_stream_fini(struct multipart_stream *st);

/*
 * As the functions of a struct source: content up to the next delimiter.  At 0
 * the delimiter is at the front of the held bytes; until it is dropped, 0
 * is all that comes.  A body that ends before: ERR_MALFORMED_REQUEST.
 */
ssize_t multipart_stream_read(
    struct multipart_stream *st, void *buf, size_t n, struct err *err);
int multipart_stream_wait(
    struct multipart_stream *st, int timeout_ms, struct err *err);

/* How many bytes of the body have been passed on or dropped. */
uint64_t multipart_stream_position(const struct multipart_stream *st);
/* The held bytes; the pointer is valid until anything is read or dropped. */
size_t multipart_stream_left(const struct multipart_stream *st);
const char *multipart_stream_front(const struct multipart_stream *st);
void multipart_stream_drop(struct multipart_stream *st, size_t n);
/* Drops the delimiter that was found; the bytes that made it one stay. */
void multipart_stream_drop_delimiter(struct multipart_stream *st);
/* Holds more bytes, at most a step: 1, 0 at the body's end, or -1. */
int multipart_stream_pull(struct multipart_stream *st, struct err *err);
/* The same where the body must not end yet: 0 or -1. */
int multipart_stream_pull_more(struct multipart_stream *st, struct err *err);
/* Content begins after the CRLF at the front, unless that is a delimiter's (a
 * part that ends with its head, RFC 2046 5.1.1). */
void multipart_stream_begin(struct multipart_stream *st);

#endif
