/* SPDX-License-Identifier: MIT */
#include "engine/upload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "db/rec_file.h"
#include "engine/birth.h"
#include "engine/intake.h"
#include "engine/preview.h"

struct upload {
	struct engine *engine;
	struct transfer *transfer;
	struct blob *blob; /* NULL once published or aborted */
	char blob_id[ID_SIZE];
	char prefix[AUTH_PREFIX_MAX + 1]; /* of the key that began it */
	struct space_hold hold;
	uint64_t moved; /* bytes taken */
	struct intake intake;
	bool published; /* the object stands, its record does not */
};

void
upload_result_fini(struct upload_result *r)
{
	free(r->filename);
	free(r->mime_type);
	memset(r, 0, sizeof(*r));
}

/* --- beginning ---------------------------------------------------------- */

struct lookup {
	const char *filename;
	bool exists;
};

static int
look_up(struct db_tx *tx, void *arg, struct err *err)
{
	struct lookup *l = arg;
	struct rec_file f = { 0 };
	struct err e = ERR_INIT;

	if (rec_file_get(tx, "", l->filename, &f, &e) == 0)
		l->exists = true;
	else if (e.code != ERR_FILE_NOT_FOUND) {
		*err = e;
		return -1;
	}
	rec_file_fini(&f);
	return 0;
}

static int
exists_error(const char *filename, struct err *err)
{
	return err_set(
	    err, ERR_FILE_EXISTS, "a file named '%s' exists already", filename);
}

static int
check_name(const char *prefix, const struct upload_options *o, struct err *err)
{
	if (strncmp(o->filename, prefix, strlen(prefix)) != 0)
		return err_set(err, ERR_FORBIDDEN,
		    "this key may only write names that begin with '%s'",
		    prefix);
	return 0;
}

static int
too_large(uint64_t max, struct err *err)
{
	return err_set(err, ERR_FILE_TOO_LARGE,
	    "the file is larger than %" PRIu64
	    " bytes, the most that this server takes",
	    max);
}

static int
check_early(struct engine *e, const struct upload_request *req, struct err *err)
{
	struct lookup l = { req->options->filename, false };

	if (check_name(req->who->prefix, req->options, err) < 0)
		return -1;
	if (req->total != REC_SIZE_UNKNOWN &&
	    req->total > e->settings->max_file_size)
		return too_large(e->settings->max_file_size, err);
	if (req->options->may_replace)
		return 0;
	if (db_read(e->db, look_up, &l, err) < 0)
		return -1;
	return l.exists ? exists_error(l.filename, err) : 0;
}

static enum intake_path
choose_path(const struct upload_options *o)
{
	if (o->encryption)
		return INTAKE_SEALED;
	return o->is_decided ? INTAKE_PLAIN : INTAKE_UNDECIDED;
}

/* Bytes that are written in the end; undecided ones may be sealed. */
static uint64_t
stored_size(const struct upload_request *req)
{
	if (req->total == REC_SIZE_UNKNOWN)
		return STORAGE_SIZE_UNKNOWN;
	if (choose_path(req->options) == INTAKE_PLAIN)
		return req->total;
	/* more than any disk has: refused for want of space */
	return req->total > SEAL_PLAIN_MAX ? UINT64_MAX - 1
	                                   : seal_size(req->total);
}

/* Space, then the blob, then the transfer that everybody sees. */
static int
open_blob(struct upload *up, uint64_t size, struct err *err)
{
	struct engine *e = up->engine;

	if (space_hold_init(&up->hold, e->space, size, err) < 0)
		return -1;
	id_new(clock_wall_ms(e->clock), up->blob_id);
	pins_take(e->pins, up->blob_id);
	if (e->storage->ops->blob_new(
	        e->storage, up->blob_id, size, &up->blob, err) == 0)
		return 0;
	pins_drop(e->pins, up->blob_id);
	space_hold_fini(&up->hold);
	return -1;
}

static int
stores(void *arg, uint64_t n, struct err *err)
{
	struct upload *up = arg;

	return space_hold_take(&up->hold, n, err);
}

static int
took(void *arg, uint64_t n, struct err *err)
{
	struct upload *up = arg;
	uint64_t max = up->engine->settings->max_file_size;

	up->moved += n;
	if (up->moved > max)
		return too_large(max, err);
	transfer_moved(up->transfer, up->moved);
	return 0;
}

int
upload_check(
    struct engine *e, const struct upload_request *req, struct err *err)
{
	struct space_hold hold;

	if (check_early(e, req, err) < 0 ||
	    space_hold_init(&hold, e->space, stored_size(req), err) < 0)
		return -1;
	space_hold_fini(&hold);
	return 0;
}

int
upload_begin(struct engine *e, const struct upload_request *req,
    struct upload **ret_up, struct err *err)
{
	const struct upload_options *o = req->options;
	struct transfer_start start = {
		.direction = REC_UPLOAD,
		.filename = o->filename,
		.total = req->total,
		.encryption = o->encryption,
		.priority = o->priority,
		.client = req->client,
		.mover = req->mover,
		.lane = req->lane,
	};
	struct intake_target target;
	struct upload *up;

	if (check_early(e, req, err) < 0)
		return -1;
	up = mem_calloc(1, sizeof(*up));
	up->engine = e;
	memcpy(up->prefix, req->who->prefix, sizeof(up->prefix));
	if (open_blob(up, stored_size(req), err) < 0) {
		free(up);
		return -1;
	}
	up->transfer = req->transfer;
	if (up->transfer != NULL)
		transfer_go(up->transfer);
	else
		up->transfer = transfer_begin(e->transfers, &start);
	target = (struct intake_target){
		.blob = up->blob,
		.path = choose_path(o),
		.owner = { stores, took, up },
	};
	intake_init(&up->intake, e, &target);
	*ret_up = up;
	return 0;
}

