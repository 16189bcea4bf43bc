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
 * A range is, together with others of its client, one transfer
 * (engine/parts.h): for one, download_join() comes before its turn.
 *
 * download_open() alone is enough to answer HEAD and conditions.  What is sent
 * is the plaintext, or with ${raw} the stored container of a file whose upload
 * asked for encryption.  Owned by one thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "crypto/seal.h"
#include "db/rec_file.h"
#include "engine/engine.h"

/* An entity tag's text, without the quotes. */
#define DOWNLOAD_TAG_SIZE (SHA256_HEX_SIZE + 4)

struct download {
	struct engine *engine;
	struct rec_file file;
	bool is_raw;                 /* the container is sent, not the file */
	uint64_t size;               /* of what is sent, whole */
	char tag[DOWNLOAD_TAG_SIZE]; /* strong: the same bytes, the same tag */
	uint64_t stored;             /* bytes in storage */
	unsigned char header[SEAL_HEADER_SIZE]; /* of what is raw */
	struct transfer *transfer; /* NULL until download_start(), or parted */
	struct parted *parted;     /* NULL until download_join() */
	uint64_t moved;            /* of its bytes, told to that */
};

struct download_request {
	const struct principal *who;
	const char *filename;
	bool raw; /* changes nothing for plain files */
};

/* ERR_FILE_NOT_FOUND, ERR_FILE_DAMAGED, ERR_DECRYPTION_FAILED; ERR_UNAUTHORIZED
 * and ERR_FORBIDDEN for a container without a key that may read. */
int download_open(struct engine *e, const struct download_request *req,
    struct download **ret_d, struct err *err);
/* The file whose bytes are in this blob, for our own use.
 * ERR_FILE_NOT_FOUND: it has been replaced or removed. */
int download_open_blob(struct engine *e, const char *blob_id,
    struct download **ret_d, struct err *err);
/* The same bytes for our own use: no transfer, nobody is told.  Errors as
 * download_start(). */
int download_bytes(struct download *d, struct storage_range range,
    struct source **ret_src, struct err *err);
/* A range of what is sent.  ERR_DECRYPTION_FAILED when the first bytes of it
 * are damaged, ERR_KEY_MISSING; the source fails so where later ones are. */
struct download_part {
	const struct client *client;
	struct storage_range range;
	struct mover *mover; /* told when it is cancelled; NULL: nobody */
	struct lane *lane;   /* that it moves on; NULL: it needs no place */
	/* One that was begun when it had to wait for its turn, with its mover
	 * and lane; taken over unless this fails. */
	struct transfer *transfer;
};
/* It is a part of the whole (said again, it stays one).  Its place; borrowed.
 */
struct lane *download_join(
    struct download *d, const struct client *client, uint64_t length);
/* A part waits for its turn; until then ${m} hears of a cancel. */
void download_wait(struct download *d, struct mover *m);
int download_start(struct download *d, const struct download_part *part,
    struct source **ret_src, struct err *err);
/* So many bytes of what was started have left. */
void download_moved(struct download *d, uint64_t bytes);
/* ${bytes} reached the client; ${why} NULL: all that was asked for.  Without
 * waiting, from any thread.  No-op unless started or joined. */
void download_end(struct download *d, uint64_t bytes, const struct err *why);
/* NULL is fine. */
void download_close(struct download *d);

#endif
