/* SPDX-License-Identifier: MIT */
#ifndef NET_MULTIPART_H
#define NET_MULTIPART_H

/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1) as a streaming parser over a
 * body source: parts in any order, nothing held but one part's head (at
 * most head_max) and as many bytes as a delimiter is long.  A part's body is a
 * source that reads straight into the caller's buffer.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/source.h"

struct multipart;

struct multipart_limits {
	size_t parts_max; /* more: ERR_MALFORMED_REQUEST */
	size_t head_max;  /* bytes of one part's header fields */
};

/* Valid until the next call of multipart_next(). */
struct multipart_part {
	const char *name;     /* decoded; "" when there is none: refused */
	const char *filename; /* NULL: none.  filename* goes first; as sent,
	                         not reduced to its last segment */
	const char *content_type; /* NULL: none */
};

/* ${content_type} is the request's field.  ERR_UNSUPPORTED_MEDIA_TYPE when it
 * is no multipart/form-data, ERR_MALFORMED_REQUEST for a bad boundary.
 * ${body} stays the caller's. */
int multipart_new(struct source *body, struct slice content_type,
    const struct multipart_limits *limits, struct multipart **ret_mp,
    struct err *err);
void multipart_free(struct multipart *mp);

/* To the next part, discarding what is left of this one: 1, 0 after the
 * last (the epilogue has been read to the body's end), or -1. */
int multipart_next(struct multipart *mp, struct multipart_part *ret_part,
    struct err *err);

/* The present part's body.  Borrowed: close() is a no-op. */
struct source *multipart_body(struct multipart *mp);

/* Reads the present part whole into ${b}, whose maximum bounds it
 * (ERR_INVALID_PARAMETER naming the field past it). */
int multipart_value(struct multipart *mp, struct buf *b, struct err *err);

#endif
