/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BEGUN_H
#define ENGINE_BEGUN_H

/* Bytes of a blob that was begun and is not published, as a source. */

#include "base/err.h"
#include "base/source.h"
#include "storage/storage.h"

/* ERR_ABSENT; the source fails where the range is longer than the blob. */
int begun_open(struct storage *st, const char *blob_id,
    struct storage_range range, struct source **ret_src, struct err *err);

#endif
