/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_PARSE_H
#define NET_HTTP_PARSE_H

/*
 * The head of an HTTP/1.x request (RFC 9112 2-6) as an incremental parser,
 * pure.  It is given the bytes that are there, again and again with more of
 * them, and looks at each byte once.  It keeps offsets, so the bytes may
 * move in between.
 *
 * Strict: what two readers may understand differently is refused
 * (ERR_MALFORMED_REQUEST unless another code is named):
 *
 *	bare CR or LF, NUL and other controls, folded lines, a space before
 *	the colon, names that are no token; a missing or second Host (on
 *	HTTP/1.1), a malformed one; Content-Length twice or not plain digits,
 *	or beside Transfer-Encoding; Transfer-Encoding on HTTP/1.0 or twice;
 *	a coding other than chunked (ERR_NOT_IMPLEMENTED); targets that are
 *	neither origin-form nor http(s) absolute-form, nor "*" with OPTIONS,
 *	or have a fragment; a version that is not HTTP/1.x
 *	(ERR_VERSION_NOT_SUPPORTED); an unknown expectation
 *	(ERR_EXPECTATION_FAILED); what passes the limits (ERR_URI_TOO_LONG,
 *	ERR_HEADERS_TOO_LARGE).
 *
 * One or two empty lines before the request line are skipped (RFC 9112 2.2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/http.h"

#define HTTP_PARSE_FIELDS_MAX 100u

struct http_parse_limits {
	size_t line_max;   /* of the request line, without its CR LF */
	size_t head_max;   /* of the whole head */
	size_t fields_max; /* at most HTTP_PARSE_FIELDS_MAX */
};

/* A part of the head by its place. */
struct http_span {
	uint32_t at;
	uint32_t n;
};

struct http_parse {
	const struct http_parse_limits *limits; /* borrowed */
	size_t line;    /* where the unfinished line begins */
	size_t scanned; /* bytes looked at for its end */
	uint32_t state;
	uint32_t n_blank; /* empty lines before the request line */
	enum http_method method;
	int minor;
	struct http_span target, path, query;
	uint64_t content_length;
	uint32_t n_host, n_length, n_coding; /* how often they came */
	bool is_chunked;                     /* the coding is "chunked" */
	bool is_star;                        /* the target is "*" */
	bool expects_continue, expects_other;
	bool says_close, says_keep_alive;
	uint32_t n_fields;
	struct {
		struct http_span name, value;
	} fields[HTTP_PARSE_FIELDS_MAX]; /* the first n_fields are set */
};

/* Cheap: the array of fields is not touched. */
void http_parse_init(
    struct http_parse *p, const struct http_parse_limits *limits);

/*
 * Looks at ${head}, of which all bytes given before are still the same:
 * the length of the head once it is complete, 0 when more is needed, or -1.
 */
ptrdiff_t http_parse_feed(
    struct http_parse *p, const char *head, size_t n, struct err *err);

/*
 * The complete head as a request whose slices point into ${head} and whose
 * fields are written to ${fields} (room for n_fields).
 */
void http_parse_request(const struct http_parse *p, const char *head,
    struct http_field *fields, struct http_request *ret);

#endif
