/* SPDX-License-Identifier: MIT */
#ifndef SFT_FILE_HASH_H
#define SFT_FILE_HASH_H

/*
 * The SHA-256 of a whole file, computed by a thread of its own while parts of
 * the file are on their way.  Any thread may ask for it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"
#include "sft/interrupt.h"

struct file_hash;

/* ${fd} is borrowed, and read with pread(), ${size} bytes from its start. */
struct file_hash_options {
	int fd;
	uint64_t size;
	struct interrupt *interrupt;
};
int file_hash_start(const struct file_hash_options *o, struct file_hash **ret_h,
    struct err *err);
/* Stops what is not done.  NULL is fine. */
void file_hash_close(struct file_hash *h);

/* In hex; "" when it is not known yet, for which only ${wait} waits.  ERR_IO,
 * also when the file became shorter; ERR_INTERRUPTED. */
int file_hash_get(
    struct file_hash *h, bool wait, char ret[SHA256_HEX_SIZE], struct err *err);

#endif
