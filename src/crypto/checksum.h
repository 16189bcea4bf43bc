/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_CHECKSUM_H
#define CRYPTO_CHECKSUM_H

/*
 * Sums that clients may send beside their bytes, by name.  For finding damage
 * on the way; SHA-1 is good for nothing more.
 */

#include <stddef.h>

#include "base/slice.h"

#define CHECKSUM_MAX_SIZE 32

enum checksum_kind { CHECKSUM_NONE, CHECKSUM_SHA1, CHECKSUM_SHA256 };

/* "sha1", "sha256"; CHECKSUM_NONE for others. */
enum checksum_kind checksum_of_name(struct slice name);
size_t checksum_size(enum checksum_kind kind);

struct checksum;
struct checksum *checksum_new(enum checksum_kind kind);
void checksum_add(struct checksum *c, const void *p, size_t n);
void checksum_final(struct checksum *c, unsigned char ret[CHECKSUM_MAX_SIZE]);
void checksum_free(struct checksum *c); /* NULL is fine */

#endif
