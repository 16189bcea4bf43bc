/* SPDX-License-Identifier: MIT */
#include "engine/preview_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "crypto/seal_source.h"
#include "proto/preview.h"

#define SEAL_MAGIC "SFTSEAL1"
#define NONE_MAGIC "NONE "

enum kind { KIND_JPEG, KIND_SEALED, KIND_NONE, KIND_DAMAGED };

static bool
is_jpeg(struct slice s)
{
	return s.n >= 4 && memcmp(s.p, "\xff\xd8", 2) == 0 &&
	       memcmp(s.p + s.n - 2, "\xff\xd9", 2) == 0;
}

static enum kind
kind_of(const struct buf *raw)
{
	struct slice s = buf_slice(raw);

	if (is_jpeg(s))
		return KIND_JPEG;
	if (s.n > SEAL_HEADER_SIZE && slice_starts(s, SEAL_MAGIC))
		return KIND_SEALED;
	return slice_starts(s, NONE_MAGIC) ? KIND_NONE : KIND_DAMAGED;
}

static int
read_raw(
    struct engine *e, const char *blob_id, struct buf *raw, struct err *err)
{
	buf_init(raw, STORAGE_BESIDE_MAX);
	return e->storage->ops->beside_get(e->storage, blob_id, raw, err);
}

static void
wipe(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->len);
	buf_fini(b);
}

/* --- sealed ones ------------------------------------------------------------
 */

/* ${raw} is KIND_SEALED. */
static int
unseal(struct engine *e, const struct buf *raw, struct buf *ret_jpeg,
    struct err *err)
{
	struct seal_range all = { .stored = raw->len };
	struct source *src = NULL;
	struct seal *seal;
	uint64_t at, n;
	ssize_t got = -1;
	void *p;

	if (!seal_plain_size(raw->len, &all.size))
		return err_set(err, ERR_DECRYPTION_FAILED, "no container");
	if (seal_open(e->keys, (const unsigned char *)raw->p, &seal, err) < 0)
		return -1;
	all.length = all.size;
	seal_range_stored(&all, &at, &n);
	if (seal_source_open(
	        seal, &all, source_mem(raw->p + at, (size_t)n), &src, err) < 0)
		return -1;
	buf_clear(ret_jpeg);
	p = buf_reserve(ret_jpeg, (size_t)all.size);
	if (p != NULL)
		got = source_read_full(src, p, (size_t)all.size, err);
	source_close(src);
	if (got != (ssize_t)all.size)
		return err_set(err, ERR_DECRYPTION_FAILED, "no container");
	buf_add(ret_jpeg, (size_t)got);
	return 0;
}

static void
seal_into(struct engine *e, const struct buf *jpeg, struct buf *ret_raw)
{
	struct seal *seal = seal_new(e->keys);
	const struct seal_run run = {
		.is_last = true,
		.plain = jpeg->p,
		.n = jpeg->len,
	};
	size_t size = (size_t)seal_size(jpeg->len);
	unsigned char *p = mem_alloc(size);

	seal_header(seal, p);
	(void)seal_run(seal, &run, p + SEAL_HEADER_SIZE);
	(void)buf_append(ret_raw, p, size);
	free(p);
	seal_free(seal);
}

/* --- reading ----------------------------------------------------------------
 */

/* Does "TIME VERSION\n" still hold? */
static bool
none_holds(struct engine *e, struct slice text, const char *version)
{
	int64_t now_s = clock_wall_ms(e->clock) / 1000;
	struct slice time, by;
	uint64_t at_s;

	if (!slice_next(&text, ' ', &time) || !slice_next(&text, '\n', &by) ||
	    !num_uint(time, INT64_MAX, &at_s))
		return false;
	if ((int64_t)at_s > now_s ||
	    now_s - (int64_t)at_s >= PREVIEW_STORE_NONE_MS / 1000)
		return false;
	return version[0] == '\0' || slice_eq_str(by, version);
}

static int
absent(struct err *err)
{
	return err_set(err, ERR_ABSENT, "there is no preview yet");
}

static int
read_jpeg(const struct rec_file *f, const struct buf *raw, struct buf *ret,
    struct err *err)
{
	/* Of what is sealed nothing is believed that is not. */
	if (f->layout != REC_PLAIN)
		return absent(err);
	buf_clear(ret);
	return buf_append(ret, raw->p, raw->len) < 0 ? absent(err) : 0;
}

