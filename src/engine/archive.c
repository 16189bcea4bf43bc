/* SPDX-License-Identifier: MIT */
#include "engine/archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "engine/archive_priv.h"
#include "engine/stored.h"

/* How often names may be replaced under a reader that looks them up. */
#define LOOKUPS_MAX 16

/* --- the records ---------------------------------------------------------- */

struct lookup {
	const struct archive_request *request;
	struct archive *archive;
	bool *missing;
	size_t missing_count;
};

static int
get_all(struct db_tx *tx, void *arg, struct err *err)
{
	struct lookup *l = arg;
	const struct archive_request *r = l->request;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < r->count; i++) {
		struct rec_file *f = &l->archive->members[i].file;

		if (rec_file_get(tx, r->who->prefix, r->names[i], f, &e) == 0) {
			free(f->mime_type);
			f->mime_type = NULL;
			continue;
		}
		if (e.code != ERR_FILE_NOT_FOUND) {
			*err = e;
			return -1;
		}
		err_clear(&e);
		l->missing[i] = true;
		l->missing_count++;
	}
	return 0;
}

static int
read_all(struct lookup *l, struct err *err)
{
	size_t first = 0;

	if (db_read(l->archive->engine->db, get_all, l, err) < 0)
		return -1;
	if (l->missing_count == 0)
		return 0;
	while (!l->missing[first])
		first++;
	if (l->missing_count == 1)
		return err_set(err, ERR_FILE_NOT_FOUND, "there is no file '%s'",
		    l->request->names[first]);
	return err_set(err, ERR_FILE_NOT_FOUND,
	    "%zu of these files are not there; the first is '%s'",
	    l->missing_count, l->request->names[first]);
}

/* --- the blobs ------------------------------------------------------------ */

static void
let_go(struct archive *a)
{
	for (size_t i = 0; i < a->count; i++) {
		struct rec_file *f = &a->members[i].file;

		if (f->filename == NULL)
			continue;
		pins_drop(a->engine->pins, f->blob_id);
		rec_file_fini(f);
	}
}

static void
pin_all(struct archive *a)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->members[i].file.filename != NULL)
			pins_take(a->engine->pins, a->members[i].file.blob_id);
}

/* *${ret_absent}: the first whose blob went before it was pinned. */
static int
check_all(struct archive *a, size_t *ret_absent, struct err *err)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < a->count; i++) {
		struct archive_member *m = &a->members[i];

		if (stored_check(a->engine, &m->file, &m->stored, &e) == 0)
			continue;
		if (e.code != ERR_ABSENT) {
			*err = e;
			return -1;
		}
		*ret_absent = i;
		return 1;
	}
	return 0;
}

static int
find_and_pin(struct lookup *l, struct err *err)
{
	struct archive *a = l->archive;
	char last[ID_SIZE] = "";
	size_t absent = 0;
	int rc;

	for (int i = 0; i < LOOKUPS_MAX; i++) {
		const struct rec_file *f;

		rc = read_all(l, err);
		pin_all(a);
		if (rc == 0)
			rc = check_all(a, &absent, err);
		if (rc <= 0)
			return rc;
		f = &a->members[absent].file;
		if (strcmp(last, f->blob_id) == 0)
			return stored_report_loss(a->engine, f, err);
		memcpy(last, f->blob_id, ID_SIZE);
		let_go(a);
	}
	return err_set(
	    err, ERR_UNAVAILABLE, "the files are being replaced all the time");
}

/* --- the plan ------------------------------------------------------------- */

/* Where everything lies. */
static void
lay_out(struct archive *a)
{
	uint64_t at = 0;

	for (size_t i = 0; i < a->count; i++) {
		struct archive_member *m = &a->members[i];

		m->entry = (struct zip_entry){
			.name = m->file.filename,
			.crc32 = m->file.crc32,
			.size = m->file.size,
			.packed = m->file.size,
			.modified_ms = m->file.modified_ms,
			.offset = at,
		};
		at += zip_local_size(&m->entry) + m->file.size;
		if (m->file.encryption)
			a->encryption = true;
	}
	a->end = (struct zip_end){ .entries = a->count, .offset = at };
	for (size_t i = 0; i < a->count; i++)
		a->end.size += zip_central_size(&a->members[i].entry);
	a->size = at + a->end.size + zip_end_size(&a->end);
}

