/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_UPLOAD_PRIV_H
#define ENGINE_UPLOAD_PRIV_H

/*
 * The steps of an upload's end, for src/engine/upload*.c:
 *
 *	upload_publish     the bytes are durable under their id, with their
 *	                   birth record; nobody sees them
 *	upload_conclude    what is to be recorded of the transfer is known
 *	upload_record      in the transaction that makes the file true
 *	upload_completed   after it
 *
 * Of one of many, instead of upload_publish():
 *
 *	upload_lay_by      where it waits to hear of encryption
 *	upload_prepare     the same durability, but not under the id yet
 *	upload_place       all of them at once
 *
 * A failure of any is followed by upload_abort().  All but upload_record() in
 * the upload's own thread.
 */

#include "db/rec_file.h"
#include "engine/intake.h"
#include "engine/upload.h"

struct upload {
	struct engine *engine;
	struct transfer *transfer;
	struct blob *blob; /* NULL once published, laid by or aborted */
	char blob_id[ID_SIZE];
	char prefix[AUTH_PREFIX_MAX + 1]; /* of the key that began it */
	struct space_hold hold;
	uint64_t moved;        /* bytes taken */
	struct intake *intake; /* NULL once published */
	bool is_brief;         /* its start is not on record yet */
	bool is_laid_by;       /* its blob has no handle */
	bool published;        /* the object stands, its record does not */
	bool has_result;
	struct digest_result result; /* what was taken */
	struct rec_file file;        /* since upload_publish() */
	struct rec_transfer row;     /* how it ends, once that is known */
	bool is_new;                 /* no file of that name was there */
};

/* Inside the prefix of the key?  ERR_FORBIDDEN. */
int upload_check_name(
    const char *prefix, const struct upload_options *o, struct err *err);

/* upload_begin() of one of many, mostly small ones: its start is recorded when
 * it turns out to be larger. */
int upload_begin_brief(struct engine *e, const struct upload_request *req,
    struct upload **ret_up, struct err *err);
/* All was taken, but whether it is to be encrypted is not known: from now on
 * it holds neither a file descriptor nor more memory than it needs. */
void upload_lay_by(struct upload *up);
/* With the last word on all options but the priority and the client's id, which
 * may still change.  ERR_FORBIDDEN, ERR_HASH_MISMATCH, ERR_STORAGE_FULL ... */
int upload_publish(
    struct upload *up, const struct upload_options *o, struct err *err);
int upload_prepare(
    struct upload *up, const struct upload_options *o, struct err *err);
/* Those that were prepared.  After a failure none of them can go on. */
int upload_place(struct upload *const *ups, size_t n, struct err *err);
/* It ends well, with these options: what is to be recorded of that. */
void upload_conclude(struct upload *up, const struct upload_options *o);
/* A job of the writer's; may run again.  ERR_FILE_EXISTS, ERR_UNAVAILABLE (and
 * then nothing was changed) ... */
int upload_record(
    struct db_tx *tx, struct upload *up, bool may_replace, struct err *err);
/* Tells whoever has to know, and frees; the record is the caller's. */
void upload_completed(struct upload *up, struct rec_file *ret);

/* For those that are to replace nothing, before their bytes come;
 * upload_record() looks again.  ERR_FILE_EXISTS. */
int upload_check_absent(
    struct engine *e, const char *filename, struct err *err);

/* What taking the bytes needed: memory, space. */
void upload_drop_intake(struct upload *up);
void upload_free(struct upload *up);

#endif
