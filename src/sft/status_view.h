/* SPDX-License-Identifier: MIT */
#ifndef SFT_STATUS_VIEW_H
#define SFT_STATUS_VIEW_H

/* What /status answers, for people. */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "sft/text.h"

/* All transfers and the queue as tables, ${width} columns wide at most (0: as
 * wide as they get). */
void status_view_all(const json_t *answer, size_t width, struct buf *b);

/* One transfer, a line for each thing that is known of it. */
void status_view_one(const json_t *transfer, struct buf *b);

/* One transfer on a line, for a list of what happens. */
void status_view_line(const json_t *transfer, struct buf *b);

/* --- of use for other lists of transfers ---------------------------------- */

/* The figures of a transfer as text, "" where there is nothing to say. */
struct status_figures {
	char percent[TEXT_SIZE];
	char done[TEXT_SIZE];
	char total[TEXT_SIZE];
	char rate[TEXT_SIZE]; /* of a moving one, as the time that is left */
	char left[TEXT_SIZE];
	char changed[TEXT_SIZE];
};
void status_figures(const json_t *transfer, struct status_figures *ret);

bool status_is_moving(const json_t *transfer);
/* "up", "down", or "-". */
const char *status_way(const json_t *transfer);

#endif
