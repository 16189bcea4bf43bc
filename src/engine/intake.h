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
 * How the bytes come to lie (rule 1):
 *
 *   plain      they are written as they come
 *   sealed     they gather in a window; as soon as it is full, or the client
 *              pauses, its whole segments are sealed and written.  The last
 *              1..65536 bytes wait for the end: only then is it known that
 *              their segment is the last
 *   undecided  they wait in memory; beyond INTAKE_HELD_MAX they are sealed
 *
 * Plaintext of what is not plain reaches no disk.
 *
 *   intake_init -> intake_run -> intake_settle -> intake_result
 *   intake_fini at any time
 *
 * Owned by one thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "db/rec_file.h"
#include "engine/engine.h"
#include "storage/storage.h"

#define INTAKE_BUFFERS 3
/* The first bytes, kept to tell the type. */
#define INTAKE_HEAD 4096
/* What waits in memory to hear whether it is to be encrypted. */
#define INTAKE_HELD_MAX ((size_t)1024 * 1024)

enum intake_path { INTAKE_PLAIN, INTAKE_SEALED, INTAKE_UNDECIDED };

struct intake_mode;

/*
 * ${waiting} bytes wait at ${window}: a borrowed buffer (buffers[turn]), or
 * memory of our own (${own}), or there are none and it is NULL.
 */
struct intake {
	struct engine *engine;
	const struct intake_mode *mode;
	struct blob *blob;         /* borrowed */
	struct transfer *transfer; /* borrowed; told of every slice */
	uint64_t size_max;         /* beyond it: ERR_FILE_TOO_LARGE */
	struct space_hold *hold;   /* borrowed; told of every write */
	uint64_t offset;           /* bytes taken so far */
	uint64_t stored;           /* bytes written to the blob */
	struct digest *digest;
	unsigned char *buffers[INTAKE_BUFFERS];
	unsigned turn;
	bool fast; /* the client filled much of the last read */
	struct seal *seal;
	uint64_t segments; /* sealed and written */
	unsigned char *window;
	size_t waiting;
	unsigned char *own;
	size_t own_size;
	size_t held; /* of own_size, from the engine's budget */
	unsigned char head[INTAKE_HEAD];
};

/* What an upload works on. */
struct intake_target {
	struct blob *blob;
	struct transfer *transfer;
	struct space_hold *hold;
	enum intake_path path;
};
void intake_init(
    struct intake *in, struct engine *e, const struct intake_target *target);
/* Takes ${body} to its end. */
int intake_run(struct intake *in, struct source *body, struct err *err);
/* The client's last word on encryption; what was undecided is written. */
int intake_settle(struct intake *in, bool encryption, struct err *err);
/* How the bytes lie, and how many they are in storage; once settled. */
enum rec_layout intake_layout(const struct intake *in);
uint64_t intake_stored(const struct intake *in);
/* What was taken. Once. */
void intake_result(struct intake *in, struct digest_result *ret);
void intake_fini(struct intake *in);

#endif
