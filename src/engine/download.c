/* SPDX-License-Identifier: MIT */
#include "engine/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "engine/files.h"
#include "engine/stored.h"

/* How often a name may be replaced under a reader that looks it up. */
#define LOOKUPS_MAX 16

static int
find_and_pin(
    struct download *d, const struct download_request *req, struct err *err)
{
	struct rec_file *f = &d->file;
	struct engine *e = d->engine;
	char last[ID_SIZE] = "";
	struct err e2;

	for (int i = 0; i < LOOKUPS_MAX; i++) {
		rec_file_fini(f);
		if (files_find(e, req->who, req->filename, f, err) < 0)
			return -1;
		pins_take(e->pins, f->blob_id);
		err_clear(&e2);
		if (stored_check(e, f, &d->stored, &e2) == 0)
			return 0;
		pins_drop(e->pins, f->blob_id);
		if (e2.code != ERR_ABSENT) {
			*err = e2;
			return -1;
		}
		if (strcmp(last, f->blob_id) == 0)
			return stored_report_loss(e, f, err);
		memcpy(last, f->blob_id, ID_SIZE);
	}
	return err_set(err, ERR_UNAVAILABLE,
	    "'%s' is being replaced all the time", req->filename);
}

/* --- the container itself --------------------------------------------------
 */

/* Everybody may read what is plain to them; a copy of the container may be
 * tried with keys at leisure. */
static int
check_right(const struct principal *who, struct err *err)
{
	if (!who->has_key)
		return err_set(err, ERR_UNAUTHORIZED,
		    "the stored form of an encrypted file is given only to "
		    "API keys that may read");
	if (!auth_allows(who, AUTH_READ))
		return err_set(err, ERR_FORBIDDEN,
		    "this key may not read files: it lacks the scope 'read'");
	return 0;
}

/* The header has its key's nonce and the contents theirs, so what differs in a
 * byte differs in the header, unless it is damaged. */
static int
choose_raw(struct download *d, const struct principal *who, struct err *err)
{
	unsigned char digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	if (check_right(who, err) < 0 ||
	    stored_header(d->engine, &d->file, d->header, err) < 0)
		return -1;
	d->is_raw = true;
	d->size = d->stored;
	sha256(d->header, sizeof(d->header), digest);
	hex_encode(digest, sizeof(digest), hex);
	(void)snprintf(d->tag, sizeof(d->tag), "raw-%s", hex);
	return 0;
}

/* The rest of the blob goes behind what is left of the header as it was when
 * the tag was made. */
static int
open_raw(struct download *d, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	struct storage *st = d->engine->storage;
	struct source *rest;
	size_t begin, n;

	if (range.offset >= SEAL_HEADER_SIZE)
		return st->ops->blob_open(
		    st, d->file.blob_id, range, ret_src, err);
	begin = (size_t)range.offset;
	n = SEAL_HEADER_SIZE - begin;
	if (n > range.length)
		n = (size_t)range.length;
	range.offset += n;
	range.length -= n;
	if (st->ops->blob_open(st, d->file.blob_id, range, &rest, err) < 0)
		return -1;
	*ret_src = source_prefixed(d->header + begin, n, rest);
	return 0;
}

/* --- opening -------------------------------------------------------------- */

int
download_open(struct engine *e, const struct download_request *req,
    struct download **ret_d, struct err *err)
{
	struct download *d = mem_calloc(1, sizeof(*d));

	d->engine = e;
	if (find_and_pin(d, req, err) < 0) {
		rec_file_fini(&d->file);
		free(d);
		return -1;
	}
	d->size = d->file.size;
	memcpy(d->tag, d->file.sha256, sizeof(d->file.sha256));
	if (req->raw && d->file.encryption && d->file.layout == REC_SEALED &&
	    choose_raw(d, req->who, err) < 0) {
		download_close(d);
		return -1;
	}
	*ret_d = d;
	return 0;
}

struct blob_query {
	const char *blob_id;
	struct rec_file *file;
};

