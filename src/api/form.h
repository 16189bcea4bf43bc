/* SPDX-License-Identifier: MIT */
#ifndef API_FORM_H
#define API_FORM_H

/*
 * A form (RFC 7578) as its parts come: some hold bytes, files or a chunk of
 * one, the others are options.  In any order, and any of them may come late.
 */

#include "base/err.h"
#include "base/source.h"
#include "net/multipart.h"

struct call;

/* From a handler of a part that holds bytes: what came behind it has been read
 * as well, there is nothing more. */
#define FORM_ENDS 2

struct form_kind {
	const char *holds; /* what it has to hold: "file" */
	const char *part;  /* what the part of that is called */
	size_t parts_max;
	bool (*is_bytes)(const char *name);
	/* 0, -1, FORM_ENDS, or 1: it waits for its turn (api/turn.h). */
	int (*take_bytes)(
	    void *arg, const struct multipart_part *part, struct err *err);
	/* Any other part: 0, -1.  What it leaves unread is skipped. */
	int (*take_field)(void *arg, const char *name, struct err *err);
};

/* Begins to read a form from ${body} (borrowed).  ERR_MISSING_FILE when the
 * request is none; ERR_MALFORMED_REQUEST. */
int form_open(struct call *c, const struct form_kind *kind, struct source *body,
    struct multipart **ret_mp, struct err *err);
/* Hands every part that is left to ${kind}'s handlers: 0 at the form's end, 1
 * when one of them waits (call it again for what follows that part), -1. */
int form_read(const struct form_kind *kind, struct multipart *mp, void *arg,
    struct err *err);
/* The form has ended, and nothing held bytes: -1. */
int form_lacks(const struct form_kind *kind, struct err *err);

#endif
