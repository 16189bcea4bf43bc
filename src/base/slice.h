/* SPDX-License-Identifier: MIT */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

/*
 * A borrowed run of bytes: not owned, not NUL-terminated, valid as long as
 * what it points into.  Passed by value.
 */

#include <stdbool.h>
#include <stddef.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE_NULL ((struct slice){ NULL, 0 })
#define SLICE_LIT(s) ((struct slice){ (s), sizeof(s) - 1 })

struct slice slice_str(const char *s); /* NULL gives the null slice */
bool slice_eq(struct slice a, struct slice b);
bool slice_eq_str(struct slice a, const char *s);
/* ASCII case is ignored (RFC 9110 field names and tokens). */
bool slice_eq_nocase(struct slice a, const char *s);
bool slice_starts(struct slice a, const char *prefix);
/* Without spaces and tabs (OWS, RFC 9110 5.6.3) at both ends. */
struct slice slice_trim(struct slice a);
/*
 * Takes the text before the first ${sep} off the front of ${rest}; false at
 * the end.  "a,b" gives "a", "b"; "" gives nothing.
 */
bool slice_next(struct slice *rest, char sep, struct slice *ret_part);
/* A NUL-terminated copy for the caller to free(). */
char *slice_dup(struct slice a);

#endif
