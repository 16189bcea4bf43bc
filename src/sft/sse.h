/* SPDX-License-Identifier: MIT */
#ifndef SFT_SSE_H
#define SFT_SSE_H

/*
 * A stream of Server-Sent Events (HTML, "Interpreting an event stream"), taken
 * in as it comes.  Owned by one thread.
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* The longest line, and the longest event. */
#define SSE_MAX ((size_t)1024 * 1024)
#define SSE_NAME_SIZE 64

typedef int (*sse_fn)(
    void *arg, const char *event, struct slice data, struct err *err);

struct sse {
	struct buf line;
	struct buf data;
	char event[SSE_NAME_SIZE]; /* "" when not said */
	char id[SSE_NAME_SIZE];    /* of the newest event that had one */
	sse_fn fn;
	void *arg;
};

void sse_init(struct sse *s, sse_fn fn, void *arg);
void sse_fini(struct sse *s);
/* A new connection: what the old one did not end is forgotten, the id is not.
 */
void sse_begin(struct sse *s);
/* Calls ${fn} for each event that has data.  ERR_IO when a line or an
 * event is too long; the error of ${fn}. */
int sse_feed(struct sse *s, const char *p, size_t n, struct err *err);

#endif
