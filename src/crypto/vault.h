/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_VAULT_H
#define CRYPTO_VAULT_H

/*
 * Memory for keys: locked (never swapped, where the system's limit allows),
 * left out of core dumps, not inherited by children, wiped when given back.
 * Cells of one size.  Any thread.
 */

#include <stddef.h>

#define VAULT_CELL 256

/* A cell of zeroes, aligned to 64 bytes; ${n} is at most VAULT_CELL. */
void *vault_take(size_t n);
/* Wipes it.  NULL is fine. */
void vault_give(void *p);

#endif
