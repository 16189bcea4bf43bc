/* SPDX-License-Identifier: MIT */
#include "engine_fixture.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/jobs.h"
#include "base/mem.h"
#include "engine/feed.h"
#include "engine/session.h"
#include "unit.h"

static void
fatal(const struct err *e)
{
	(void)fprintf(stderr, "fatal: %s\n", e->msg);
	abort();
}

void
fixture_init(struct fixture *f, const char *url)
{
	static const unsigned char key[EAX_KEY_SIZE] = "the master key";
	static const struct buffers_config buffers = { BUFFERS_SIZE, 8, 1 };
	const struct db_config db = { .durable = true, .fatal = fatal };
	static const struct jobs_config publishers = {
		.name = "publisher", .max = 2, .max_waiting = 2
	};
	struct sched_config turns = { .places = 4 };
	struct engine *e = mem_calloc(1, sizeof(*e));
	struct err err = ERR_INIT;
	struct db_state state;

	memset(f, 0, sizeof(*f));
	clock_manual_init(&f->clock, 1700000000000);
	f->settings.max_file_size = 1000000;
	f->settings.queue_keep_seconds = 300;
	f->settings.upload_expiry = 3600 * 1000;
	f->client.ip = "192.0.2.1";
	auth_anonymous(&f->who);
	f->engine = e;
	e->settings = &f->settings;
	e->clock = &f->clock.clock;
	e->durable = true;
	assert_int_equal(
	    storage_open(url == NULL ? "mem:" : url, &e->storage, &err), 0);
	e->space = space_new(e->storage, 0, e->clock);
	assert_int_equal(db_open(&db, &e->db, &state, &err), 0);
	e->hashers = digest_pool_new(1);
	assert_int_equal(jobs_new(&publishers, &e->publishers, &err), 0);
	e->buffers = buffers_new(&buffers);
	e->holding = holding_new((size_t)4 * 1024 * 1024);
	e->keys = keyring_new(key);
	e->pins = pins_new();
	assert_int_equal(filetype_new(&e->types, &err), 0);
	turns.clock = e->clock;
	e->sched = sched_new(&turns);
	assert_int_equal(
	    transfers_new(e->db, e->clock, &e->transfers, &err), 0);
	e->parts = parts_new(
	    e->transfers, e->sched, e->clock, e->settings->history_keep);
	assert_int_equal(
	    auth_new(e->db, e->clock, "the-first-admin-key", &e->auth, &err),
	    0);
	assert_int_equal(sessions_new(e, &e->sessions, &err), 0);
	e->tenants = tenants_new();
	e->bus = bus_new(clock_wall_ms(e->clock));
	assert_int_equal(feed_new(e, &e->feed, &err), 0);
}

static void
woken(void *arg)
{
	(void)arg;
}

void
fixture_listen(
    struct fixture *f, struct bus_subscriber *s, const struct bus_place *place)
{
	bus_join(f->engine->bus, s, &f->who, woken, NULL);
	assert_int_equal(bus_subscribe(s, place, NULL), 0);
}

void
fixture_fini(struct fixture *f)
{
	struct engine *e = f->engine;

	sessions_stop(e->sessions);
	feed_free(e->feed);
	db_close(e->db);
	sessions_free(e->sessions);
	auth_free(e->auth);
	parts_free(e->parts);
	transfers_free(e->transfers);
	bus_free(e->bus);
	tenants_free(e->tenants);
	sched_free(e->sched);
	filetype_free(e->types);
	jobs_free(e->publishers);
	digest_pool_free(e->hashers);
	holding_free(e->holding);
	keyring_free(e->keys);
	buffers_free(e->buffers);
	pins_free(e->pins);
	space_free(e->space);
	storage_close(e->storage);
	free(e);
}

struct upload_options
fixture_options(const char *filename)
{
	return (struct upload_options){
		.filename = filename,
		.is_decided = true,
		.may_replace = true,
	};
}

int
fixture_start(struct fixture *f, struct download *d, struct storage_range range,
    struct source **ret_src, struct err *err)
{
	const struct download_part part = { &f->client, range, NULL, NULL,
		NULL };

	return download_start(d, &part, ret_src, err);
}

void
fixture_put(struct fixture *f, const char *filename, const char *text)
{
	struct upload_options o = fixture_options(filename);
	struct upload_request req = { &f->who, &f->client, &o, strlen(text),
		NULL, NULL, NULL };
	struct source *body = source_mem(text, strlen(text));
	struct upload_result r;
	struct err err = ERR_INIT;
	struct upload *up;

	/* Ids, and so the order of things, go by the clock. */
	clock_manual_advance(&f->clock, 10);
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, body, &err), 0);
	assert_int_equal(upload_finish(up, &o, &r, &err), 0);
	assert_string_equal(r.filename, filename);
	assert_int_equal(r.size, strlen(text));
	upload_result_fini(&r);
	source_close(body);
}

int
fixture_open(struct fixture *f, const char *filename, struct download **ret_d,
    struct err *err)
{
	const struct download_request req = {
		.who = &f->who,
		.filename = filename,
	};

	return download_open(f->engine, &req, ret_d, err);
}

char *
fixture_get(struct fixture *f, const char *filename)
{
	struct err err = ERR_INIT;
	struct download *d;
	struct source *src;
	char *text;
	ssize_t n;

	if (fixture_open(f, filename, &d, &err) < 0) {
		assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
		return NULL;
	}
	assert_int_equal(
	    fixture_start(
	        f, d, (struct storage_range){ 0, d->file.size }, &src, &err),
	    0);
	text = mem_calloc(1, d->file.size + 1);
	n = source_read_full(src, text, d->file.size, &err);
	assert_int_equal(n, d->file.size);
	source_close(src);
	download_end(d, d->file.size, NULL);
	download_close(d);
	return text;
}

static int
nothing(struct db_tx *tx, void *arg, struct err *err)
{
	(void)tx;
	(void)arg;
	(void)err;
	return 0;
}

void
fixture_settle(struct fixture *f)
{
	/* One that waits comes after all that do not. */
	assert_int_equal(db_write(f->engine->db, nothing, NULL, NULL), 0);
}

static int
count(void *arg, const char *id, uint64_t size, struct err *err)
{
	(void)id;
	(void)size;
	(void)err;
	++*(size_t *)arg;
	return 0;
}

size_t
fixture_blobs(struct fixture *f)
{
	struct storage *st = f->engine->storage;
	size_t n = 0;

	assert_int_equal(st->ops->blob_list(st, count, &n, NULL), 0);
	return n;
}
