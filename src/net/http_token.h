/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_TOKEN_H
#define NET_HTTP_TOKEN_H

/* The character classes of HTTP/1.1 heads, pure. */

#include <stdbool.h>

#include "base/slice.h"

/* A token (RFC 9110 5.6.2): names of fields, methods.  Not empty. */
bool http_token_is_valid(struct slice s);
/* A field's value: no controls but the tab; bytes of 0x80 and above may
 * stand in it (RFC 9110 5.5). */
bool http_token_is_value(struct slice s);
/* A request target: no controls, no spaces, no fragment; not empty.  Bytes
 * that ought to be escaped are let through: people type them. */
bool http_token_is_target(struct slice s);
/* An authority without user information, or nothing (RFC 9110 7.2). */
bool http_token_is_host(struct slice s);

#endif
