/* SPDX-License-Identifier: MIT */
#ifndef SFT_CHUNK_BODY_H
#define SFT_CHUNK_BODY_H

/* The form of one chunk: fields, and then a part of a file. */

#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"
#include "sft/http.h"
#include "sft/progress.h"

struct chunk_body;

struct chunk_part {
	int fd; /* borrowed, read with pread() */
	uint64_t offset;
	uint64_t n;
	struct progress *progress; /* told of what is sent */
};

struct chunk_body *chunk_body_new(const struct chunk_part *part);
/* ${value} NULL: the field is left out.  Before chunk_body_get(). */
void chunk_body_field(
    struct chunk_body *b, const char *name, const char *value);
void chunk_body_number(struct chunk_body *b, const char *name, uint64_t value);
/* For one request; valid until chunk_body_free(). */
const struct http_body *chunk_body_get(struct chunk_body *b);
/* What was counted as sent is taken back: it is sent again. */
void chunk_body_restart(struct chunk_body *b);
void chunk_body_free(struct chunk_body *b);

/* The part's SHA-256.  ERR_IO, also when the file became shorter. */
int chunk_body_hash(
    const struct chunk_part *part, char ret[SHA256_HEX_SIZE], struct err *err);

#endif
