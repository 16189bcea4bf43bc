/* SPDX-License-Identifier: MIT */
#ifndef SFTD_FORESIGHT_H
#define SFTD_FORESIGHT_H

/*
 * The thread that makes previews of images soon after they came, so that
 * they are there when somebody looks (engine/preview.h).  It has little to
 * compute; the decoder that it has do so gives way to everything else on the
 * machine.  It also ends decoders that rest.
 */

#include "engine/engine.h"

/* Images that wait for it; more are previewed when somebody asks. */
#define FORESIGHT_QUEUE_MAX 1024

struct foresight;
int foresight_start(
    struct engine *e, struct foresight **ret_f, struct err *err);
/* After the last upload ended.  NULL is fine. */
void foresight_stop(struct foresight *f);

#endif
