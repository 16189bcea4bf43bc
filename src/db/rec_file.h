/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_FILE_H
#define DB_REC_FILE_H

/*
 * The record of a file: a name and the blob that holds its bytes.
 *
 * Name queries take the caller's prefix ("" for all): a name outside it does
 * not exist (rule 26).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "db/db.h"

enum rec_layout { REC_PLAIN, REC_SEALED };

struct rec_file {
	char *filename; /* owned */
	char blob_id[ID_SIZE];
	char sha256[65];        /* of the plaintext, hex */
	uint32_t crc32;         /* of the plaintext */
	uint64_t size;          /* of the plaintext */
	char *mime_type;        /* owned */
	bool encryption;        /* what the client asked (rule 1) */
	enum rec_layout layout; /* how the bytes lie */
	int64_t created_ms;     /* of the name; kept when replaced */
	int64_t modified_ms;
	char transfer_id[ID_SIZE];
	bool damaged;   /* bytes missing or found wrong */
	uint32_t width; /* of images, as shown; 0: none or unknown */
	uint32_t height;
};

void rec_file_fini(struct rec_file *f); /* contents; reusable */

/*
 * Puts ${f} under its name; the blob it replaces goes to the trash in the same
 * transaction.  Without ${may_replace} ERR_FILE_EXISTS.  *${ret_new}
 * (may be NULL): there was none before.
 */
int rec_file_put(struct db_tx *tx, const struct rec_file *f, bool may_replace,
    bool *ret_new, struct err *err);
int rec_file_get(struct db_tx *tx, const char *prefix, const char *filename,
    struct rec_file *ret, struct err *err); /* ERR_FILE_NOT_FOUND */
/* The file whose bytes are in this blob. ERR_FILE_NOT_FOUND. */
int rec_file_of_blob(struct db_tx *tx, const char *blob_id,
    struct rec_file *ret, struct err *err);
/* Its blob goes to the trash. ERR_FILE_NOT_FOUND. */
int rec_file_remove(struct db_tx *tx, const char *prefix, const char *filename,
    struct err *err);
/* *${ret_marked} (may be NULL): a file has this blob, and was not marked. */
int rec_file_mark_damaged(
    struct db_tx *tx, const char *blob_id, bool *ret_marked, struct err *err);
/*
 * The first file after blob ${after} that is sealed though nobody asked for it
 * (rule 1), and not damaged; ${ret}->filename is NULL when there is none.
 */
int rec_file_next_unsettled(
    struct db_tx *tx, const char *after, struct rec_file *ret, struct err *err);
/* The file of ${old_blob}, if there still is one, has its bytes plain in
 * ${new_blob} from now on; the old one goes to the trash. */
int rec_file_swap(struct db_tx *tx, const char *old_blob, const char *new_blob,
    bool *ret_swapped, struct err *err);
/* It turned out to be sound after all.  No such blob is fine. */
int rec_file_unmark_damaged(
    struct db_tx *tx, const char *blob_id, struct err *err);
/* How large the image in this blob is.  No such blob is fine. */
int rec_file_set_size(struct db_tx *tx, const char *blob_id, uint32_t width,
    uint32_t height, struct err *err);
/* Does any record (a file's, the trash's) name this blob?  (recovery) */
int rec_blob_is_known(
    struct db_tx *tx, const char *blob_id, bool *ret, struct err *err);
/* The greatest blob id on record, "" when there is no file. */
int rec_file_last(struct db_tx *tx, char ret[ID_SIZE], struct err *err);
/* Files in the order of their blobs, in bounded steps; -1 from ${fn} ends the
 * walk. */
typedef int (*rec_file_fn)(
    void *arg, const struct rec_file *f, struct err *err);
int rec_file_each(struct db_tx *tx, const struct db_page *page, rec_file_fn fn,
    void *arg, struct err *err);

/* Blobs that no file names any more, until they are unlinked (rule 2); in the
 * order of their ids. */
int rec_trash_add(struct db_tx *tx, const char *blob_id, struct err *err);
int rec_trash_remove(struct db_tx *tx, const char *blob_id, struct err *err);
typedef int (*rec_trash_fn)(void *arg, const char *blob_id, struct err *err);
int rec_trash_each(struct db_tx *tx, const struct db_page *page,
    rec_trash_fn fn, void *arg, struct err *err);

#endif
