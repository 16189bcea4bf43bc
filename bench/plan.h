/* SPDX-License-Identifier: MIT */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

/*
 * What the load generator sends: the requests of one run, alike but for their
 * number, which replaces each '#' of the target and of the form's values.
 * Bodies come from one memory file of random bytes, so that they go out by
 * sendfile() and cost the server's cores next to nothing.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* The payload; longer bodies wrap round. */
#define PLAN_PAYLOAD (64u * 1024 * 1024)
/* Bodies up to this go out in one send() with their head. */
#define PLAN_SMALL (64u * 1024)

struct plan {
	const char *method;
	const char *target;
	const char *host;      /* value of the Host field */
	const char *form_file; /* NULL: raw body; else the part's file name */
	const char *fields;    /* more lines of the head; NULL: none */
	/* NULL, or the name of one file, of which each request sends a chunk
	 * of size bytes (POST /upload_chunk), ${chunks} in all. */
	const char *chunked;
	uint64_t chunks;
	const char *encryption; /* then; "false" or "true" */
	uint64_t size;          /* of the file's content */
	char (*hashes)[65];     /* of the chunks that the payload has, */
	uint64_t distinct;      /* so many, a power of two */
	int payload_fd;         /* -1 when size is 0 */
	const char *payload;    /* mapped */
};

/* Makes the payload when there is something to send.  Aborts when memory is
 * out. */
int plan_open(struct plan *p, struct err *err);
void plan_close(struct plan *p);

/* One request: ${head}, then body_left bytes of the payload from body_off,
 * then ${tail}.  Small bodies are in ${head} already. */
struct plan_request {
	struct buf head;
	struct buf tail;
	uint64_t body_off;
	uint64_t body_left;
};

void plan_request_init(struct plan_request *r);
void plan_request_fini(struct plan_request *r);
/* The ${job}th request. */
int plan_request_set(const struct plan *p, uint64_t job, struct plan_request *r,
    struct err *err);

#endif
