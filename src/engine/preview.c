/* SPDX-License-Identifier: MIT */
#include "engine/preview.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/download.h"
#include "engine/metadata.h"
#include "engine/preview_store.h"
#include "engine/previewer.h"
#include "proto/preview.h"

#define SLICE_NS (100 * 1000000LL)

struct previews {
	struct previewer *previewer;
	pthread_mutex_t lock;
	pthread_cond_t made;
	struct map *making; /* blob ids, on the spot; under the lock */
};

struct previews *
previews_new(const char *program)
{
	struct previews *p = mem_calloc(1, sizeof(*p));

	p->previewer = previewer_new(program);
	p->making = map_new();
	pthread_mutex_init(&p->lock, NULL);
	thread_cond_init(&p->made);
	return p;
}

void
previews_free(struct previews *p)
{
	if (p == NULL)
		return;
	previewer_free(p->previewer);
	map_free(p->making);
	pthread_cond_destroy(&p->made);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool
preview_fits(const char *mime_type)
{
	static const char *const types[] = {
		"image/jpeg",
		"image/png",
		"image/gif",
		"image/webp",
		"image/tiff",
		"image/avif",
		"image/heic",
		"image/heif",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i], mime_type) == 0)
			return true;
	return false;
}

char *
preview_name(const char *filename, const char *mime_type)
{
	return mime_type != NULL && preview_fits(mime_type)
	           ? mem_printf("%s" PREVIEW_SUFFIX, filename)
	           : NULL;
}

static int
none(struct err *err)
{
	return err_set(err, ERR_NO_THUMBNAIL,
	    "there is no preview of this file: it is no image that can be read "
	    "within %" PRIu64 " megapixels, %" PRIu64 " MiB of memory and %d "
	    "seconds",
	    PREVIEW_PIXELS_MAX / 1000000, PREVIEW_MEMORY_MAX / 1048576,
	    PREVIEW_TIME_MS / 1000);
}

/* --- making one -------------------------------------------------------------
 */

/* A preview on its way. */
struct making {
	struct engine *engine;
	struct download *image; /* pins its blob */
	struct preview_wait wait;
	bool is_idle;
	struct buf *jpeg;
};

static const struct rec_file *
file_of(const struct making *m)
{
	return &m->image->file;
}

static int
look_up(struct making *m, struct err *err)
{
	struct engine *e = m->engine;
	char version[PREVIEWER_VERSION_SIZE];

	previewer_version(e->previews->previewer, version);
	return preview_store_get(e, file_of(m), version, m->jpeg, err);
}

static bool
is_hopeless(const struct making *m, enum err_code code)
{
	/* Others go first at idle priority: time says little of the image. */
	return code == ERR_NO_THUMBNAIL || code == ERR_CLOSED ||
	       (code == ERR_TIMEOUT && !m->is_idle);
}

/* What a decoder that was tried said of it. */
static int
conclude(struct making *m, const struct err *why, struct err *err)
{
	struct engine *e = m->engine;
	char version[PREVIEWER_VERSION_SIZE];

	if (!is_hopeless(m, why->code)) {
		*err = *why;
		return -1;
	}
	previewer_version(e->previews->previewer, version);
	/* Or it is tried in vain again. */
	(void)preview_store_put_none(e, file_of(m), version, NULL);
	return none(err);
}

static int
decode(struct making *m, struct err *err)
{
	struct previewer_job job = {
		.is_idle = m->is_idle,
		.check = m->wait.check,
		.arg = m->wait.arg,
	};
	struct engine *e = m->engine;
	int rc;

	if (download_bytes(m->image,
	        (struct storage_range){ 0, m->image->size }, &job.src, err) < 0)
		return -1;
	rc = previewer_make(e->previews->previewer, &job, m->jpeg, err);
	source_close(job.src);
	return rc;
}

static int
make(struct making *m, struct err *err)
{
	struct engine *e = m->engine;
	struct err why = ERR_INIT;

	if (!previewer_is_there(e->previews->previewer))
		return err_set(err, ERR_NO_THUMBNAIL,
		    "this server makes no previews: the program that does is "
		    "not installed");
	if (decode(m, &why) < 0)
		return conclude(m, &why, err);
	/* It is there for who asked, at any rate. */
	(void)preview_store_put(e, file_of(m), m->jpeg, NULL);
	return 0;
}

/* --- on the spot ------------------------------------------------------------
 */

/* True: ours to make; false: somebody else was making it, look again. */
static bool
claim(struct making *m, int *ret_rc, struct err *err)
{
	struct previews *p = m->engine->previews;
	struct slice id = slice_str(file_of(m)->blob_id);
	bool is_ours;

	*ret_rc = 0;
	pthread_mutex_lock(&p->lock);
	is_ours = map_get(p->making, id) == NULL;
	if (is_ours)
		(void)map_put(p->making, id, m);
	while (!is_ours && *ret_rc == 0 && map_get(p->making, id) != NULL) {
		(void)thread_cond_wait_until(&p->made, &p->lock,
		    clock_mono_ns(clock_system()) + SLICE_NS);
		if (m->wait.check != NULL)
			*ret_rc = m->wait.check(m->wait.arg, err);
	}
	pthread_mutex_unlock(&p->lock);
	return is_ours;
}

