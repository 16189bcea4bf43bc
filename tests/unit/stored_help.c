/* SPDX-License-Identifier: MIT */
#include "stored_help.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "db/rec_file.h"

void
stored_over_each(void (*test)(struct fixture *f))
{
	char local[600];
	const char *const urls[] = { "mem:", local };

	(void)snprintf(local, sizeof(local), "file:%s", unit_tempdir());
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct fixture f;

		print_message("over %s\n", urls[i]);
		fixture_init(&f, urls[i]);
		f.settings.max_file_size = UINT64_MAX;
		test(&f);
		fixture_fini(&f);
	}
}

static unsigned char *
content_of(size_t n)
{
	unsigned char *p = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 7 + i / 251 + n);
	return p;
}

void
stored_put(struct fixture *f, const char *name, size_t n, bool sealed)
{
	struct upload_options o = fixture_options(name);
	struct upload_request req = { &f->who, &f->client, &o, n, NULL, NULL,
		NULL };
	unsigned char *p = content_of(n);
	struct source *body = source_mem(p, n);
	struct err err = ERR_INIT;
	struct upload_result r;
	struct upload *up;

	o.encryption = sealed;
	clock_manual_advance(&f->clock, 10);
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, body, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	upload_result_fini(&r);
	source_close(body);
	free(p);
}

void
stored_assert(struct fixture *f, const char *name, size_t n)
{
	unsigned char *p = content_of(n);
	char *got = fixture_get(f, name);

	assert_non_null(got);
	assert_memory_equal(got, p, n);
	free(got);
	free(p);
}

struct query {
	const char *name;
	struct rec_file *file;
};

static int
get(struct db_tx *tx, void *arg, struct err *err)
{
	struct query *q = arg;

	return rec_file_get(tx, "", q->name, q->file, err);
}

struct rec_file
stored_record(struct fixture *f, const char *name)
{
	struct rec_file file = { 0 };
	struct query q = { name, &file };

	assert_int_equal(db_read(f->engine->db, get, &q, NULL), 0);
	return file;
}

void
stored_head(struct fixture *f, const char *name, unsigned char *ret, size_t n)
{
	struct storage *st = f->engine->storage;
	struct rec_file file = stored_record(f, name);

	assert_int_equal(
	    st->ops->blob_get_head(st, file.blob_id, ret, n, NULL), 0);
	rec_file_fini(&file);
}

void
stored_flip(struct fixture *f, const char *name, size_t at)
{
	struct storage *st = f->engine->storage;
	struct rec_file file = stored_record(f, name);
	unsigned char *p = mem_alloc(at + 1);

	stored_head(f, name, p, at + 1);
	p[at] ^= 1;
	assert_int_equal(
	    st->ops->blob_set_head(st, file.blob_id, p, at + 1, NULL), 0);
	rec_file_fini(&file);
	free(p);
}

void
stored_remove(struct fixture *f, const char *name)
{
	struct storage *st = f->engine->storage;
	struct rec_file file = stored_record(f, name);

	assert_int_equal(st->ops->blob_remove(st, file.blob_id, NULL), 0);
	rec_file_fini(&file);
}

void
stored_replace_ops(struct fixture *f, struct storage_ops *ops,
    const struct storage_ops **ret_real)
{
	*ret_real = f->engine->storage->ops;
	*ops = **ret_real;
	f->engine->storage->ops = ops;
}
