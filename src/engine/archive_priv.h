/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ARCHIVE_PRIV_H
#define ENGINE_ARCHIVE_PRIV_H

/* The two kinds of an archive's bytes. */

#include "engine/archive.h"

/* ${length} bytes from ${offset} of what is not packed. */
struct source *archive_source_open(
    struct archive *a, uint64_t offset, uint64_t length);
/* All of what is packed. */
struct source *archive_packed_open(struct archive *a);

/* The contents of a member from ${offset} to its end. */
int archive_open_member(struct archive *a, const struct archive_member *m,
    uint64_t offset, struct source **ret_src, struct err *err);

#endif
