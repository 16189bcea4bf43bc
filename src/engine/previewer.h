/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PREVIEWER_H
#define ENGINE_PREVIEWER_H

/*
 * The few sft-preview processes of a server: started when they are needed,
 * used again and again, replaced when they fail, ended when nobody needs them.
 * PREVIEWER_PROMPT of them work for those who wait for a preview, one more at
 * idle priority ahead of the need.  Any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"

#define PREVIEWER_PROMPT 2
/* Who may wait until one of those is free, and for how long. */
#define PREVIEWER_WAITING_MAX 64
#define PREVIEWER_WAIT_MS 30000
/* Without work for so long, it ends. */
#define PREVIEWER_REST_MS 60000

#define PREVIEWER_VERSION_SIZE 64

struct previewer;

/* ${program}: the path of sft-preview. */
struct previewer *previewer_new(const char *program);
/* When nobody is in previewer_make().  NULL is fine. */
void previewer_free(struct previewer *p);

/* Is the program there? */
bool previewer_is_there(const struct previewer *p);
/* The decoder's version; "" before the first one has worked. */
void previewer_version(struct previewer *p, char ret[PREVIEWER_VERSION_SIZE]);

struct previewer_job {
	struct source *src; /* the image; stays the caller's */
	bool is_idle;
	/* See decoder.h. */
	int (*check)(void *arg, struct err *err);
	void *arg;
};
/*
 * As decoder_run(); ERR_SERVER_BUSY when too many wait or one has waited too
 * long, ERR_UNAVAILABLE when no program can be started.
 */
int previewer_make(struct previewer *p, const struct previewer_job *job,
    struct buf *ret_jpeg, struct err *err);
/* Who waits until one is free. */
unsigned previewer_waiting(struct previewer *p);
/* Ends those that have rested long enough. */
void previewer_tidy(struct previewer *p);

#endif
