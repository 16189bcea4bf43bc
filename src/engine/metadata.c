/* SPDX-License-Identifier: MIT */
#include "engine/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/download.h"
#include "engine/files.h"
#include "engine/picture.h"

/* --- keeping it -------------------------------------------------------------
 */

struct lesson {
	char blob_id[ID_SIZE];
	struct picture_size size;
};

static int
record(struct db_tx *tx, void *arg, struct err *err)
{
	const struct lesson *l = arg;

	return rec_file_set_size(
	    tx, l->blob_id, l->size.width, l->size.height, err);
}

static void
recorded(void *arg, const struct err *err)
{
	(void)err; /* whoever asks next learns it again */
	free(arg);
}

static void
keep(struct download *d, const struct picture_size *size)
{
	struct lesson *l = mem_calloc(1, sizeof(*l));

	d->file.width = size->width;
	d->file.height = size->height;
	memcpy(l->blob_id, d->file.blob_id, ID_SIZE);
	l->size = *size;
	db_write_later(d->engine->db, record, l, recorded);
}

/* --- reading it -------------------------------------------------------------
 */

static int
read_at(void *arg, uint64_t offset, void *p, size_t n, struct err *err)
{
	struct source *src;
	ssize_t got;

	if (download_bytes(
	        arg, (struct storage_range){ offset, n }, &src, err) < 0)
		return -1;
	got = source_read_full(src, p, n, err);
	source_close(src);
	if (got >= 0 && (size_t)got < n)
		return err_set(
		    err, ERR_FILE_DAMAGED, "the stored file ends too early");
	return got < 0 ? -1 : 0;
}

static bool
is_unmeasured(const struct rec_file *f)
{
	return f->width == 0 && f->mime_type != NULL &&
	       strncmp(f->mime_type, "image/", 6) == 0;
}

void
metadata_learn(struct download *d)
{
	const struct picture_bytes bytes = { read_at, d, d->file.size };
	struct err e = ERR_INIT;
	struct picture_size size;
	int rc;

	if (!is_unmeasured(&d->file))
		return;
	rc = picture_measure(&bytes, &size, &e);
	if (rc > 0)
		keep(d, &size);
	else if (rc < 0)
		log_debug("the size of an image could not be read",
		    LOG_STR("object", d->file.blob_id), LOG_ERR(&e), LOG_END);
}

/* --- telling it -------------------------------------------------------------
 */

/* An image that is damaged, or was replaced meanwhile, is left as it is. */
void
metadata_complete(struct engine *e, struct rec_file *f)
{
	struct err why = ERR_INIT;
	struct download *d;

	if (!is_unmeasured(f) ||
	    download_open_blob(e, f->blob_id, &d, &why) < 0)
		return;
	metadata_learn(d);
	f->width = d->file.width;
	f->height = d->file.height;
	download_close(d);
}

int
metadata_get(struct engine *e, const struct principal *who,
    const char *filename, struct rec_file *ret, struct err *err)
{
	*ret = (struct rec_file){ 0 };
	if (files_find(e, who, filename, ret, err) < 0)
		return -1;
	metadata_complete(e, ret);
	return 0;
}