static int
get_file_of_blob(struct db_tx *tx, void *arg, struct err *err)
{
	const struct blob_query *q = arg;

	return rec_file_of_blob(tx, q->blob_id, q->file, err);
}

int
download_open_blob(struct engine *e, const char *blob_id,
    struct download **ret_d, struct err *err)
{
	struct principal who;
	struct rec_file f = { 0 };
	struct blob_query q = { blob_id, &f };
	struct download_request wanted = { &who, NULL, false };
	int rc;

	auth_anonymous(&who);
	rc = db_read(e->db, get_file_of_blob, &q, err);
	if (rc == 0) {
		wanted.filename = f.filename;
		rc = download_open(e, &wanted, ret_d, err);
	}
	rec_file_fini(&f);
	if (rc == 0 && strcmp((*ret_d)->file.blob_id, blob_id) != 0) {
		download_close(*ret_d);
		*ret_d = NULL;
		rc = err_set(err, ERR_FILE_NOT_FOUND,
		    "the file of this object has been replaced");
	}
	return rc;
}

int
download_bytes(struct download *d, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	const struct stored_range plain = { d->stored, range };

	if (d->is_raw)
		return open_raw(d, range, ret_src, err);
	return stored_open(d->engine, &d->file, &plain, ret_src, err);
}

struct lane *
download_join(struct download *d, const struct client *client, uint64_t length)
{
	const struct parts_wanted wanted = {
		.client = client,
		.filename = d->file.filename,
		.blob_id = d->file.blob_id,
		.sha256 = d->file.sha256,
		.encryption = d->file.encryption,
		.is_raw = d->is_raw,
		.length = length,
	};

	if (d->parted == NULL)
		d->parted = parts_join(d->engine->parts, &wanted);
	return parts_lane(d->parted);
}

void
download_wait(struct download *d, struct mover *m)
{
	parts_attach(d->parted, m);
}

int
download_start(struct download *d, const struct download_part *part,
    struct source **ret_src, struct err *err)
{
	struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = d->file.filename,
		.total = part->range.length,
		.encryption = d->file.encryption,
		.client = part->client,
		.mover = part->mover,
		.lane = part->lane,
	};

	if (download_bytes(d, part->range, ret_src, err) < 0)
		return -1;
	if (d->parted != NULL) {
		if (part->mover != NULL)
			parts_attach(d->parted, part->mover);
		parts_go(d->parted);
		return 0;
	}
	d->transfer = part->transfer;
	if (d->transfer != NULL)
		transfer_go(d->transfer);
	else
		d->transfer = transfer_begin(d->engine->transfers, &start);
	return 0;
}

void
download_moved(struct download *d, uint64_t bytes)
{
	if (d->parted != NULL)
		parts_moved(d->parted, (int64_t)(bytes - d->moved));
	else
		transfer_moved(d->transfer, bytes);
	d->moved = bytes;
}

static void
leave_parts(struct download *d, uint64_t bytes, const struct err *why)
{
	parts_moved(d->parted, (int64_t)(bytes - d->moved));
	parts_leave(d->parted, why);
	d->parted = NULL;
}

void
download_end(struct download *d, uint64_t bytes, const struct err *why)
{
	struct rec_transfer row = { 0 };

	if (d->parted != NULL)
		leave_parts(d, bytes, why);
	if (d->transfer == NULL)
		return;
	transfer_moved(d->transfer, bytes);
	transfer_final(d->transfer,
	    why == NULL ? REC_COMPLETED : transfer_status_of(why), why, &row);
	memcpy(row.sha256, d->file.sha256, sizeof(row.sha256));
	transfer_end(d->transfer, &row);
	rec_transfer_fini(&row);
	d->transfer = NULL;
}

void
download_close(struct download *d)
{
	if (d == NULL)
		return;
	pins_drop(d->engine->pins, d->file.blob_id);
	rec_file_fini(&d->file);
	free(d);
}
