/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_REWRITE_H
#define ENGINE_REWRITE_H

/*
 * Makes plain what was stored sealed only because its form had not said in
 * time that it need not be encrypted (rule 1).  Each such file is copied, its
 * record is turned to the copy by compare-and-set, and the sealed blob goes
 * to the trash; one that was replaced meanwhile is left alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

struct rewrite_control {
	/* Before each step of at most a buffer: returns when there is nothing
	 * more urgent to do; false ends the run. */
	bool (*wait_until_idle)(void *arg);
	/* This one stays as it is for now. */
	void (*failed)(void *arg, const char *filename, const struct err *why);
	void *arg;
};

/* One pass over all such files: how many were rewritten.  ERR_SHUTTING_DOWN
 * when it was stopped.  On a thread of its own. */
int rewrite_run(struct engine *e, const struct rewrite_control *control,
    uint64_t *ret_files, struct err *err);

#endif
