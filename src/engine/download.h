/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_DOWNLOAD_H
#define ENGINE_DOWNLOAD_H

/*
 * One download of one file.
 *
 *   download_open      finds the record and pins its blob: from here on the
 *                      bytes stay, whatever happens to the name
 *   download_start     a range of it, as a source, and the transfer
 *   download_end       how it went; download_close frees
 *
 * download_open() alone is enough to answer HEAD and conditions.  Owned by
 * one thread at a time.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "db/rec_file.h"
#include "engine/engine.h"

struct download {
	struct engine *engine;
	struct rec_file file;
	struct transfer *transfer; /* NULL until download_start() */
};

/* ERR_FILE_NOT_FOUND, ERR_FILE_DAMAGED. */
int download_open(struct engine *e, const struct principal *who,
    const char *filename, struct download **ret_d, struct err *err);
/* ${range} of the file's bytes. */
int download_start(struct download *d, const struct client *client,
    struct storage_range range, struct source **ret_src, struct err *err);
/* ${bytes} reached the client; ${why} NULL: all that was asked for.  Without
 * waiting, from any thread.  No-op unless started. */
void download_end(struct download *d, uint64_t bytes, const struct err *why);
/* NULL is fine. */
void download_close(struct download *d);

#endif
