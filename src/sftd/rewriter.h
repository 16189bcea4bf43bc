/* SPDX-License-Identifier: MIT */
#ifndef SFTD_REWRITER_H
#define SFTD_REWRITER_H

/*
 * The thread that makes plain what was stored sealed for want of a word
 * (engine/rewrite.h), while no transfer is under way.
 */

#include "engine/engine.h"

struct rewriter;
/* Also looks for what an earlier run left. */
int rewriter_start(
    struct engine *e, struct rewriter **ret_rewriter, struct err *err);
/* After the last upload ended.  NULL is fine. */
void rewriter_stop(struct rewriter *r);

#endif
