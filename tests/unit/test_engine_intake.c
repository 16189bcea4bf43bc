/* SPDX-License-Identifier: MIT */
#include "engine/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "engine/upload.h"
#include "engine_fixture.h"
#include "unit.h"

/* A client that sends in pieces of ${step}, and pauses after every
 * ${pause_every}th, 0: never. */
struct client_source {
	struct source source;
	const unsigned char *p;
	size_t left;
	size_t step;
	unsigned pause_every;
	unsigned reads;
	bool has_paused;
};

static ssize_t
client_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct client_source *c = (struct client_source *)s;

	(void)err;
	assert_true(n > 0);
	if (n > c->step)
		n = c->step;
	if (n > c->left)
		n = c->left;
	if (n > 0)
		memcpy(buf, c->p, n);
	c->p += n;
	c->left -= n;
	c->reads++;
	c->has_paused = false;
	return (ssize_t)n;
}

static int
client_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct client_source *c = (struct client_source *)s;

	(void)err;
	if (timeout_ms < 0 || c->pause_every == 0 || c->has_paused ||
	    c->reads % c->pause_every != 0)
		return 1;
	c->has_paused = true;
	return 0;
}

static const char *const urls[] = { "mem:", "mem:?grain=5242880&random=0" };

/* How a body comes, and what is said about it when. */
struct manner {
	size_t step;
	unsigned pause_every;
	bool is_decided;
	bool encryption; /* known before the body when is_decided */
};

static const struct manner manners[] = {
	{ SIZE_MAX, 0, true, true },
	{ SIZE_MAX, 0, false, true },
	{ SIZE_MAX, 0, false, false },
	{ 100000, 0, true, true },
	{ 100000, 3, true, true },
	{ 70000, 1, true, true },
	{ 9000, 1, true, true },
	{ 9000, 7, true, true },
	{ 9000, 1, false, true },
	{ 9000, 5, false, false },
	{ 100000, 2, false, true },
	{ 100000, 0, true, false },
};

static struct rec_file
put(struct fixture *f, const struct manner *m, const unsigned char *p, size_t n)
{
	struct upload_options o = fixture_options("a");
	struct upload_request req = { &f->who, &f->client, &o, REC_SIZE_UNKNOWN,
		NULL, NULL, NULL };
	struct client_source body = {
		.source = { .read = client_read, .wait = client_wait },
		.p = p,
		.left = n,
		.step = m->step,
		.pause_every = m->pause_every,
	};
	struct err err = ERR_INIT;
	struct upload_result r;
	struct download *d;
	struct rec_file file;
	struct upload *up;

	clock_manual_advance(&f->clock, 10);
	o.is_decided = m->is_decided;
	o.encryption = m->is_decided && m->encryption;
	sha256(p, n, o.sha256);
	o.has_sha256 = true;
	assert_int_equal(upload_begin(f->engine, &req, &up, &err), 0);
	assert_int_equal(upload_fill(up, &body.source, &err), 0);
	assert_int_equal(buffers_taken(f->engine->buffers), 0);
	o.encryption = m->encryption;
	if (upload_finish(up, &o, &r, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(r.size, n);
	upload_result_fini(&r);
	assert_int_equal(buffers_taken(f->engine->buffers), 0);
	assert_int_equal(fixture_open(f, "a", &d, &err), 0);
	file = d->file;
	assert_int_equal(
	    d->stored, file.layout == REC_SEALED ? seal_size(n) : (uint64_t)n);
	d->file.filename = d->file.mime_type = NULL;
	download_close(d);
	return file;
}

static void
assert_held(struct fixture *f, const unsigned char *p, size_t n)
{
	char *back = fixture_get(f, "a");

	assert_memory_equal(back, p, n);
	free(back);
}

/* However the bytes come and whatever is said about them when, what was
 * to be encrypted is sealed, what was not is plain unless it was too large to
 * wait for the word. */
TEST(test_engine_intake__takes_bytes_as_they_come)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 524288,
		524289, 1048576, 1048577, 1700001 };
	const size_t max = 1700001;
	unsigned char *p = mem_alloc(max);
	struct fixture f;

	rand_bytes(p, max);
	for (size_t u = 0; u < 2; u++) {
		fixture_init(&f, urls[u]);
		f.settings.max_file_size = max;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			for (size_t j = 0;
			     j < sizeof(manners) / sizeof(manners[0]); j++) {
				const struct manner *m = &manners[j];
				struct rec_file file = put(&f, m, p, sizes[i]);
				bool sealed = m->encryption ||
				              (!m->is_decided &&
				                  sizes[i] > INTAKE_HELD_MAX);

				assert_int_equal(
				    file.encryption, m->encryption);
				assert_int_equal(file.layout,
				    sealed ? REC_SEALED : REC_PLAIN);
				rec_file_fini(&file);
				assert_held(&f, p, sizes[i]);
			}
		fixture_fini(&f);
	}
	free(p);
}

/* With no more than one buffer to be had it takes longer, and no more. */
TEST(test_engine_intake__does_with_one_buffer)
{
	static const struct manner fast = { SIZE_MAX, 0, true, true };
	static const struct manner slow = { 50000, 4, true, true };
	const size_t n = 1500000;
	unsigned char *p = mem_alloc(n);
	struct rec_file file;
	struct fixture f;
	void *taken[7];

	rand_bytes(p, n);
	fixture_init(&f, NULL);
	f.settings.max_file_size = n;
	for (size_t i = 0; i < 7; i++)
		taken[i] = buffers_take(f.engine->buffers);
	for (size_t i = 0; i < 2; i++) {
		struct upload_options o = fixture_options("a");
		struct upload_request req = { &f.who, &f.client, &o, n, NULL,
			NULL, NULL };
		const struct manner *m = i == 0 ? &fast : &slow;
		struct client_source body = {
			.source = { .read = client_read, .wait = client_wait },
			.p = p,
			.left = n,
			.step = m->step,
			.pause_every = m->pause_every,
		};
		struct err err = ERR_INIT;
		struct upload_result r;
		struct upload *up;

		o.encryption = true;
		assert_int_equal(upload_begin(f.engine, &req, &up, &err), 0);
		assert_int_equal(upload_fill(up, &body.source, &err), 0);
		assert_int_equal(upload_finish(up, &o, &r, &err), 0);
		upload_result_fini(&r);
		assert_int_equal(buffers_taken(f.engine->buffers), 7);
		assert_held(&f, p, n);
	}
	for (size_t i = 0; i < 7; i++)
		buffers_give(f.engine->buffers, taken[i]);
	file = put(&f, &fast, p, n);
	rec_file_fini(&file);
	free(p);
	fixture_fini(&f);
}

/* When all undecided uploads together hold too much, the next is sealed at
 * once. */
TEST(test_engine_intake__seals_what_it_may_not_hold)
{
	static const struct manner undecided = { SIZE_MAX, 0, false, false };
	static const char text[] = "a few bytes";
	struct rec_file file;
	struct fixture f;

	fixture_init(&f, NULL);
	assert_true(holding_try(f.engine->holding, 4 * 1024 * 1024));
	file = put(&f, &undecided, (const unsigned char *)text, sizeof(text));
	assert_int_equal(file.layout, REC_SEALED);
	assert_false(file.encryption);
	rec_file_fini(&file);
	holding_give(f.engine->holding, 4 * 1024 * 1024);
	file = put(&f, &undecided, (const unsigned char *)text, sizeof(text));
	assert_int_equal(file.layout, REC_PLAIN);
	rec_file_fini(&file);
	assert_held(&f, (const unsigned char *)text, sizeof(text));
	fixture_fini(&f);
}
