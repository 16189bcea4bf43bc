/* SPDX-License-Identifier: MIT */
#ifndef SFT_PROGRESS_H
#define SFT_PROGRESS_H

/*
 * Shows on standard error how far a file has come: on a terminal a line that
 * is drawn anew, with a bar, the rate and the time left; elsewhere a plain line
 * now and then; or nothing.  Several threads may move one file: they may call
 * progress_add(), _skip(), _take_back(), _restart(), _expect(), _tick() and
 * _hide().
 *
 *	movie.mkv   45% [=======>         ]   1.2 GiB  85.3 MiB/s  0:42 left
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define PROGRESS_UNKNOWN UINT64_MAX

enum progress_mode { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR };

struct progress;

/* ${fd} is where it is drawn; both outlive it. */
struct progress *progress_new(
    enum progress_mode mode, int fd, const struct clock *clock);
void progress_free(struct progress *p); /* NULL is fine */

/* A file begins; ${total} may be PROGRESS_UNKNOWN.  ${label} is copied. */
void progress_begin(struct progress *p, const char *label, uint64_t total);
/* The total has become known. */
void progress_expect(struct progress *p, uint64_t total);
/* ${n} more bytes have moved. */
void progress_add(struct progress *p, uint64_t n);
/* ${n} bytes were there already: they count, but not for the rate. */
void progress_skip(struct progress *p, uint64_t n);
/* ${n} of them did not count after all. */
void progress_take_back(struct progress *p, uint64_t n);
/* It starts anew from 0 (a connection had to be made again). */
void progress_restart(struct progress *p);
/* Draws when it is time to; to be called every 200 ms or more often, that the
 * rate falls when nothing moves and the line follows the window's width. */
void progress_tick(struct progress *p);
/* Takes the line off the screen, for something else to be printed. */
void progress_hide(struct progress *p);
/* The file has ended, well or not: the line goes. */
void progress_end(struct progress *p);

/* Of the file that began last: what moved, and for how long. */
uint64_t progress_done(const struct progress *p);
int64_t progress_elapsed_ms(const struct progress *p);
/* Appends that: " (1.0 GiB in 8.3 s, 123.4 MiB/s)", or " (5 B)" where the rate
 * says nothing. */
void progress_summary(const struct progress *p, struct buf *b);

/* What is drawn. */
struct progress_view {
	const char *label;
	uint64_t done;
	uint64_t total; /* or PROGRESS_UNKNOWN */
	uint64_t bps;
	uint64_t elapsed_s;
};

/* Appends the bar's line, ${columns} wide at most. */
void progress_bar(const struct progress_view *v, size_t columns, struct buf *b);
/* Appends "movie.mkv: 45%, 1.2 GiB of 2.7 GiB, 85.3 MiB/s, 0:42 left". */
void progress_line(const struct progress_view *v, struct buf *b);

#endif
