/* SPDX-License-Identifier: MIT */
#ifndef SFT_WATCH_H
#define SFT_WATCH_H

/*
 * Shows what the server answers: once, or again whenever GET /events tells of a
 * change until Ctrl-C, on a terminal drawn in place, elsewhere a line for each
 * change.  With --json it is the answer, on one line when it comes again and
 * again.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "sft/cli.h"

struct watch {
	struct cli *cli;
	struct cli_ask ask;
	const char *events; /* "/events?file=...", which tells when to ask */
	/* The answer for people, ${width} columns wide at most (0: as wide as
	 * it gets). */
	void (*show)(const json_t *answer, size_t width, struct buf *b);
	/* What changes: the members of this list, told apart by their "id";
	 * NULL: the answer itself. */
	const char *list;
	bool is_newest_first; /* the list; it is told the other way round */
	/* One of them on a line, which is told when it is another one than
	 * before. */
	void (*line)(const json_t *one, struct buf *b);
	/* What --json shows of the answer, a new reference; NULL: all. */
	json_t *(*json)(const json_t *answer);
};

int watch_once(const struct watch *w, struct err *err);

/* 0 with FAIL_INTERRUPTED as the exit status after Ctrl-C, which is how one
 * leaves.  A server that was there and goes is waited for; one that was not,
 * and one that has no events, is an error. */
int watch_run(const struct watch *w, struct err *err);

#endif
