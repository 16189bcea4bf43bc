/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_UPLOAD_BATCH_H
#define ENGINE_UPLOAD_BATCH_H

/*
 * Many files of one request, published together (ADR 19).
 *
 *   upload_batch_new
 *     upload_batch_add, for each file, in their order
 *       batch_file_begin -> batch_file_fill      or batch_file_fail
 *   upload_batch_commit
 *   upload_batch_free, at any time
 *
 * A file that fails fails alone; its transfer ends at once.  The bytes of each
 * file are made durable when they have come, out of sight; the commit places
 * them and makes all records in one transaction: before it nobody sees any of
 * them, after it everybody all.
 *
 * Each file is a transfer of its own, which can be cancelled until then.
 * Whoever cancels only leaves a mark: the thread that reads the body sees it,
 * within BATCH_LOOK_MS when the client is silent.
 *
 * Owned by one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/source.h"
#include "db/rec_file.h"
#include "engine/upload.h"

#define BATCH_LOOK_MS 250

struct upload_batch;
struct batch_file;

/* ${wake} is called with ${arg} when a file was cancelled: any thread, must
 * not block, ends with upload_batch_free(). */
struct upload_batch *upload_batch_new(
    struct engine *e, void (*wake)(void *arg), void *arg);
/* What was begun and is not published ends as ${why} says; nothing of it is
 * kept.  NULL is fine. */
void upload_batch_free(struct upload_batch *b, const struct err *why);

/* ${body}, with cancelled files being ended while it is waited for.  Borrowed;
 * ${body} stays the caller's. */
struct source *upload_batch_body(struct upload_batch *b, struct source *body);

/* The next file: ${shown} is what its client calls it, for the result.
 * ERR_INVALID_PARAMETER: one more than LIMIT_BATCH_FILES. */
int upload_batch_add(struct upload_batch *b, const char *shown,
    struct batch_file **ret_file, struct err *err);

/* Who is told when it is cancelled, for a transfer that waits for its turn. */
struct mover *batch_file_mover(struct batch_file *f);
/* Was it cancelled, and what is to be said then? */
bool batch_file_is_cancelled(const struct batch_file *f, struct err *err);
/* It comes to nothing: before it was begun. */
void batch_file_fail(struct batch_file *f, const struct err *why);
/* ${req}: its mover is set here.  As upload_begin(); after -1
 * batch_file_fail() is due. */
int batch_file_begin(
    struct batch_file *f, struct upload_request *req, struct err *err);
/*
 * Takes ${body} to its end, or until the file fails, which is no failure of
 * the batch: 0.  -1: ${body} itself failed, and with it the batch.  With a
 * decision on encryption in ${o} the file is made durable at once; else it
 * waits for the commit.
 */
int batch_file_fill(struct batch_file *f, struct source *body,
    const struct upload_options *o, struct err *err);

/*
 * All files that have not failed become true, with these options (but for the
 * name).  Some may fail here: ERR_FILE_EXISTS ...  -1: none of them did become
 * true.
 */
int upload_batch_commit(
    struct upload_batch *b, const struct upload_options *o, struct err *err);

/* What became of a file; borrowed from the batch.  After the commit. */
struct batch_result {
	const char *filename;        /* as its client called it; NULL: not */
	const struct rec_file *file; /* NULL: it failed ... */
	const struct err *why;       /* ... and why */
};
size_t upload_batch_count(const struct upload_batch *b);
void upload_batch_result(
    const struct upload_batch *b, size_t i, struct batch_result *ret);

#endif
