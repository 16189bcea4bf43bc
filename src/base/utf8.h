/* SPDX-License-Identifier: MIT */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/*
 * UTF-8 (RFC 3629), strictly: no overlong forms, no surrogates, nothing
 * beyond U+10FFFF.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The length of the character at the front of ${s}, 1 to 4, and its code
 * point; 0 when there is none (empty, cut short or invalid). */
size_t utf8_next(struct slice s, uint32_t *ret_cp);

bool utf8_is_valid(struct slice s);

/* How much of ${s}, a text that was cut, is left without a character cut in
 * two at its end. */
size_t utf8_cut(struct slice s);

/* May a person's terminal or log get this character?  False for C0 and C1
 * controls, DEL, line and paragraph separators, and what turns the writing
 * direction. */
bool utf8_is_printable(uint32_t cp);
/* Is it valid UTF-8 of at most ${most} characters that are all printable? */
bool utf8_is_line(struct slice s, size_t most);

#endif
