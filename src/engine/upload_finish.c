/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/hex.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "engine/birth.h"
#include "engine/preview.h"
#include "engine/upload_priv.h"

void
upload_result_fini(struct upload_result *r)
{
	free(r->filename);
	free(r->mime_type);
	memset(r, 0, sizeof(*r));
}

/* --- laying by ------------------------------------------------------------ */

/* Once: the hash takes no more. */
static void
take_result(struct upload *up)
{
	if (up->has_result)
		return;
	intake_result(up->intake, &up->result);
	up->has_result = true;
}

void
upload_lay_by(struct upload *up)
{
	take_result(up);
	intake_lay_by(up->intake);
	up->blob->ops->blob_close(up->blob);
	up->blob = NULL;
	up->is_laid_by = true;
	/* It holds room for what may come; nothing does. */
	space_hold_fini(&up->hold);
}

static int
take_up(struct upload *up, struct err *err)
{
	struct storage *st = up->engine->storage;
	uint64_t most =
	    intake_stored(up->intake) == 0 ? seal_size(up->result.size) : 0;

	if (!up->is_laid_by)
		return 0;
	if (space_hold_init(&up->hold, up->engine->space, most, err) < 0 ||
	    st->ops->blob_reopen(st, up->blob_id, &up->blob, err) < 0)
		return -1;
	intake_take_up(up->intake, up->blob);
	return 0;
}

/* --- publishing ----------------------------------------------------------- */

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
describe(struct upload *up, const struct upload_options *o)
{
	const struct digest_result *got = &up->result;
	struct engine *e = up->engine;
	size_t head = got->size < INTAKE_HEAD ? (size_t)got->size : INTAKE_HEAD;
	struct rec_file *f = &up->file;

	f->filename = mem_strdup(o->filename);
	memcpy(f->blob_id, up->blob_id, ID_SIZE);
	hex_encode(got->sha256, SHA256_SIZE, f->sha256);
	f->crc32 = got->crc32;
	f->size = got->size;
	f->mime_type = mem_strdup(
	    filetype_of(e->types, up->intake->head, head, o->filename));
	f->encryption = o->encryption;
	f->layout = intake_layout(up->intake);
	f->created_ms = f->modified_ms = clock_wall_ms(e->clock);
	memcpy(f->transfer_id, transfer_id(up->transfer), ID_SIZE);
}

/* What is known at the end; the birth record of it. */
static int
settle(struct upload *up, const struct upload_options *o,
    char ret_birth[STORAGE_BIRTH_MAX + 1], struct err *err)
{
	transfer_set_filename(up->transfer, o->filename);
	if (upload_check_name(up->prefix, o, err) < 0 || take_up(up, err) < 0 ||
	    intake_settle(up->intake, o->encryption, err) < 0)
		return -1;
	take_result(up);
	if (check_hash(o, &up->result, err) < 0)
		return -1;
	describe(up, o);
	if (birth_write(&up->file, ret_birth, err) < 0)
		return -1;
	FAULT_POINT("upload.taken");
	return 0;
}

/* As it lies, to its place (${at_once}), or where upload_place() finds it. */
static int
hand_over(struct upload *up, const struct upload_options *o, bool at_once,
    struct err *err)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct blob *blob;
	int rc;

	if (settle(up, o, birth, err) < 0)
		return -1;
	/* Either frees the blob whatever comes out. */
	blob = up->blob;
	up->blob = NULL;
	rc = (at_once ? blob->ops->blob_publish : blob->ops->blob_prepare)(
	    blob, intake_stored(up->intake), birth, up->engine->durable, err);
	if (rc == 0)
		upload_drop_intake(up);
	return rc;
}

int
upload_publish(
    struct upload *up, const struct upload_options *o, struct err *err)
{
	if (hand_over(up, o, true, err) < 0)
		return -1;
	up->published = true;
	FAULT_POINT("upload.published");
	return 0;
}

int
upload_prepare(
    struct upload *up, const struct upload_options *o, struct err *err)
{
	if (hand_over(up, o, false, err) < 0)
		return -1;
	up->is_laid_by = true;
	FAULT_POINT("upload.prepared");
	return 0;
}

int
upload_place(struct upload *const *ups, size_t n, struct err *err)
{
	const struct engine *e;
	const char **ids;
	size_t i;
	int rc;

	if (n == 0)
		return 0;
	e = ups[0]->engine;
	ids = mem_calloc(n, sizeof(*ids));
	/* Where that ends early they may be here or there. */
	for (i = 0; i < n; i++) {
		ids[i] = ups[i]->blob_id;
		ups[i]->published = true;
	}
	rc = e->storage->ops->blobs_place(e->storage, ids, n, e->durable, err);
	for (i = 0; i < n && rc == 0; i++)
		ups[i]->is_laid_by = false;
	free((void *)ids);
	return rc;
}

/* --- recording ------------------------------------------------------------ */

void
upload_conclude(struct upload *up, const struct upload_options *o)
{
	transfer_set_client_id(up->transfer, o->client_id);
	transfer_set_options(up->transfer, o->encryption, o->priority);
	transfer_final(up->transfer, REC_COMPLETED, NULL, &up->row);
	memcpy(up->row.sha256, up->file.sha256, sizeof(up->row.sha256));
}

int
upload_record(
    struct db_tx *tx, struct upload *up, bool may_replace, struct err *err)
{
	struct rec_file stored = { 0 };

	if (rec_file_put(tx, &up->file, may_replace, &up->is_new, err) < 0)
		return -1;
	/* The name keeps its first date. */
	if (!up->is_new) {
		if (rec_file_get(tx, "", up->file.filename, &stored, err) < 0)
			return -1;
		up->file.created_ms = stored.created_ms;
		rec_file_fini(&stored);
	}
	return rec_transfer_put(tx, &up->row, err);
}

void
upload_completed(struct upload *up, struct rec_file *ret)
{
	struct engine *e = up->engine;
	bool is_new = up->is_new;

	preview_stored(e, &up->file);
	*ret = up->file;
	up->file = (struct rec_file){ 0 };
	transfer_ended(up->transfer, &up->row);
	upload_free(up);
	if (!is_new && e->trashed != NULL)
		e->trashed(e->trashed_arg);
	if (ret->layout == REC_SEALED && !ret->encryption &&
	    e->unsettled != NULL)
		e->unsettled(e->unsettled_arg);
}

/* --- one by itself -------------------------------------------------------- */

/* What one commit makes true. */
struct publication {
	struct upload *up;
	bool may_replace;
};

static int
record(struct db_tx *tx, void *arg, struct err *err)
{
	struct publication *p = arg;

	return upload_record(tx, p->up, p->may_replace, err);
}

int
upload_finish(struct upload *up, const struct upload_options *options,
    struct upload_result *ret, struct err *err)
{
	struct publication p = { up, options->may_replace };
	struct rec_file file;
	bool is_new;

	/* What is said of a failure, too. */
	transfer_set_client_id(up->transfer, options->client_id);
	transfer_set_options(
	    up->transfer, options->encryption, options->priority);
	if (upload_publish(up, options, err) < 0)
		return -1;
	upload_conclude(up, options);
	if (engine_write(up->engine, record, &p, err) < 0)
		return -1;
	FAULT_POINT("upload.recorded");
	is_new = up->is_new;
	upload_completed(up, &file);
	*ret = (struct upload_result){
		.filename = file.filename,
		.mime_type = file.mime_type,
		.size = file.size,
		.is_new = is_new,
	};
	memcpy(ret->sha256, file.sha256, sizeof(ret->sha256));
	memcpy(ret->id, file.transfer_id, ID_SIZE);
	return 0;
}