static void
add(struct sha256 *h, const char *text)
{
	sha256_update(h, text, strlen(text) + 1);
}

/* Of all that the bytes are made from; the number is that of the form they
 * have. */
static void
set_tag(struct archive *a)
{
	unsigned char digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE], numbers[64];
	struct sha256 h;

	sha256_init(&h);
	add(&h, "zip 1");
	for (size_t i = 0; i < a->count; i++) {
		const struct rec_file *f = &a->members[i].file;

		add(&h, f->filename);
		add(&h, f->sha256);
		(void)snprintf(numbers, sizeof(numbers),
		    "%" PRIu64 " %" PRIx32 " %" PRId64, f->size, f->crc32,
		    f->modified_ms / 1000);
		add(&h, numbers);
	}
	sha256_final(&h, digest);
	hex_encode(digest, sizeof(digest), hex);
	(void)snprintf(a->tag, sizeof(a->tag), "zip-%s", hex);
}

/* How many bytes of the names are a folder that they are all in. */
static size_t
common_folder(const struct archive *a)
{
	const char *first = a->members[0].file.filename;
	const char *slash = strrchr(first, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - first) + 1;

	for (size_t i = 1; i < a->count; i++) {
		const char *other = a->members[i].file.filename;
		size_t same = 0;

		while (same < n && other[same] == first[same])
			same++;
		n = same;
		while (n > 0 && first[n - 1] != '/')
			n--;
	}
	return n;
}

/* Whoever may see only some names sees it under one of these. */
static void
set_name(struct archive *a, const char *prefix)
{
	size_t n = common_folder(a);

	if (n < strlen(prefix))
		a->name = mem_printf("%s%s", prefix, ARCHIVE_NAME);
	else
		a->name = mem_printf("%.*s%s", (int)n,
		    a->members[0].file.filename, ARCHIVE_NAME);
}

int
archive_open(struct engine *e, const struct archive_request *req,
    struct archive **ret_a, bool *ret_missing, struct err *err)
{
	struct archive *a = mem_calloc(1, sizeof(*a));
	struct lookup l = { req, a, ret_missing, 0 };

	a->engine = e;
	a->is_packed = req->is_packed;
	a->count = req->count;
	a->members = mem_calloc(req->count, sizeof(*a->members));
	if (find_and_pin(&l, err) < 0) {
		archive_close(a);
		return -1;
	}
	lay_out(a);
	set_tag(a);
	set_name(a, req->who->prefix);
	*ret_a = a;
	return 0;
}

/* --- sending -------------------------------------------------------------- */

int
archive_open_member(struct archive *a, const struct archive_member *m,
    uint64_t offset, struct source **ret_src, struct err *err)
{
	const struct stored_range r = {
		.stored = m->stored,
		.plain = { offset, m->file.size - offset },
	};

	return stored_open(a->engine, &m->file, &r, ret_src, err);
}

struct source *
archive_start(struct archive *a, const struct archive_part *part)
{
	const struct transfer_start start = {
		.direction = REC_DOWNLOAD,
		.filename = a->name,
		.total = part->length,
		.encryption = a->encryption,
		.client = part->client,
		.mover = part->mover,
		.lane = part->lane,
	};

	a->transfer = part->transfer;
	if (a->transfer != NULL)
		transfer_go(a->transfer);
	else
		a->transfer = transfer_begin(a->engine->transfers, &start);
	return a->is_packed
	           ? archive_packed_open(a)
	           : archive_source_open(a, part->offset, part->length);
}

void
archive_end(struct archive *a, uint64_t bytes, const struct err *why)
{
	struct rec_transfer row = { 0 };

	if (a->transfer == NULL)
		return;
	transfer_moved(a->transfer, bytes);
	transfer_final(a->transfer,
	    why == NULL ? REC_COMPLETED : transfer_status_of(why), why, &row);
	transfer_end(a->transfer, &row);
	rec_transfer_fini(&row);
	a->transfer = NULL;
}

void
archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	let_go(a);
	free(a->members);
	free(a->name);
	free(a);
}
