/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

/*
 * The data path of an upload: body -> hash and CRC -> blob, in order.
 *
 *   wait for the client (no buffer held) -> borrow a buffer -> read ->
 *   digest (on a second thread when a core is free) and write to the blob
 *
 * While a client keeps up, up to INTAKE_BUFFERS are in turn, so that hashing,
 * writing and reading overlap; as soon as it pauses all are given back.
 *
 * Owned by one thread.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/digest.h"
#include "engine/engine.h"
#include "storage/storage.h"

#define INTAKE_BUFFERS 3
/* The first bytes, kept to tell the type. */
#define INTAKE_HEAD 4096

struct intake {
	struct engine *engine;
	struct blob *blob;         /* borrowed */
	struct transfer *transfer; /* borrowed; told of every slice */
	uint64_t size_max;         /* beyond it: ERR_FILE_TOO_LARGE */
	struct space_hold *hold;   /* borrowed; told of every write */
	uint64_t offset;           /* bytes taken so far */
	struct digest *digest;
	void *buffers[INTAKE_BUFFERS];
	unsigned turn;
	bool fast; /* the client filled much of the last read */
	unsigned char head[INTAKE_HEAD];
};

/* What an upload works on. */
struct intake_target {
	struct blob *blob;
	struct transfer *transfer;
	struct space_hold *hold;
};
void intake_init(
    struct intake *in, struct engine *e, const struct intake_target *target);
/* Takes ${body} to its end. */
int intake_run(struct intake *in, struct source *body, struct err *err);
/* What was taken. Once. */
void intake_result(struct intake *in, struct digest_result *ret);
void intake_fini(struct intake *in);

#endif
