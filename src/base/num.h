/* SPDX-License-Identifier: MIT */
#ifndef BASE_NUM_H
#define BASE_NUM_H

/*
 * Text to numbers, strictly: decimal digits only (a '-' for num_int), no
 * spaces, no sign otherwise, the whole text, no overflow.  False leaves
 * *ret untouched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

bool num_uint(struct slice s, uint64_t max, uint64_t *ret);
bool num_int(struct slice s, int64_t min, int64_t max, int64_t *ret);
bool num_hex(struct slice s, uint64_t max, uint64_t *ret); /* no "0x" */
/* "10", "64K", "256M", "2G" (powers of 1024). */
bool num_size(struct slice s, uint64_t max, uint64_t *ret);
/* "10" and "10s", "5m", "24h", "365d" as milliseconds; "500ms" too. */
bool num_duration(struct slice s, int64_t max_ms, int64_t *ret_ms);
/* true/false/1/0/yes/no/on/off, any case. */
bool num_bool(struct slice s, bool *ret);

#endif
