/* SPDX-License-Identifier: MIT */
#ifndef SFT_STATUS_VIEW_H
#define SFT_STATUS_VIEW_H

/* What /status answers, for people. */

#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"

/* All transfers and the queue as tables, ${width} columns wide at most (0: as
 * wide as they get). */
void status_view_all(const json_t *answer, size_t width, struct buf *b);

/* One transfer, a line for each thing that is known of it. */
void status_view_one(const json_t *transfer, struct buf *b);

/* One transfer on a line, for a list of what happens. */
void status_view_line(const json_t *transfer, struct buf *b);

#endif