struct transfer *
upload_transfer(struct upload *up)
{
	return up->transfer;
}

int
upload_fill(struct upload *up, struct source *body, struct err *err)
{
	return intake_run(&up->intake, body, err);
}

/* --- finishing ----------------------------------------------------------- */

static void
upload_free(struct upload *up)
{
	intake_fini(&up->intake);
	space_hold_fini(&up->hold);
	pins_drop(up->engine->pins, up->blob_id);
	free(up);
}

static int
check_hash(const struct upload_options *o, const struct digest_result *got,
    struct err *err)
{
	char hex[SHA256_HEX_SIZE];

	if (!o->has_sha256 || secret_equal(o->sha256, got->sha256, SHA256_SIZE))
		return 0;
	hex_encode(got->sha256, SHA256_SIZE, hex);
	return err_set(err, ERR_HASH_MISMATCH,
	    "the bytes that arrived have the SHA-256 %s, not the one that "
	    "was announced; nothing was kept",
	    hex);
}

static void
describe(struct upload *up, const struct upload_options *o,
    const struct digest_result *got, struct rec_file *f)
{
	struct engine *e = up->engine;
	size_t head = got->size < INTAKE_HEAD ? (size_t)got->size : INTAKE_HEAD;

	memset(f, 0, sizeof(*f));
	f->filename = mem_strdup(o->filename);
	memcpy(f->blob_id, up->blob_id, ID_SIZE);
	hex_encode(got->sha256, SHA256_SIZE, f->sha256);
	f->crc32 = got->crc32;
	f->size = got->size;
	f->mime_type = mem_strdup(
	    filetype_of(e->types, up->intake.head, head, o->filename));
	f->encryption = o->encryption;
	f->layout = intake_layout(&up->intake);
	f->created_ms = f->modified_ms = clock_wall_ms(e->clock);
	memcpy(f->transfer_id, transfer_id(up->transfer), ID_SIZE);
}

/* What one commit makes true. */
struct publication {
	const struct rec_file *file;
	const struct rec_transfer *transfer;
	bool may_replace;
	bool is_new;
};

static int
record(struct db_tx *tx, void *arg, struct err *err)
{
	struct publication *p = arg;

	if (rec_file_put(tx, p->file, p->may_replace, &p->is_new, err) < 0)
		return -1;
	return rec_transfer_put(tx, p->transfer, err);
}

static int
publish(struct upload *up, const struct rec_file *f, struct err *err)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct blob *blob;

	if (birth_write(f, birth, err) < 0)
		return -1;
	FAULT_POINT("upload.taken");
	/* Publishing frees the blob whatever comes out. */
	blob = up->blob;
	up->blob = NULL;
	if (blob->ops->blob_publish(blob, intake_stored(&up->intake), birth,
	        up->engine->durable, err) < 0)
		return -1;
	up->published = true;
	FAULT_POINT("upload.published");
	return 0;
}

int
upload_finish(struct upload *up, const struct upload_options *options,
    struct upload_result *ret, struct err *err)
{
	struct engine *e = up->engine;
	struct digest_result got;
	struct rec_file file = { 0 };
	struct rec_transfer row = { 0 };
	struct publication p = { &file, &row, options->may_replace, false };
	bool is_unsettled;
	int rc = -1;

	transfer_set_filename(up->transfer, options->filename);
	transfer_set_client_id(up->transfer, options->client_id);
	transfer_set_options(
	    up->transfer, options->encryption, options->priority);
	if (check_name(up->prefix, options, err) < 0)
		goto out;
	if (intake_settle(&up->intake, options->encryption, err) < 0)
		goto out;
	intake_result(&up->intake, &got);
	if (check_hash(options, &got, err) < 0)
		goto out;
	describe(up, options, &got, &file);
	if (publish(up, &file, err) < 0)
		goto out;
	transfer_final(up->transfer, REC_COMPLETED, NULL, &row);
	memcpy(row.sha256, file.sha256, sizeof(row.sha256));
	if (engine_write(e, record, &p, err) < 0)
		goto out;
	FAULT_POINT("upload.recorded");
	preview_stored(e, &file);
	memset(ret, 0, sizeof(*ret));
	ret->filename = file.filename;
	ret->mime_type = file.mime_type;
	file.filename = file.mime_type = NULL;
	memcpy(ret->sha256, file.sha256, sizeof(ret->sha256));
	ret->size = got.size;
	memcpy(ret->id, file.transfer_id, ID_SIZE);
	ret->is_new = p.is_new;
	is_unsettled = file.layout == REC_SEALED && !file.encryption;
	transfer_ended(up->transfer, &row);
	upload_free(up);
	if (!p.is_new && e->trashed != NULL)
		e->trashed(e->trashed_arg);
	if (is_unsettled && e->unsettled != NULL)
		e->unsettled(e->unsettled_arg);
	rc = 0;
out:
	rec_file_fini(&file);
	rec_transfer_fini(&row);
	return rc;
}

void
upload_abort(struct upload *up, const struct err *why)
{
	struct rec_transfer row = { 0 };
	struct storage *st;

	if (up == NULL)
		return;
	st = up->engine->storage;
	transfer_final(up->transfer, transfer_status_of(why), why, &row);
	if (up->blob != NULL)
		up->blob->ops->blob_abort(up->blob);
	/* An object that could not be removed is found by recovery. */
	if (up->published)
		(void)st->ops->blob_remove(st, up->blob_id, NULL);
	transfer_end(up->transfer, &row);
	rec_transfer_fini(&row);
	upload_free(up);
}
