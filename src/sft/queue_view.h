/* SPDX-License-Identifier: MIT */
#ifndef SFT_QUEUE_VIEW_H
#define SFT_QUEUE_VIEW_H

/* The queue in what /status answers, for people. */

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"

/* How many move, wait and have ended, and a table of them in this order, those
 * that wait by their turns; ${width} as for status_view_all(). */
void queue_view_all(const json_t *answer, size_t width, struct buf *b);

/* One entry on a line, for a list of what happens. */
void queue_view_line(const json_t *entry, struct buf *b);

#endif
