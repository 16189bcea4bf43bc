/* SPDX-License-Identifier: MIT */
#ifndef PREVIEW_JAIL_H
#define PREVIEW_JAIL_H

/*
 * The walls around a decoder that may be led by whoever made the image.  What
 * it can do once they stand: compute, in PREVIEW_MEMORY_MAX of memory, with
 * threads; read and write the descriptors it has; receive another.  No file,
 * no socket, no other program, no memory that is both written and executed.
 *
 * Who goes on to fork decoders enters; each decoder shuts the door.
 */

#include "base/err.h"

/* Gives way to whatever else the machine has to do. */
void jail_give_way(void);
/* Leaves behind what no decoder is to have: descriptors, privileges, a core,
 * memory beyond the limit. */
int jail_enter(struct err *err);
/* In the process that decodes, after jail_enter().  No way back. */
int jail_shut(struct err *err);
/* Ends the process when its image takes too long, also if the server is
 * gone. */
void jail_watch(void);

#endif
