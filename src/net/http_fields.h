/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_FIELDS_H
#define NET_HTTP_FIELDS_H

/* Structured parts of header fields, pure. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* How many bytes at the front of ${s} are of a token (RFC 9110 5.6.2). */
size_t http_token_length(struct slice s);

/*
 * Walks "; name=value" parameters.  ${rest} begins as what follows the first
 * token.  Values are unquoted into ${value} (cleared first).  1, 0 at the
 * end, -1 malformed or ${value} full.
 */
int http_param_next(
    struct slice *rest, struct slice *ret_name, struct buf *value);
/* The same without unescaping: ${ret_value} is the token, or what stands
 * between the quotes. */
int http_param_next_raw(
    struct slice *rest, struct slice *ret_name, struct slice *ret_value);

/* Content-Disposition (RFC 6266, RFC 8187): attachment; filename="ascii
 * fall-back"; filename*=UTF-8''percent-encoded.  ${name} is UTF-8 without
 * control characters.  -1 when ${b} is full. */
int http_disposition_attachment(const char *name, struct buf *b);

/* Does the entity-tag list ${value} (If-None-Match, If-Match) match the
 * strong tag whose opaque text is ${tag}?  "*" matches.  ${weak}: compare
 * weakly (If-None-Match).  What is malformed matches nothing more. */
bool http_etag_matches(struct slice value, const char *tag, bool weak);

/* A digest of ${algorithm} ("sha-256") out of Repr-Digest or Content-Digest
 * (RFC 9530: "sha-256=:base64:") into the ${n} (at most 64) bytes at ${ret}.
 * 1 found, 0 not there, -1 malformed, or of another length. */
int http_digest(struct slice value, const char *algorithm, void *ret, size_t n);

/* Is the media type, without parameters and whatever its case, ${type}? */
bool http_media_type_is(struct slice value, const char *type);

#endif
