/* SPDX-License-Identifier: MIT */
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * Glue over Jansson: parsing with our errors and bounds, and typed getters.
 * Objects are json_t * with Jansson's reference counts.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 32

/* ERR_INVALID_JSON with line and column; anything but an object or array,
 * what is not UTF-8, duplicate keys, NULs, trailing text and depth
 * beyond JSON_DEPTH_MAX are refused.  NULL on failure. */
json_t *json_parse(const char *p, size_t n, struct err *err);
/* Appends the compact text. */
int json_write(const json_t *j, struct buf *b, struct err *err);
/* A string of valid UTF-8 or null: what is invalid is replaced by U+FFFD. */
json_t *json_str_or_null(const char *s);
json_t *json_time(int64_t wall_ms); /* RFC 3339 text */

#endif
