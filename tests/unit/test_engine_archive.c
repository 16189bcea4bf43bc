/* SPDX-License-Identifier: MIT */
#include "engine/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine_fixture.h"
#include "unit.h"

static char *const names[] = { (char *)"b/one", (char *)"b/c/none",
	(char *)"b/two" };
#define NAMES (sizeof(names) / sizeof(names[0]))

static int
open_some(struct fixture *f, size_t count, struct archive **ret_a,
    bool *missing, struct err *err)
{
	const struct archive_request req = {
		.who = &f->who,
		.names = names,
		.count = count,
	};

	memset(missing, 0, count * sizeof(*missing));
	return archive_open(f->engine, &req, ret_a, missing, err);
}

static struct archive *
open_ok(struct fixture *f, size_t count)
{
	bool missing[NAMES];
	struct err err = ERR_INIT;
	struct archive *a;

	if (open_some(f, count, &a, missing, &err) < 0)
		fail_msg("%s", err.msg);
	return a;
}

static void
fill(struct fixture *f)
{
	fixture_init(f, NULL);
	fixture_put(f, "b/one", "0123456789");
	fixture_put(f, "b/c/none", "");
	fixture_put(f, "b/two", "abc");
}

/* The bytes of a range, read in pieces of ${step}; for the caller to free(). */
static char *
read_range(struct fixture *f, struct archive *a, struct storage_range range,
    size_t step)
{
	const struct archive_part part = {
		.client = &f->client,
		.offset = range.offset,
		.length = range.length,
	};
	struct source *src = archive_start(a, &part);
	char *got = mem_alloc((size_t)range.length + step);
	struct err err = ERR_INIT;
	size_t done = 0;
	ssize_t n;

	while ((n = source_read(src, got + done, step, &err)) > 0) {
		done += (size_t)n;
		assert_true(done <= range.length);
	}
	if (n < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(done, range.length);
	source_close(src);
	archive_end(a, range.length, NULL);
	return got;
}

/* Every range of a small one, in steps of one, seven and all. */
TEST(test_engine_archive__ranges_are_of_the_whole)
{
	struct fixture f;
	struct archive *a;
	char *whole, *part;

	fill(&f);
	a = open_ok(&f, NAMES);
	whole = read_range(&f, a, (struct storage_range){ 0, a->size }, 4096);
	assert_memory_equal(whole, "PK\x03\x04", 4);
	assert_memory_equal(whole + a->size - 22, "PK\x05\x06", 4);
	assert_memory_equal(whole + a->end.offset, "PK\x01\x02", 4);
	for (uint64_t at = 0; at < a->size; at++) {
		struct storage_range r = { at, a->size - at };
		size_t step = at % 3 == 0 ? 1 : at % 3 == 1 ? 7 : 4096;

		if (at % 2 == 1 && r.length > 30)
			r.length = 30;
		part = read_range(&f, a, r, step);
		assert_memory_equal(part, whole + at, (size_t)r.length);
		free(part);
	}
	free(whole);
	archive_close(a);
	fixture_fini(&f);
}

TEST(test_engine_archive__names_what_is_missing)
{
	bool missing[NAMES];
	struct err err = ERR_INIT;
	struct archive *a;
	struct fixture f;

	fixture_init(&f, NULL);
	fixture_put(&f, "b/c/none", "x");
	assert_int_equal(open_some(&f, NAMES, &a, missing, &err), -1);
	assert_int_equal(err.code, ERR_FILE_NOT_FOUND);
	assert_true(missing[0]);
	assert_false(missing[1]);
	assert_true(missing[2]);
	fixture_fini(&f);
}

/* By what is in it, not by when it is asked for. */
TEST(test_engine_archive__tags)
{
	char first[ARCHIVE_TAG_SIZE];
	struct archive *a;
	struct fixture f;

	fill(&f);
	a = open_ok(&f, NAMES);
	memcpy(first, a->tag, sizeof(first));
	archive_close(a);
	fixture_put(&f, "other", "x");
	a = open_ok(&f, NAMES);
	assert_string_equal(a->tag, first);
	archive_close(a);
	a = open_ok(&f, NAMES - 1);
	assert_string_not_equal(a->tag, first);
	archive_close(a);
	fixture_put(&f, "b/two", "abd");
	a = open_ok(&f, NAMES);
	assert_string_not_equal(a->tag, first);
	archive_close(a);
	fixture_fini(&f);
}

TEST(test_engine_archive__is_called_by_its_folder)
{
	struct archive *a;
	struct fixture f;

	fill(&f);
	a = open_ok(&f, NAMES);
	assert_string_equal(a->name, "b/download.zip");
	archive_close(a);
	(void)snprintf(f.who.prefix, sizeof(f.who.prefix), "b/o");
	a = open_ok(&f, 1);
	assert_string_equal(a->name, "b/odownload.zip");
	archive_close(a);
	fixture_fini(&f);
}

/* The names may go: the bytes stay as long as somebody reads them. */
TEST(test_engine_archive__keeps_its_blobs)
{
	struct archive *a;
	struct fixture f;
	char blob[ID_SIZE];

	fill(&f);
	a = open_ok(&f, 1);
	memcpy(blob, a->members[0].file.blob_id, sizeof(blob));
	assert_true(pins_holds(f.engine->pins, blob));
	archive_close(a);
	assert_false(pins_holds(f.engine->pins, blob));
	fixture_fini(&f);
}
