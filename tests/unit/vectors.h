/* SPDX-License-Identifier: MIT */
#ifndef UNIT_VECTORS_H
#define UNIT_VECTORS_H

/*
 * Test vectors: files under tests/vectors with lines "NAME = hex", blocks of
 * them separated by empty lines, comments after '#'.
 */

#include <stdbool.h>
#include <stddef.h>

#define VECTORS_VALUE_MAX 4096
#define VECTORS_NAMES_MAX 8

struct vectors_value {
	char name[16];
	unsigned char p[VECTORS_VALUE_MAX];
	size_t n;
};
struct vectors_block {
	struct vectors_value values[VECTORS_NAMES_MAX];
	size_t count;
};

/* Calls ${fn} for each block of the file; fails the test when it cannot be
 * read, or has none. */
void vectors_each(const char *file,
    void (*fn)(const struct vectors_block *b, void *arg), void *arg);
/* Fails the test when there is no such value. */
const struct vectors_value *vectors_get(
    const struct vectors_block *b, const char *name);

#endif
