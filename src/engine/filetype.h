/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FILETYPE_H
#define ENGINE_FILETYPE_H

/*
 * The media type of a file, by its content first and its name second.
 *
 * libmagic reads a magic file of our own (filetype_magic.c) with the types that
 * matter to people: its full database takes 0.2-1 ms a file and 11 MiB of
 * memory, ours some microseconds (docs/adr/0007).  Text is told from binary by
 * its bytes; what kind of text is told by its name.
 *
 * Any thread.
 */

#include <stddef.h>

#include "base/err.h"

struct filetype;

int filetype_new(struct filetype **ret_ft, struct err *err);
void filetype_free(struct filetype *ft);
/* ${head}: the first bytes of the content (4 KiB are enough).  The answer is
 * a constant string; "application/octet-stream" when nothing is known. */
const char *filetype_of(
    struct filetype *ft, const void *head, size_t n, const char *filename);

#endif
