/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_LOOSE_H
#define ENGINE_LOOSE_H

/*
 * Bytes that come before it is known where they belong, or whether they are to
 * be encrypted: a chunk whose form names it only afterwards.  Up to
 * INTAKE_HELD_MAX of them wait in memory, more of them sealed in a blob that
 * nobody else knows, and that is gone after a crash.
 *
 * Owned by one thread.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "engine/engine.h"

struct loose;

int loose_new(struct engine *e, struct loose **ret_l, struct err *err);
/* Takes ${body} to its end.  ERR_FILE_TOO_LARGE, ERR_STORAGE_FULL. */
int loose_fill(struct loose *l, struct source *body, struct err *err);
uint64_t loose_size(const struct loose *l);
/* What was taken; the source must not outlive ${l}. */
int loose_open(struct loose *l, struct source **ret_src, struct err *err);
void loose_free(struct loose *l); /* NULL is fine */

#endif