int
preview_store_get(struct engine *e, const struct rec_file *f,
    const char *version, struct buf *ret_jpeg, struct err *err)
{
	struct slice text;
	struct buf raw;
	int rc = -1;

	if (read_raw(e, f->blob_id, &raw, NULL) < 0) {
		(void)absent(err);
		goto out;
	}
	switch (kind_of(&raw)) {
	case KIND_JPEG:
		rc = read_jpeg(f, &raw, ret_jpeg, err);
		break;
	case KIND_SEALED:
		if (f->layout == REC_SEALED &&
		    unseal(e, &raw, ret_jpeg, NULL) == 0)
			rc = 0;
		else
			(void)absent(err);
		break;
	case KIND_NONE:
		text = buf_slice(&raw);
		text.p += strlen(NONE_MAGIC);
		text.n -= strlen(NONE_MAGIC);
		if (!none_holds(e, text, version))
			(void)absent(err);
		else
			(void)err_set(
			    err, ERR_NO_THUMBNAIL, "known to be none");
		break;
	case KIND_DAMAGED:
		(void)absent(err);
		break;
	}
out:
	buf_fini(&raw);
	return rc;
}

/* --- writing ----------------------------------------------------------------
 */

static int
put_raw(struct engine *e, const char *blob_id, const struct buf *raw,
    struct err *err)
{
	struct space_hold hold;
	int rc;

	/* It must not take the room of uploads. */
	if (space_hold_init(&hold, e->space, raw->len, err) < 0)
		return -1;
	rc = e->storage->ops->beside_put(
	    e->storage, blob_id, raw->p, raw->len, err);
	space_hold_fini(&hold);
	return rc;
}

int
preview_store_put(struct engine *e, const struct rec_file *f,
    const struct buf *jpeg, struct err *err)
{
	struct buf raw;
	int rc;

	if (f->layout == REC_PLAIN)
		return put_raw(e, f->blob_id, jpeg, err);
	buf_init(&raw, STORAGE_BESIDE_MAX);
	seal_into(e, jpeg, &raw);
	rc = put_raw(e, f->blob_id, &raw, err);
	buf_fini(&raw);
	return rc;
}

int
preview_store_put_none(struct engine *e, const struct rec_file *f,
    const char *version, struct err *err)
{
	struct buf raw;
	int rc;

	buf_init(&raw, 256);
	(void)buf_printf(&raw, NONE_MAGIC "%" PRId64 " %s\n",
	    clock_wall_ms(e->clock) / 1000, version);
	rc = put_raw(e, f->blob_id, &raw, err);
	buf_fini(&raw);
	return rc;
}

/* --- upkeep -----------------------------------------------------------------
 */

static int
remove_it(struct engine *e, const char *blob_id, struct err *err)
{
	return e->storage->ops->beside_remove(e->storage, blob_id, err);
}

static bool
is_current(struct engine *e, const unsigned char *header)
{
	return memcmp(seal_key_id(header), keyring_current_id(e->keys),
	           KEYRING_ID_SIZE) == 0;
}

int
preview_store_rewrap(
    struct engine *e, const char *blob_id, bool *ret_changed, struct err *err)
{
	unsigned char header[SEAL_HEADER_SIZE];
	struct err why = ERR_INIT;
	struct buf raw;
	int rc = 0;

	*ret_changed = false;
	/* It may have been removed meanwhile. */
	if (read_raw(e, blob_id, &raw, &why) < 0 ||
	    kind_of(&raw) != KIND_SEALED)
		goto out;
	memcpy(header, raw.p, sizeof(header));
	if (is_current(e, header))
		goto out;
	*ret_changed = true;
	if (seal_rewrap(e->keys, header, NULL) < 0) {
		rc = remove_it(e, blob_id, err);
		goto out;
	}
	memcpy(raw.p, header, sizeof(header));
	rc = e->storage->ops->beside_put(
	    e->storage, blob_id, raw.p, raw.len, err);
out:
	buf_fini(&raw);
	return rc;
}

static bool
is_sound(struct engine *e, const struct buf *raw)
{
	struct err why = ERR_INIT;
	struct buf jpeg;
	bool sound;

	switch (kind_of(raw)) {
	case KIND_SEALED:
		buf_init(&jpeg, STORAGE_BESIDE_MAX);
		sound = (unseal(e, raw, &jpeg, &why) == 0 &&
		            is_jpeg(buf_slice(&jpeg))) ||
		        why.code == ERR_KEY_MISSING;
		wipe(&jpeg);
		return sound;
	case KIND_DAMAGED:
		return false;
	default:
		return true;
	}
}

int
preview_store_check(struct engine *e, const char *blob_id, struct err *err)
{
	struct err why = ERR_INIT;
	struct buf raw;
	uint64_t size;
	bool keep;

	if (e->storage->ops->blob_size(e->storage, blob_id, &size, &why) < 0 &&
	    why.code == ERR_ABSENT)
		return remove_it(e, blob_id, err);
	keep = read_raw(e, blob_id, &raw, NULL) < 0 || is_sound(e, &raw);
	buf_fini(&raw);
	return keep ? 0 : remove_it(e, blob_id, err);
}