static void
release(struct making *m)
{
	struct previews *p = m->engine->previews;

	pthread_mutex_lock(&p->lock);
	(void)map_remove(p->making, slice_str(file_of(m)->blob_id));
	pthread_cond_broadcast(&p->made);
	pthread_mutex_unlock(&p->lock);
}

/* There may be one since it was looked for. */
static int
make_ours(struct making *m, struct err *err)
{
	struct err why = ERR_INIT;
	int rc = look_up(m, &why);

	if (rc < 0 && why.code == ERR_ABSENT)
		rc = make(m, err);
	else if (rc < 0)
		rc = none(err);
	release(m);
	return rc;
}

static int
get_or_make(struct making *m, struct err *err)
{
	struct err why;
	int rc;

	for (;;) {
		err_clear(&why);
		if (look_up(m, &why) == 0)
			return 0;
		if (why.code == ERR_NO_THUMBNAIL)
			return none(err);
		if (claim(m, &rc, err))
			return make_ours(m, err);
		if (rc < 0)
			return -1;
	}
}

/* "<name>.thumb.jpg" stands for <name>, unless it is a file itself. */
static int
open_image(struct engine *e, const struct preview_request *req,
    struct download **ret_d, struct err *err)
{
	const size_t suffix = strlen(PREVIEW_SUFFIX);
	size_t n = strlen(req->filename);
	struct download_request wanted = { req->who, req->filename, false };
	struct err why = ERR_INIT;
	char *name;
	int rc;

	if (download_open(e, &wanted, ret_d, &why) == 0)
		return 0;
	if (why.code != ERR_FILE_NOT_FOUND || n <= suffix ||
	    strcmp(req->filename + n - suffix, PREVIEW_SUFFIX) != 0) {
		*err = why;
		return -1;
	}
	name = slice_dup((struct slice){ req->filename, n - suffix });
	wanted.filename = name;
	rc = download_open(e, &wanted, ret_d, err);
	free(name);
	return rc;
}

static void
describe(const struct making *m, struct preview *p)
{
	unsigned char digest[SHA256_SIZE];

	sha256(p->jpeg.p, p->jpeg.len, digest);
	hex_encode(digest, sizeof(digest), p->sha256);
	p->modified_ms = file_of(m)->modified_ms;
}

int
preview_open(struct engine *e, const struct preview_request *req,
    struct preview *ret, struct err *err)
{
	struct preview p = { .modified_ms = 0 };
	struct making m = {
		.engine = e,
		.wait = req->wait,
		.jpeg = &p.jpeg,
	};
	int rc;

	if (open_image(e, req, &m.image, err) < 0)
		return -1;
	buf_init(&p.jpeg, PREVIEW_BYTES_MAX);
	if (e->previews == NULL || !preview_fits(file_of(&m)->mime_type))
		rc = none(err);
	else
		rc = get_or_make(&m, err);
	if (rc == 0) {
		describe(&m, &p);
		*ret = p;
	} else {
		preview_fini(&p);
	}
	download_close(m.image);
	return rc;
}

void
preview_fini(struct preview *p)
{
	/* It may be of a sealed image. */
	if (p->jpeg.p != NULL)
		mem_wipe(p->jpeg.p, p->jpeg.len);
	buf_fini(&p->jpeg);
}

/* --- ahead of the need ------------------------------------------------------
 */

/* What is stored sealed for want of a word gets another blob soon. */
static bool
is_settled(const struct rec_file *f)
{
	return f->layout == REC_PLAIN || f->encryption;
}

void
preview_stored(struct engine *e, const struct rec_file *f)
{
	if (e->stored != NULL && preview_fits(f->mime_type) && is_settled(f))
		e->stored(e->stored_arg, f->blob_id);
}

int
preview_prepare(struct engine *e, const char *blob_id,
    const struct preview_wait *wait, struct err *err)
{
	struct making m = { .engine = e, .wait = *wait, .is_idle = true };
	struct err why = ERR_INIT;
	struct preview p;
	int rc;

	if (download_open_blob(e, blob_id, &m.image, err) < 0)
		return err->code == ERR_FILE_NOT_FOUND ? 0 : -1;
	metadata_learn(m.image);
	buf_init(&p.jpeg, PREVIEW_BYTES_MAX);
	m.jpeg = &p.jpeg;
	rc = look_up(&m, &why);
	if (rc < 0 && why.code == ERR_ABSENT)
		rc = make(&m, err);
	else if (rc < 0)
		rc = none(err);
	preview_fini(&p);
	download_close(m.image);
	return rc;
}

bool
preview_can_make(struct engine *e)
{
	return previewer_is_there(e->previews->previewer);
}

void
preview_tidy(struct engine *e)
{
	previewer_tidy(e->previews->previewer);
}
