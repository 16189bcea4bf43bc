/* SPDX-License-Identifier: MIT */
#ifndef BASE_HEX_H
#define BASE_HEX_H

/* Bytes as text: hex (lower case out, either case in) and base64 (RFC 4648). */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* ${ret} gets 2n characters and a NUL. */
void hex_encode(const void *p, size_t n, char *ret);
/* Exactly ${n} bytes from 2n digits; false for anything else. */
bool hex_decode(struct slice text, void *ret, size_t n);

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
void base64_encode(const void *p, size_t n, char *ret); /* padded, NUL */
/* Into ${ret} of ${cap} bytes; false when malformed or too long. */
bool base64_decode(struct slice text, void *ret, size_t cap, size_t *ret_n);

#endif
