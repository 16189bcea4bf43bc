/* SPDX-License-Identifier: MIT */
#include "db/rec_file.h"

#include <stdlib.h>

#include "db/db_priv.h"
#include "db/rec_file_priv.h"
#include "db/rec_prefix.h"

/* Each lost race means that another writer won one. */
#define TRIES 16

static const char SQL_INSERT[] =
    "INSERT INTO files (" REC_FILE_COLUMNS ") "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT (filename) DO NOTHING";
static const char SQL_BLOB[] = "SELECT blob_id FROM files WHERE filename = $1";
/* Only what was seen is replaced, so that each blob gets to the trash. */
static const char SQL_REPLACE[] =
    "UPDATE files SET blob_id = $1, sha256 = $2, crc32 = $3, size = $4, "
    "mime_type = $5, encryption = $6, layout = $7, modified_ms = $8, "
    "transfer_id = $9, damaged = $10, width = $11, height = $12 "
    "WHERE filename = $13 AND blob_id = $14";
static const char SQL_REMOVE[] =
    "DELETE FROM files WHERE filename = $1 AND blob_id = $2";
static const char SQL_GET[] =
    "SELECT " REC_FILE_COLUMNS " FROM files WHERE filename = $1";
static const char SQL_OF_BLOB[] =
    "SELECT " REC_FILE_COLUMNS " FROM files WHERE blob_id = $1";
static const char SQL_MARK[] =
    "UPDATE files SET damaged = 1 WHERE blob_id = $1 AND damaged = 0";
static const char SQL_UNMARK[] =
    "UPDATE files SET damaged = 0 WHERE blob_id = $1";
static const char SQL_SET_SIZE[] =
    "UPDATE files SET width = $1, height = $2 WHERE blob_id = $3";
static const char SQL_KNOWN[] =
    "SELECT 1 FROM files WHERE blob_id = $1 "
    "UNION ALL SELECT 1 FROM trash WHERE blob_id = $1";
static const char SQL_LAST[] =
    "SELECT blob_id FROM files ORDER BY blob_id DESC LIMIT 1";
static const char SQL_EACH[] = "SELECT " REC_FILE_COLUMNS " FROM files "
                               "WHERE blob_id > $1 ORDER BY blob_id LIMIT $2";
/* By the index files_unsettled. */
static const char SQL_UNSETTLED[] =
    "SELECT " REC_FILE_COLUMNS
    " FROM files WHERE layout = 1 AND encryption = 0 "
    "AND blob_id > $1 AND damaged = 0 ORDER BY blob_id LIMIT 1";
static const char SQL_SWAP[] =
    "UPDATE files SET blob_id = $1, layout = 0 WHERE blob_id = $2";

void
rec_file_fini(struct rec_file *f)
{
	free(f->filename);
	free(f->mime_type);
	*f = (struct rec_file){ 0 };
}

void
rec_file_take_row(struct sql *q, struct rec_file *f)
{
	*f = (struct rec_file){ 0 };
	f->filename = sql_get_text(q);
	sql_get_chars(q, f->blob_id, sizeof(f->blob_id));
	sql_get_chars(q, f->sha256, sizeof(f->sha256));
	f->crc32 = (uint32_t)sql_get_int(q);
	f->size = (uint64_t)sql_get_int(q);
	f->mime_type = sql_get_text(q);
	f->encryption = sql_get_bool(q);
	f->layout = sql_get_int(q) == REC_SEALED ? REC_SEALED : REC_PLAIN;
	f->created_ms = sql_get_int(q);
	f->modified_ms = sql_get_int(q);
	sql_get_chars(q, f->transfer_id, sizeof(f->transfer_id));
	f->damaged = sql_get_bool(q);
	f->width = (uint32_t)sql_get_int(q);
	f->height = (uint32_t)sql_get_int(q);
}

/* Null: none or unknown. */
static void
put_side(struct sql *q, uint32_t pixels)
{
	if (pixels == 0)
		sql_put_null(q);
	else
		sql_put_int(q, pixels);
}

