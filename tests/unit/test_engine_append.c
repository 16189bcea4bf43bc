/* SPDX-License-Identifier: MIT */
#include "engine/append.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "engine/session.h"
#include "engine_fixture.h"
#include "unit.h"

static const char *const urls[] = { "mem:", "mem:?grain=5242880&random=0" };

#define SIZE ((size_t)200000)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* A body that is cut after ${left} bytes. */
struct cut_source {
	struct source source;
	const unsigned char *p;
	size_t left;
};

static ssize_t
cut_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct cut_source *c = (struct cut_source *)s;

	if (c->left == 0)
		return err_set(err, ERR_CLOSED, "cut");
	if (n > c->left)
		n = c->left;
	memcpy(buf, c->p, n);
	c->p += n;
	c->left -= n;
	return (ssize_t)n;
}

static char *
begin(struct fixture *x, const char *name, uint64_t length, bool encryption)
{
	const struct append_new req = {
		.who = &x->who,
		.client = &x->client,
		.filename = name,
		.length = length,
		.has_encryption = true,
		.encryption = encryption,
	};
	struct append_state st;
	struct err err = ERR_INIT;
	char *url;

	assert_int_equal(append_begin(x->engine, &req, &st, &err), 0);
	assert_int_equal(st.offset, 0);
	url = mem_strdup(st.url);
	append_state_fini(&st);
	return url;
}

static struct append_request
at(struct fixture *x, const char *url, uint64_t offset, size_t n)
{
	return (struct append_request){
		.who = &x->who,
		.url = url,
		.offset = offset,
		.length = REC_SIZE_UNKNOWN,
		.body_length = n,
	};
}

static uint64_t
offset_of(struct fixture *x, const char *url)
{
	struct append_state st;
	struct err err = ERR_INIT;
	uint64_t offset;

	assert_int_equal(append_look(x->engine, &x->who, url, &st, &err), 0);
	offset = st.offset;
	append_state_fini(&st);
	return offset;
}

static int
append(struct fixture *x, const struct append_request *req,
    const unsigned char *p, size_t n, struct err *err)
{
	struct source *body = source_mem(p, n);
	struct append_state st;
	int rc = append_run(x->engine, req, body, &st, err);

	if (rc == 0)
		append_state_fini(&st);
	source_close(body);
	return rc;
}

TEST(test_engine_append__goes_on_where_it_was_cut)
{
	static const size_t cuts[] = { 1, 1000, 65535, 65536, 65537, 150000 };
	unsigned char *p = mem_alloc(SIZE);

	rand_bytes(p, SIZE);
	for (size_t i = 0; i < 4 * LENGTH(cuts); i++) {
		size_t cut = cuts[i / 4];
		struct err err = ERR_INIT;
		struct append_state st;
		struct cut_source body = { { .read = cut_read }, p, cut };
		struct append_request req;
		struct fixture x;
		char *url, *got;

		fixture_init(&x, urls[i % 2]);
		url = begin(&x, "a", SIZE, i / 2 % 2 == 1);
		req = at(&x, url, 0, SIZE);
		assert_int_equal(
		    append_run(x.engine, &req, &body.source, &st, &err), -1);
		assert_int_equal(err.code, ERR_CLOSED);
		assert_int_equal(offset_of(&x, url), cut);
		req = at(&x, url, cut, SIZE - cut);
		if (append(&x, &req, p + cut, SIZE - cut, &err) < 0)
			fail_msg("%s", err.msg);
		got = fixture_get(&x, "a");
		assert_non_null(got);
		assert_memory_equal(got, p, SIZE);
		free(got);
		free(url);
		fixture_fini(&x);
	}
	free(p);
}

TEST(test_engine_append__wants_the_right_offset)
{
	static const unsigned char bytes[10] = "012345678";
	struct append_request req;
	struct err err = ERR_INIT;
	struct fixture x;
	char *url;

	fixture_init(&x, NULL);
	url = begin(&x, "a", 10, false);
	req = at(&x, url, 1, 5);
	assert_int_equal(append(&x, &req, bytes, 5, &err), -1);
	assert_int_equal(err.code, ERR_OFFSET_MISMATCH);
	req = at(&x, url, 0, 11);
	assert_int_equal(append(&x, &req, bytes, 5, &err), -1);
	assert_int_equal(err.code, ERR_FILE_TOO_LARGE);
	req = at(&x, "nothing", 0, 5);
	assert_int_equal(append(&x, &req, bytes, 5, &err), -1);
	assert_int_equal(err.code, ERR_UPLOAD_NOT_FOUND);
	assert_int_equal(offset_of(&x, url), 0);
	free(url);
	fixture_fini(&x);
}

TEST(test_engine_append__is_gone_when_it_is_removed)
{
	static const unsigned char bytes[10] = "012345678";
	struct append_request req;
	struct err err = ERR_INIT;
	struct fixture x;
	char *url;

	fixture_init(&x, NULL);
	url = begin(&x, "a", 10, true);
	req = at(&x, url, 0, 5);
	assert_int_equal(append(&x, &req, bytes, 5, &err), 0);
	assert_int_equal(append_remove(x.engine, &x.who, url, &err), 0);
	assert_int_equal(append(&x, &req, bytes, 5, &err), -1);
	assert_int_equal(err.code, ERR_UPLOAD_NOT_FOUND);
	assert_null(fixture_get(&x, "a"));
	free(url);
	fixture_fini(&x);
}

TEST(test_engine_append__is_hidden_from_other_keys)
{
	struct append_state st;
	struct err err = ERR_INIT;
	struct principal other;
	struct fixture x;
	char *url;

	fixture_init(&x, NULL);
	url = begin(&x, "a", 10, false);
	auth_anonymous(&other);
	memcpy(other.prefix, "b/", sizeof("b/"));
	assert_int_equal(append_look(x.engine, &other, url, &st, &err), -1);
	assert_int_equal(err.code, ERR_UPLOAD_NOT_FOUND);
	free(url);
	fixture_fini(&x);
}
