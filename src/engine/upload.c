/* SPDX-License-Identifier: MIT */
#include "engine/upload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "db/rec_file.h"
#include "engine/upload_priv.h"
#include "proto/limits.h"

/* --- beginning ---------------------------------------------------------- */

static int
find_existing(struct db_tx *tx, void *arg, struct err *err)
{
	const char *filename = arg;
	struct err e = ERR_INIT;
	struct rec_file f;

	if (rec_file_get(tx, "", filename, &f, &e) == 0) {
		rec_file_fini(&f);
		return err_set(err, ERR_FILE_EXISTS,
		    "a file named '%s' exists already", filename);
	}
	if (e.code == ERR_FILE_NOT_FOUND)
		return 0;
	*err = e;
	return -1;
}

int
upload_check_absent(struct engine *e, const char *filename, struct err *err)
{
	return db_read(e->db, find_existing, (char *)filename, err);
}

int
upload_check_name(
    const char *prefix, const struct upload_options *o, struct err *err)
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
	if (upload_check_name(req->who->prefix, req->options, err) < 0)
		return -1;
	if (req->total != REC_SIZE_UNKNOWN &&
	    req->total > e->settings->max_file_size)
		return too_large(e->settings->max_file_size, err);
	if (req->options->may_replace)
		return 0;
	return upload_check_absent(e, req->options->filename, err);
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
	if (up->is_brief && up->moved > LIMIT_SMALL_BODY) {
		up->is_brief = false;
		transfer_lasts(up->transfer);
	}
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

static int
begin(struct engine *e, const struct upload_request *req, bool is_brief,
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
		.is_brief = is_brief,
	};
	struct intake_target target;
	struct upload *up;

	if (check_early(e, req, err) < 0)
		return -1;
	up = mem_calloc(1, sizeof(*up));
	up->engine = e;
	up->is_brief = is_brief;
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
	up->intake = mem_alloc(sizeof(*up->intake));
	intake_init(up->intake, e, &target);
	*ret_up = up;
	return 0;
}

int
upload_begin(struct engine *e, const struct upload_request *req,
    struct upload **ret_up, struct err *err)
{
	return begin(e, req, false, ret_up, err);
}

int
upload_begin_brief(struct engine *e, const struct upload_request *req,
    struct upload **ret_up, struct err *err)
{
	return begin(e, req, true, ret_up, err);
}

struct transfer *
upload_transfer(struct upload *up)
{
	return up->transfer;
}

int
upload_fill(struct upload *up, struct source *body, struct err *err)
{
	return intake_run(up->intake, body, err);
}

/* --- the end -------------------------------------------------------------- */

void
upload_free(struct upload *up)
{
	upload_drop_intake(up);
	pins_drop(up->engine->pins, up->blob_id);
	rec_file_fini(&up->file);
	rec_transfer_fini(&up->row);
	free(up);
}

void
upload_drop_intake(struct upload *up)
{
	if (up->intake != NULL)
		intake_fini(up->intake);
	free(up->intake);
	up->intake = NULL;
	space_hold_fini(&up->hold);
}

void
upload_abort(struct upload *up, const struct err *why)
{
	struct storage *st;

	if (up == NULL)
		return;
	st = up->engine->storage;
	rec_transfer_fini(&up->row);
	transfer_final(up->transfer, transfer_status_of(why), why, &up->row);
	if (up->blob != NULL)
		up->blob->ops->blob_abort(up->blob);
	/* What could not be removed is found by the next start. */
	if (up->is_laid_by)
		(void)st->ops->blob_discard(st, up->blob_id, NULL);
	if (up->published)
		(void)st->ops->blob_remove(st, up->blob_id, NULL);
	transfer_end(up->transfer, &up->row);
	upload_free(up);
}
