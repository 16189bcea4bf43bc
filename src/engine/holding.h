/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_HOLDING_H
#define ENGINE_HOLDING_H

/*
 * How much memory all uploads together may hold that have not said yet
 * whether they are to be encrypted (rule 1).  One that gets no more is stored
 * sealed at once.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>

struct holding;
struct holding *holding_new(size_t max_bytes);
void holding_free(struct holding *h); /* NULL is fine; all was given back */
bool holding_try(struct holding *h, size_t n);
void holding_give(struct holding *h, size_t n);

#endif
