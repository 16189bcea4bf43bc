/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ROTATE_H
#define ENGINE_ROTATE_H

/*
 * Changing the master key: every container's data key is wrapped anew, under
 * the current key, in place (rule 13).  Works beside a running server that
 * knows both keys, may end at any point, and goes on where it was when it is
 * run again.  One container that cannot be changed does not keep the others.
 * Passes over all objects follow each other until one finds nothing to do, so
 * that what a server made meanwhile under an older key is found, too.  Sealed
 * previews change with them.
 *
 * Which objects are containers is told by their records, never by how they
 * begin: somebody may have uploaded a container as a plain file.
 */

#include <stdint.h>

#include "engine/engine.h"

struct rotate_control {
	/* A container that stays as it is: its key is missing, it is damaged,
	 * or cannot be read or written; ${name}: of the file, or of the
	 * object. */
	void (*failed)(void *arg, const char *name, const struct err *why);
	void *arg;
};

#define ROTATE_PASSES_MAX 100

struct rotate_sum {
	uint64_t containers; /* that the last pass found */
	uint64_t wrapped;    /* anew, by all passes */
	uint64_t failed;     /* in the last pass */
};

/*
 * ERR_SETTING: a server runs that has not been started with the current key,
 * or one that seals with another key all the time (ROTATE_PASSES_MAX passes
 * each found something).  When none failed, older keys are needed no more.
 */
int rotate_run(struct engine *e, const struct rotate_control *control,
    struct rotate_sum *sum, struct err *err);

#endif
