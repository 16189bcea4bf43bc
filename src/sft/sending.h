/* SPDX-License-Identifier: MIT */
#ifndef SFT_SENDING_H
#define SFT_SENDING_H

/*
 * What an upload sends: a file or a stream (standard input, a pipe), hashed
 * and counted as it passes.  A stream has no size, waits, and cannot begin
 * anew.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/sha256.h"
#include "sft/http.h"
#include "sft/progress.h"

#define SENDING_STDIN "-"

/*
 * Opens ${path}; SENDING_STDIN is standard input.  ${progress} is told of what
 * passes and outlives it.  ERR_ABSENT, ERR_IO; a directory is ERR_USAGE.
 */
struct sending;
int sending_open(const char *path, struct progress *progress,
    struct sending **ret_s, struct err *err);
void sending_close(struct sending *s); /* NULL is fine */

/* PROGRESS_UNKNOWN for a stream. */
uint64_t sending_size(const struct sending *s);
/* For one request; valid until sending_close(). */
const struct http_body *sending_body(struct sending *s);

/* After the request: how much was sent, and its SHA-256 in hex. */
uint64_t sending_sent(const struct sending *s);
void sending_hash(struct sending *s, char ret[SHA256_HEX_SIZE]);

#endif
