/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STORED_H
#define ENGINE_STORED_H

/*
 * The bytes of a file as they are read back from storage, opened where they
 * are sealed.  The file's blob is pinned, by whoever calls these.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/seal.h"
#include "db/rec_file.h"
#include "engine/engine.h"

/* Bytes of the blob, when it seems sound: what is sealed shows its damage
 * segment by segment.  ERR_FILE_DAMAGED; ERR_ABSENT when it was removed before
 * it was pinned. */
int stored_check(struct engine *e, const struct rec_file *f,
    uint64_t *ret_stored, struct err *err);
/* The record says a blob that is not there, and it was not replaced:
 * ERR_FILE_DAMAGED, and the record says so from now on. */
int stored_report_loss(
    struct engine *e, const struct rec_file *f, struct err *err);
/* A container's header as a rotation of keys left it, never half of two (rule
 * 13). */
int stored_header(struct engine *e, const struct rec_file *f,
    unsigned char ret[SEAL_HEADER_SIZE], struct err *err);
/* A range of the plaintext; ${stored} as stored_check() said.
 * ERR_DECRYPTION_FAILED, ERR_KEY_MISSING. */
struct stored_range {
	uint64_t stored;
	struct storage_range plain;
};
int stored_open(struct engine *e, const struct rec_file *f,
    const struct stored_range *r, struct source **ret_src, struct err *err);

#endif
