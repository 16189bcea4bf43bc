/* SPDX-License-Identifier: MIT */
#ifndef NET_URL_H
#define NET_URL_H

/* Percent-encoding (RFC 3986 2.1) and query strings, pure. */

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Decodes once; false for a broken escape or when ${b} is full.  Decoded
 * NULs are kept: the caller judges the bytes.  ${plus}: '+' is a space (in
 * queries). */
bool url_decode(struct slice in, bool plus, struct buf *b);
/* Everything but unreserved characters (and '/' with ${keep_slash}); -1 when
 * ${b} is full. */
int url_encode(struct slice in, bool keep_slash, struct buf *b);

/* Takes the next "name=value" off ${rest}, both still encoded; false at the
 * end.  "a" is "a=", "&&" is "&". */
bool url_query_next(
    struct slice *rest, struct slice *ret_name, struct slice *ret_value);

#endif
