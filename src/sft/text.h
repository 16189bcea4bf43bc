/* SPDX-License-Identifier: MIT */
#ifndef SFT_TEXT_H
#define SFT_TEXT_H

/*
 * What people read: sizes, rates and times, and text that is fit for a
 * terminal.  Names and sentences come from other machines; text_clean() takes
 * out what would move the cursor or turn the writing direction.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define TEXT_SIZE 32

void text_size(uint64_t bytes, char ret[TEXT_SIZE]); /* "1.5 MiB" */
void text_rate(uint64_t bps, char ret[TEXT_SIZE]);   /* "1.5 MiB/s" */
/* As a clock shows it: "0:07", "59:59", "1:00:00", "2d 03:00:00". */
void text_clock(uint64_t seconds, char ret[TEXT_SIZE]);
/* As people say it, coarsely: "7 s", "12 min", "3 h 5 min", "2 d 4 h". */
void text_span(uint64_t seconds, char ret[TEXT_SIZE]);
/* "2026-11-24T07:30:00.000Z" as "2026-11-24 07:30"; "-" for anything else. */
void text_time(const char *rfc3339, char ret[TEXT_SIZE]);

/* Appends ${s}; what is not printable or not UTF-8 becomes U+FFFD. */
void text_clean(struct buf *b, struct slice s);

/* Columns on a terminal: East Asian wide characters are two, marks that
 * combine none. */
size_t text_width(struct slice s);

/* Appends ${s}, cut to ${columns} with an ellipsis when it is wider.  Returns
 * the columns taken. */
size_t text_fit(struct buf *b, struct slice s, size_t columns);

/* Appends the words of ${text}, broken into lines of ${columns} at most that
 * begin with ${indent} spaces; a line feed ends each. */
struct text_block {
	size_t indent;
	size_t columns;
};
void text_wrap(struct buf *b, const char *text, struct text_block block);

#endif
