/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PREVIEW_STORE_H
#define ENGINE_PREVIEW_STORE_H

/*
 * Previews as they lie beside their blobs (storage.h, beside_*), and go with
 * them.  Three kinds, told apart by how they begin, which no upload decides:
 *
 *   ff d8 ...    a JPEG, of a blob that is plain
 *   SFTSEAL1...  the container of one (docs/format.md), of a blob that is
 *                sealed
 *   NONE ...     "NONE TIME VERSION\n": there could be none made, in unix
 *                seconds, by that decoder
 *
 * All of it can be made again: what cannot be read is as if it were not
 * there.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "db/rec_file.h"
#include "engine/engine.h"

/* After so long it is tried again, as it is by another decoder. */
#define PREVIEW_STORE_NONE_MS (24LL * 3600 * 1000)

/* ERR_ABSENT; ERR_NO_THUMBNAIL: there can be none, as far as decoder
 * ${version} ("": any) knows. */
int preview_store_get(struct engine *e, const struct rec_file *f,
    const char *version, struct buf *ret_jpeg, struct err *err);
/* The blob is pinned.  ERR_STORAGE_FULL. */
int preview_store_put(struct engine *e, const struct rec_file *f,
    const struct buf *jpeg, struct err *err);
/* There can be none.  The same. */
int preview_store_put_none(struct engine *e, const struct rec_file *f,
    const char *version, struct err *err);

/* Under the current master key from now on; one that cannot be opened is
 * removed.  *${ret_changed}: it was not. */
int preview_store_rewrap(
    struct engine *e, const char *blob_id, bool *ret_changed, struct err *err);
/* Removes what is damaged, or has no blob any more. */
int preview_store_check(struct engine *e, const char *blob_id, struct err *err);

#endif
