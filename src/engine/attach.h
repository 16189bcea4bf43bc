/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ATTACH_H
#define ENGINE_ATTACH_H

/*
 * The parts of a server's directory for work beside it, in another process,
 * or while none runs: home, storage, records, master keys.  No transfers and
 * no API keys.  For engine_close().
 */

#include "engine/engine.h"

/* ERR_SETTING with a sentence that says what to do. */
int engine_attach(const struct engine_config *cf, struct engine **ret_engine,
    struct err *err);
/* Only home, records and API keys (without the first admin key), and no lock:
 * whatever else works there does not mind. */
int engine_visit(const struct engine_config *cf, struct engine **ret_engine,
    struct err *err);

#endif
