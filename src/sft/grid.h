/* SPDX-License-Identifier: MIT */
#ifndef SFT_GRID_H
#define SFT_GRID_H

/*
 * How a file is cut into chunks of one size, the last one shorter, and which of
 * them the server has already.
 *
 * Not guarded: whoever shares one does that.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"

#define GRID_CHUNK_MIN ((uint64_t)1024)
#define GRID_CHUNK_MAX ((uint64_t)1024 * 1024 * 1024)
#define GRID_COUNT_MAX ((uint64_t)1000000)

struct grid {
	uint64_t size;        /* the file's */
	uint64_t chunk_size;  /* of all but the last */
	uint64_t count;       /* an empty file is one chunk */
	unsigned char *there; /* bits */
	uint64_t missing;     /* chunks that grid_next() has not given */
	uint64_t cursor;
};

/* Nothing is there.  A ${chunk_size} that would make too many chunks is
 * enlarged. */
void grid_init(struct grid *g, uint64_t size, uint64_t chunk_size);
void grid_fini(struct grid *g); /* also for one of zeros */

/*
 * Takes up what the answer of GET /resume_info says, and the chunk size with
 * it: an upload that was begun in other chunks can only be gone on with in
 * those.  False, and nothing changes, when there is no upload, or none
 * of a file of this size.
 */
bool grid_resume(struct grid *g, const json_t *info);

/* The next chunk that is not there; false: there is none. */
bool grid_next(struct grid *g, uint64_t *ret_chunk);

uint64_t grid_chunk_bytes(const struct grid *g, uint64_t chunk);
/* Bytes that were there when it began. */
uint64_t grid_there(const struct grid *g);

#endif