static int
insert(
    struct db_tx *tx, const struct rec_file *f, bool *ret_done, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_INSERT, err) < 0)
		return -1;
	sql_put_text(&q, f->filename);
	sql_put_text(&q, f->blob_id);
	sql_put_text(&q, f->sha256);
	sql_put_int(&q, f->crc32);
	sql_put_int(&q, (int64_t)f->size);
	sql_put_text(&q, f->mime_type);
	sql_put_int(&q, f->encryption);
	sql_put_int(&q, f->layout);
	sql_put_int(&q, f->created_ms);
	sql_put_int(&q, f->modified_ms);
	sql_put_text(&q, f->transfer_id);
	sql_put_int(&q, f->damaged);
	put_side(&q, f->width);
	put_side(&q, f->height);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_done = changes > 0;
	return 0;
}

/* 1: ${ret} is the name's blob, 0: there is no such name. */
static int
blob_of(
    struct db_tx *tx, const char *filename, char ret[ID_SIZE], struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_BLOB, err) < 0)
		return -1;
	sql_put_text(&q, filename);
	rc = sql_step(&q, err);
	if (rc > 0)
		sql_get_chars(&q, ret, ID_SIZE);
	sql_close(&q);
	return rc;
}

static int
replace(struct db_tx *tx, const struct rec_file *f, const char *old_blob,
    bool *ret_done, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_REPLACE, err) < 0)
		return -1;
	sql_put_text(&q, f->blob_id);
	sql_put_text(&q, f->sha256);
	sql_put_int(&q, f->crc32);
	sql_put_int(&q, (int64_t)f->size);
	sql_put_text(&q, f->mime_type);
	sql_put_int(&q, f->encryption);
	sql_put_int(&q, f->layout);
	sql_put_int(&q, f->modified_ms);
	sql_put_text(&q, f->transfer_id);
	sql_put_int(&q, f->damaged);
	put_side(&q, f->width);
	put_side(&q, f->height);
	sql_put_text(&q, f->filename);
	sql_put_text(&q, old_blob);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (changes > 0 && !slice_eq_str(slice_str(f->blob_id), old_blob) &&
	    rec_trash_add(tx, old_blob, err) < 0)
		return -1;
	*ret_done = changes > 0;
	return 0;
}

static int
too_busy(const char *filename, struct err *err)
{
	return err_set(err, ERR_UNAVAILABLE,
	    "'%s' is replaced by others all the time", filename);
}

int
rec_file_put(struct db_tx *tx, const struct rec_file *f, bool may_replace,
    bool *ret_new, struct err *err)
{
	char old_blob[ID_SIZE];
	bool done;
	int found, i;

	for (i = 0; i < TRIES; i++) {
		if (insert(tx, f, &done, err) < 0)
			return -1;
		if (done) {
			if (ret_new != NULL)
				*ret_new = true;
			return 0;
		}
		if (!may_replace)
			return err_set(err, ERR_FILE_EXISTS,
			    "the file '%s' exists already", f->filename);
		found = blob_of(tx, f->filename, old_blob, err);
		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		if (replace(tx, f, old_blob, &done, err) < 0)
			return -1;
		if (done) {
			if (ret_new != NULL)
				*ret_new = false;
			return 0;
		}
	}
	return too_busy(f->filename, err);
}

static int
not_found(const char *filename, struct err *err)
{
	return err_set(
	    err, ERR_FILE_NOT_FOUND, "there is no file '%s'", filename);
}

int
rec_file_get(struct db_tx *tx, const char *prefix, const char *filename,
    struct rec_file *ret, struct err *err)
{
	struct sql q;
	int rc;

	if (!rec_prefix_holds(prefix, filename))
		return not_found(filename, err);
	if (sql_open(&q, tx, SQL_GET, err) < 0)
		return -1;
	sql_put_text(&q, filename);
	rc = sql_step(&q, err);
	if (rc > 0)
		rec_file_take_row(&q, ret);
	sql_close(&q);
	if (rc < 0)
		return -1;
	return rc > 0 ? 0 : not_found(filename, err);
}

static int
remove_row(struct db_tx *tx, const char *filename, const char *blob_id,
    bool *ret_done, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_REMOVE, err) < 0)
		return -1;
	sql_put_text(&q, filename);
	sql_put_text(&q, blob_id);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	*ret_done = changes > 0;
	return 0;
}

