/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_ARCHIVE_H
#define ENGINE_ARCHIVE_H

/*
 * Many files as one ZIP archive that is made while it is sent (proto/zip.h).
 *
 *   archive_open       the plan: every record in one read of the database,
 * every blob pinned, sizes, CRCs and times as they are then archive_start a
 * range of it, as a source, and the transfer archive_end        how it went;
 * archive_close frees
 *
 * Stored, every byte's place is known from the plan, so a source can begin
 * anywhere; files are opened one at a time.  Packed, they are deflated as they
 * pass, so that nothing is known before.  Owned by one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/sha256.h"
#include "db/rec_file.h"
#include "engine/engine.h"
#include "proto/zip.h"

/* An entity tag's text; not to be taken for a SHA-256 of the bytes. */
#define ARCHIVE_TAG_SIZE (SHA256_HEX_SIZE + 4)
/* What it is called: the folder that all of it is from, and this. */
#define ARCHIVE_NAME "download.zip"

struct archive_member {
	struct rec_file file; /* without its type */
	uint64_t stored;      /* bytes in storage */
	struct zip_entry entry;
};

struct archive {
	struct engine *engine;
	struct archive_member *members;
	size_t count;
	char *name;
	bool is_packed;
	bool encryption;            /* was asked for one of them */
	struct zip_end end;         /* what follows is of what is not packed */
	uint64_t size;              /* whole */
	char tag[ARCHIVE_TAG_SIZE]; /* strong: the same bytes, the same tag */
	struct transfer *transfer;  /* NULL until archive_start() */
};

struct archive_request {
	const struct principal *who;
	char *const *names; /* each once */
	size_t count;
	bool is_packed;
};

/* ERR_FILE_NOT_FOUND: those that ${ret_missing} (one for each name, false
 * before) says are not there; ERR_FILE_DAMAGED. */
int archive_open(struct engine *e, const struct archive_request *req,
    struct archive **ret_a, bool *ret_missing, struct err *err);

struct archive_part {
	const struct client *client;
	uint64_t offset; /* 0 when it is packed */
	uint64_t length; /* REC_SIZE_UNKNOWN when it is packed */
	struct mover *mover;
	struct lane *lane;
	struct transfer *transfer; /* as of download_start() */
};
/* The source is of the archive, which outlives it. */
struct source *archive_start(
    struct archive *a, const struct archive_part *part);
/* As download_end(). */
void archive_end(struct archive *a, uint64_t bytes, const struct err *why);
/* NULL is fine. */
void archive_close(struct archive *a);

#endif
