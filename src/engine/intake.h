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
 * What is taken may be the whole file or one piece of it that goes to its
 * place (struct intake_piece).
 *
 * Owned by one thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
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

/* Who is told of what happens, and may refuse it: 0 or -1. */
struct intake_owner {
	/* ${n} bytes are about to be stored. */
	int (*stores)(void *arg, uint64_t n, struct err *err);
	/* ${n} bytes more were taken. */
	int (*took)(void *arg, uint64_t n, struct err *err);
	void *arg;
};

/* What the end of the body means to what is sealed. */
enum intake_end {
	INTAKE_FILE_ENDS, /* the last segment is the file's last */
	/* Whole segments are stored, the rest waits: intake_rest(). */
	INTAKE_SEGMENTS_END,
	/* The same, but the last 1..65536 bytes wait in any case; and so they
	 * do when the body is cut, after all that arrived. */
	INTAKE_TAIL_WAITS,
};

/* A piece of a file: where it begins. */
struct intake_piece {
	uint64_t stored;         /* in the blob */
	uint64_t segment;        /* sealed: the index of its first */
	const struct seal *seal; /* sealed: of a container whose header is
	                          * stored; borrowed */
	enum intake_end end;
};

/*
 * ${waiting} bytes wait at ${window}: a borrowed buffer (buffers[turn]), or
 * memory of our own (${own}), or there are none and it is NULL.
 */
struct intake {
	struct engine *engine;
	const struct intake_mode *mode;
	struct blob *blob; /* borrowed */
	struct intake_owner owner;
	uint64_t offset; /* bytes taken so far */
	uint64_t stored; /* where in the blob the next byte goes */
	struct digest *digest;
	bool has_own_digest;
	unsigned char *buffers[INTAKE_BUFFERS];
	unsigned turn;
	bool fast; /* the client filled much of the last read */
	const struct seal *seal;
	struct seal *own_seal; /* NULL: it is the piece's */
	uint64_t segments;     /* index of the next to be sealed */
	enum intake_end end;
	bool is_kept;
	unsigned char *window;
	size_t waiting;
	unsigned char *own;
	size_t own_size;
	size_t held; /* of own_size, from the engine's budget */
	unsigned char head[INTAKE_HEAD];
};

/* What it works on. */
struct intake_target {
	struct blob *blob;
	enum intake_path path;
	struct intake_owner owner;
	struct intake_piece piece; /* zeroed: a whole file */
	struct digest *digest; /* borrowed; NULL: a new one, of what is taken */
	bool is_unhashed;      /* none at all */
};
void intake_init(
    struct intake *in, struct engine *e, const struct intake_target *target);
/* Before intake_run(), sealed: the ${n} (at most SEAL_SEGMENT) bytes that
 * waited stand in front; they are not taken again. */
int intake_prepend(struct intake *in, const void *p, size_t n, struct err *err);
/* Takes ${body} to its end. */
int intake_run(struct intake *in, struct source *body, struct err *err);
/* Did a body that was cut leave all that arrived stored, or waiting? */
bool intake_kept(const struct intake *in);
/* What waits, in memory of the intake's; after intake_run(). */
struct slice intake_rest(const struct intake *in);
/* Bytes that were taken. */
uint64_t intake_taken(const struct intake *in);
/*
 * All of a whole file was taken, but encryption is undecided, and many such
 * wait: what waits takes no more memory than it needs, and the blob is not
 * used until intake_take_up() brings its new handle.  For intake_settle() then.
 */
void intake_lay_by(struct intake *in);
void intake_take_up(struct intake *in, struct blob *blob);
/* The client's last word on encryption; what was undecided is written. */
int intake_settle(struct intake *in, bool encryption, struct err *err);
/* How the bytes lie, and where they end in storage; once settled. */
enum rec_layout intake_layout(const struct intake *in);
uint64_t intake_stored(const struct intake *in);
/* What was taken. Once. */
void intake_result(struct intake *in, struct digest_result *ret);
void intake_fini(struct intake *in);

#endif
