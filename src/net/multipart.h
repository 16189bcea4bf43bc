/* SPDX-License-Identifier: MIT */
#ifndef NET_MULTIPART_H
#define NET_MULTIPART_H

/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1) as a streaming parser over a
 * body source: parts in any order, one at a time, the present one's body a
 * source that reads straight into the caller's buffer.  Used by one thread
 * at a time.
 *
 * Held in memory: one part's head (at most head_max), 4 KiB, as many bytes
 * as a delimiter is long, and what one read took in beyond its part's end (the
 * fields after a file), until it is consumed: at most the size of the caller's
 * largest read(), or 16 KiB.
 *
 * A delimiter is CRLF "--" boundary, and then "--", or spaces or tabs, or CRLF
 * (the first one may do without the CRLF before it).  A line that only begins
 * with the boundary's text and goes on otherwise is content, as senders mean
 * it.  A multipart/mixed part is content, too.  Refused with
 * ERR_MALFORMED_REQUEST: a form without its last delimiter, a part without a
 * name, a parameter or field twice, bare CR or LF and other control characters
 * in a part's head, folded lines, a Content-Transfer-Encoding that changes
 * the bytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/source.h"

struct multipart;

#define MULTIPART_BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

/* Beyond them: ERR_MALFORMED_REQUEST. */
struct multipart_limits {
	size_t parts_max;
	size_t head_max; /* bytes of one part's header fields */
};

/* Valid until the next call of multipart_next(). */
struct multipart_part {
	const char *name;     /* decoded, never empty; of any bytes but NUL */
	const char *filename; /* NULL: none.  filename* goes first; decoded,
	                         not reduced to its last segment, not checked */
	const char *content_type; /* NULL: none */
};

/* ${content_type} is the request's field.  ERR_UNSUPPORTED_MEDIA_TYPE when it
 * is no multipart/form-data, ERR_MALFORMED_REQUEST for a bad boundary.
 * ${body} stays the caller's. */
int multipart_new(struct source *body, struct slice content_type,
    const struct multipart_limits *limits, struct multipart **ret_mp,
    struct err *err);
void multipart_free(struct multipart *mp);

/*
 * To the next part, discarding what is left of this one: 1, 0 after the
 * last (the epilogue has been read to the body's end), or -1: what the body
 * says, ERR_MALFORMED_REQUEST, or ERR_INVALID_FILENAME for a filename* that
 * decodes to no UTF-8.  After -1 the form cannot be gone on with.
 */
int multipart_next(
    struct multipart *mp, struct multipart_part *ret_part, struct err *err);

/*
 * The present part's body, after multipart_next() gave 1 and until it is
 * called again.  Borrowed: close() is a no-op.  Reads of 4 KiB and more are
 * not copied.  wait() returns only when there is content, or an end, for
 * read() to give, so that who read()s after it never waits for the peer.
 */
struct source *multipart_body(struct multipart *mp);

/* Reads the present part whole into ${b}, whose maximum bounds it
 * (ERR_INVALID_PARAMETER naming the field past it). */
int multipart_value(struct multipart *mp, struct buf *b, struct err *err);

/*
 * At a part's beginning: how many bytes it has if it is the last one of a body
 * of ${body_length} bytes and ends as forms do.  UINT64_MAX: unknown.  Good
 * for showing progress; no promise.
 */
uint64_t multipart_expected(const struct multipart *mp, uint64_t body_length);

#endif
