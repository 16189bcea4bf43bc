/* SPDX-License-Identifier: MIT */
#ifndef PREVIEW_JAIL_H
#define PREVIEW_JAIL_H

/*
 * The walls around a decoder that may be led by whoever made the image.  What
 * it can do once they stand: compute, in PREVIEW_MEMORY_MAX of memory, with
 * threads; read and write the descriptors it has; receive another.  No file,
 * no socket, no other program, no memory that is both written and executed.
 */

#include <stdbool.h>

#include "base/err.h"

/* Gives way to whatever else the machine has to do. */
void jail_give_way(void);
/* No way back. */
int jail_shut(struct err *err);
/* Ends the process when the image that is decoded now takes too long, also
 * if the server is gone; false: it is done. */
void jail_watch(bool on);

#endif
