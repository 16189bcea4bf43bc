/* SPDX-License-Identifier: MIT */
#ifndef SFT_BATCH_BODY_H
#define SFT_BATCH_BODY_H

/*
 * The form of a batch as the body of a request: its parts are read from the
 * files one after the other, as they are sent, and hashed.
 *
 * A file has as many bytes as when it was looked at; one that became shorter
 * ends the request.  One thread's.
 */

#include "base/err.h"
#include "sft/http.h"
#include "sft/progress.h"
#include "sft/walk.h"

struct batch_body;

/* Both outlive it; ${progress} is told of the files' bytes.  Writes each
 * file's sha256 when all of it was sent. */
struct batch_body *batch_body_new(
    struct walk *files, struct progress *progress);
void batch_body_free(struct batch_body *b); /* NULL is fine */

/* For requests, one after the other; valid until batch_body_free(). */
const struct http_body *batch_body_get(struct batch_body *b);

#endif
