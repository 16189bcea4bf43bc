/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PREVIEW_H
#define ENGINE_PREVIEW_H

/*
 * Previews of images: small JPEGs, made once, kept beside the image's blob
 * (preview_store.h) by a program that the server does not trust
 * (previewer.h).  A file that is replaced gets another blob, and so another
 * preview.  Any thread, but what is said of preview_stored().
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sha256.h"
#include "db/rec_file.h"
#include "engine/engine.h"

struct previews;

/* ${program}: the path of sft-preview, which need not be there. */
struct previews *previews_new(const char *program);
void previews_free(struct previews *p); /* NULL is fine */

/* Who waits: ten times a second, -1 ends the waiting with its err. */
struct preview_wait {
	int (*check)(void *arg, struct err *err);
	void *arg;
};

struct preview_request {
	const struct principal *who;
	/* Of the image, or with PREVIEW_SUFFIX behind it. */
	const char *filename;
	struct preview_wait wait;
};

struct preview {
	struct buf jpeg;
	char sha256[SHA256_HEX_SIZE]; /* of it */
	int64_t modified_ms;          /* the image */
};

/*
 * The one there is, or one made on the spot.  ERR_NO_THUMBNAIL; errors of
 * download_open(); of a sealed image that is damaged ERR_DECRYPTION_FAILED;
 * ERR_SERVER_BUSY, ERR_UNAVAILABLE: not now.
 */
int preview_open(struct engine *e, const struct preview_request *req,
    struct preview *ret, struct err *err);
void preview_fini(struct preview *p); /* contents */

/* May there be one of such a file?  By its type. */
bool preview_fits(const char *mime_type);
/* Under what name the preview of such a file is asked for, for free(); NULL:
 * there is none. */
char *preview_name(const char *filename, const char *mime_type);

/* A file was recorded: tells whoever makes previews ahead of the need.  Never
 * waits. */
void preview_stored(struct engine *e, const struct rec_file *f);
/* Ahead of the need, at idle priority: the same for the image in ${blob_id},
 * if that still is one and there is none.  ERR_NO_THUMBNAIL and so on. */
int preview_prepare(struct engine *e, const char *blob_id,
    const struct preview_wait *wait, struct err *err);
/* Is the program that makes them there? */
bool preview_can_make(struct engine *e);
/* Now and then: what is not needed now ends. */
void preview_tidy(struct engine *e);

#endif