int
rec_file_remove(
    struct db_tx *tx, const char *prefix, const char *filename, struct err *err)
{
	char blob[ID_SIZE];
	bool done;
	int found, i;

	if (!rec_prefix_holds(prefix, filename))
		return not_found(filename, err);
	for (i = 0; i < TRIES; i++) {
		found = blob_of(tx, filename, blob, err);
		if (found < 0)
			return -1;
		if (found == 0)
			return not_found(filename, err);
		if (remove_row(tx, filename, blob, &done, err) < 0)
			return -1;
		if (done)
			return rec_trash_add(tx, blob, err);
	}
	return too_busy(filename, err);
}

int
rec_file_mark_damaged(
    struct db_tx *tx, const char *blob_id, bool *ret_marked, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_MARK, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (ret_marked != NULL)
		*ret_marked = changes > 0;
	return 0;
}

int
rec_file_of_blob(struct db_tx *tx, const char *blob_id, struct rec_file *ret,
    struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_OF_BLOB, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	rc = sql_step(&q, err);
	if (rc > 0)
		rec_file_take_row(&q, ret);
	sql_close(&q);
	if (rc == 0)
		return err_set(err, ERR_FILE_NOT_FOUND,
		    "no file has the blob '%s'", blob_id);
	return rc < 0 ? -1 : 0;
}

int
rec_file_next_unsettled(
    struct db_tx *tx, const char *after, struct rec_file *ret, struct err *err)
{
	struct sql q;
	int rc;

	*ret = (struct rec_file){ 0 };
	if (sql_open(&q, tx, SQL_UNSETTLED, err) < 0)
		return -1;
	sql_put_text(&q, after);
	rc = sql_step(&q, err);
	if (rc > 0)
		rec_file_take_row(&q, ret);
	sql_close(&q);
	return rc < 0 ? -1 : 0;
}

int
rec_file_swap(struct db_tx *tx, const char *old_blob, const char *new_blob,
    bool *ret_swapped, struct err *err)
{
	int64_t changes;
	struct sql q;

	*ret_swapped = false;
	if (sql_open(&q, tx, SQL_SWAP, err) < 0)
		return -1;
	sql_put_text(&q, new_blob);
	sql_put_text(&q, old_blob);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (changes > 0 && rec_trash_add(tx, old_blob, err) < 0)
		return -1;
	*ret_swapped = changes > 0;
	return 0;
}

int
rec_file_unmark_damaged(struct db_tx *tx, const char *blob_id, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_UNMARK, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	return sql_run(&q, NULL, err);
}

int
rec_file_set_size(struct db_tx *tx, const char *blob_id, uint32_t width,
    uint32_t height, struct err *err)
{
	struct sql q;

	if (sql_open(&q, tx, SQL_SET_SIZE, err) < 0)
		return -1;
	put_side(&q, width);
	put_side(&q, height);
	sql_put_text(&q, blob_id);
	return sql_run(&q, NULL, err);
}

int
rec_blob_is_known(
    struct db_tx *tx, const char *blob_id, bool *ret, struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_KNOWN, err) < 0)
		return -1;
	sql_put_text(&q, blob_id);
	rc = sql_step(&q, err);
	sql_close(&q);
	if (rc < 0)
		return -1;
	*ret = rc > 0;
	return 0;
}

int
rec_file_last(struct db_tx *tx, char ret[ID_SIZE], struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_LAST, err) < 0)
		return -1;
	rc = sql_step(&q, err);
	if (rc > 0)
		sql_get_chars(&q, ret, ID_SIZE);
	else
		ret[0] = '\0';
	sql_close(&q);
	return rc < 0 ? -1 : 0;
}

int
rec_file_each(struct db_tx *tx, const struct db_page *page, rec_file_fn fn,
    void *arg, struct err *err)
{
	struct rec_file f;
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_EACH, err) < 0)
		return -1;
	sql_put_text(&q, page->after);
	sql_put_int(&q, page->limit);
	while ((rc = sql_step(&q, err)) > 0) {
		rec_file_take_row(&q, &f);
		rc = fn(arg, &f, err);
		rec_file_fini(&f);
		if (rc < 0)
			break;
	}
	sql_close(&q);
	return rc;
}
