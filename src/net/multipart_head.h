/* SPDX-License-Identifier: MIT */
#ifndef NET_MULTIPART_HEAD_H
#define NET_MULTIPART_HEAD_H

/* The fields of multipart/form-data: one part's head, and the boundary.  Pure;
 * for multipart.c. */

#include "base/err.h"
#include "base/slice.h"

/* All owned; NULL where there is none.  ${name} is never empty. */
struct multipart_head {
	char *name;
	char *filename;
	char *content_type;
};

/*
 * Parses a part's fields: ${text} is its lines, separated by CRLF, without
 * the empty one.  ERR_MALFORMED_REQUEST, or ERR_INVALID_FILENAME for a
 * filename* that is well-formed but decodes to no UTF-8 or to a NUL.  Control
 * characters in a filename are tabs in ${filename}, so that it is refused.
 */
int multipart_head_parse(
    struct slice text, struct multipart_head *ret_head, struct err *err);

/* Frees and empties; for a head that was set to zeros or parsed. */
void multipart_head_fini(struct multipart_head *head);

/* The boundary out of the request's Content-Type as a new string;
 * errors as multipart_new() has them. */
int multipart_head_boundary(
    struct slice content_type, char **ret_boundary, struct err *err);

#endif
