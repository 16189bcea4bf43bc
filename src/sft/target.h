/* SPDX-License-Identifier: MIT */
#ifndef SFT_TARGET_H
#define SFT_TARGET_H

/*
 * Where downloads are to go, from the names and --output.  The last segment of
 * a name, checked as a file name, is all of it that becomes part of a path.
 */

#include <stddef.h>

#include "base/err.h"

struct target {
	char *name; /* normalised, as it is asked for */
	char *path; /* or "-", standard output */
};

/*
 * For each of ${names}.  ${output} is NULL (the current folder), "-", a folder
 * (an existing one, or with a '/' at the end: made when missing) or, for one
 * name, a file.  ERR_USAGE for an invalid name, two names with one path, or
 * several with one file.
 */
struct target_input {
	char *const *names;
	size_t n;
	const char *output;
};
int target_list(const struct target_input *in, struct target **ret_targets,
    struct err *err);
void target_list_free(struct target *targets, size_t n); /* NULL is fine */

#endif
