/* SPDX-License-Identifier: MIT */
#ifndef PROTO_FILENAME_H
#define PROTO_FILENAME_H

/*
 * File names, as "File names" of the contract: UTF-8 in NFC, at most
 * FILENAME_MAX_BYTES, '/' between segments of 1-255 bytes.
 */

#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"

#define FILENAME_MAX_BYTES 1024
#define FILENAME_SEGMENT_MAX 255
#define FILENAME_EXTENSION_SIZE 32

/* Checks and normalises: a new string in *${ret_name}, for the caller to
 * free().  ERR_INVALID_FILENAME says which rule is broken (without echoing the
 * name). */
int filename_normalise(struct slice name, char **ret_name, struct err *err);

/* The last segment of what a browser sent ("C:\x\a.txt", "dir/a.txt"),
 * borrowed; what follows is checked by filename_normalise(). */
struct slice filename_reduce(struct slice name);
/* The last segment of a valid name, borrowed. */
const char *filename_last(const char *name);
/* ".jpg" with the dot, ASCII letters in lower case, of a valid name; "" when
 * there is none ("a", ".profile", "a.") or it does not fit into ${ret}. */
void filename_extension(const char *name, char ret[FILENAME_EXTENSION_SIZE]);

#endif
