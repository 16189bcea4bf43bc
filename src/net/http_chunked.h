/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_CHUNKED_H
#define NET_HTTP_CHUNKED_H

/*
 * The chunked transfer coding (RFC 9112 7.1) as an incremental decoder, pure:
 *
 *	size in hex [; extension] CR LF  data  CR LF  ...
 *	0 [; extension] CR LF  trailer fields  CR LF
 *
 * Strict, so that no proxy before us sees another end of the body: no sign,
 * no "0x", no space, no bare LF, at most 16 digits and 2^63 - 1 bytes.
 * Extensions and trailer fields are discarded; all of a body's extensions
 * together are bounded, and so are its trailer fields.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define HTTP_CHUNKED_EXTENSIONS_MAX (16u * 1024) /* bytes of one body */
#define HTTP_CHUNKED_TRAILERS_MAX (8u * 1024)

enum http_chunked_state {
	HTTP_CHUNKED_SIZE,      /* no digit yet */
	HTTP_CHUNKED_DIGITS,    /* one or more */
	HTTP_CHUNKED_EXTENSION, /* until CR */
	HTTP_CHUNKED_SIZE_LF,
	HTTP_CHUNKED_DATA, /* left > 0 */
	HTTP_CHUNKED_DATA_CR,
	HTTP_CHUNKED_DATA_LF,
	HTTP_CHUNKED_TRAILER, /* at the begin of a line */
	HTTP_CHUNKED_TRAILER_NAME,
	HTTP_CHUNKED_TRAILER_LINE,
	HTTP_CHUNKED_TRAILER_LF,
	HTTP_CHUNKED_LAST_LF,
	HTTP_CHUNKED_END,
	HTTP_CHUNKED_BAD
};

struct http_chunked {
	uint64_t left; /* of the present chunk */
	enum http_chunked_state state;
	uint32_t n_digits;
	uint32_t n_extensions; /* bytes */
	uint32_t n_trailers;   /* bytes */
};

void http_chunked_init(struct http_chunked *c);

/*
 * Takes framing off the front of ${p}, up to the first byte of data or the
 * end of the body: the number of bytes taken, or -1 (ERR_MALFORMED_REQUEST).
 */
ptrdiff_t http_chunked_skip(
    struct http_chunked *c, const char *p, size_t n, struct err *err);

/*
 * Decodes in place: the data among the first *${ret_used} of ${n} bytes is
 * moved to the front of ${p}.  All bytes are used, except those behind the
 * body's end.  Returns the number of data bytes (0 is no sign of the end), or
 * -1.
 */
ptrdiff_t http_chunked_decode(struct http_chunked *c, char *p, size_t n,
    size_t *ret_used, struct err *err);

/* How many of the next ${n} bytes are data, which the caller takes; 0 when
 * framing comes next. */
size_t http_chunked_take(struct http_chunked *c, size_t n);

/* Is a byte of data the next thing to come? */
static inline bool
http_chunked_in_data(const struct http_chunked *c)
{
	return c->state == HTTP_CHUNKED_DATA;
}

static inline bool
http_chunked_ended(const struct http_chunked *c)
{
	return c->state == HTTP_CHUNKED_END;
}

#endif
