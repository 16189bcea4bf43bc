/* SPDX-License-Identifier: MIT */
#include "storage_help.h"

#include <pthread.h>
#include <string.h>

#include "storage/local_priv.h"

/*
 * What every back end promises (storage.h), run over each of them: a
 * directory, the same without extended attributes, memory, and a memory that
 * behaves like an object store far away.
 */

#define MIB ((size_t)1024 * 1024)

static void
on_url(const char *url, void (*check)(struct storage *st))
{
	struct storage *st;

	OK(storage_open(url, &st, &err));
	check(st);
	storage_close(st);
}

static void
on_file(void (*check)(struct storage *st), bool has_xattr)
{
	struct storage *st = help_open_local(unit_tempdir());

	if (!has_xattr)
		local_of(st)->has_xattr = false;
	check(st);
	storage_close(st);
}

#define FAR_URL "mem:?grain=5242880&random=0&slow_ms=2"

#define CONTRACT(name)                                                         \
	static void name(struct storage *st);                                  \
	TEST(test_storage_contract__##name##__file)                            \
	{                                                                      \
		on_file(name, true);                                           \
	}                                                                      \
	TEST(test_storage_contract__##name##__file_without_attributes)         \
	{                                                                      \
		on_file(name, false);                                          \
	}                                                                      \
	TEST(test_storage_contract__##name##__mem)                             \
	{                                                                      \
		on_url("mem:", name);                                          \
	}                                                                      \
	TEST(test_storage_contract__##name##__far)                             \
	{                                                                      \
		on_url(FAR_URL, name);                                         \
	}                                                                      \
	static void name(struct storage *st)

/* The byte that belongs at ${at} of every blob here. */
static char
byte_at(uint64_t at)
{
	return (char)(at * 31 + at / 251);
}

static void
write_bytes(struct blob *b, uint64_t from, size_t n)
{
	char *p = malloc(n + 1);
	size_t i;

	assert_non_null(p);
	for (i = 0; i < n; i++)
		p[i] = byte_at(from + i);
	OK(b->ops->blob_write_at(b, from, p, n, &err));
	free(p);
}

/* Publishes a blob of ${n} bytes, written in ${step}s. */
static void
publish(struct storage *st, const char *id, size_t n, size_t step)
{
	struct blob *b;
	size_t at, part;

	OK(st->ops->blob_new(st, id, n, &b, &err));
	for (at = 0; at < n; at += part) {
		part = n - at < step ? n - at : step;
		write_bytes(b, at, part);
	}
	OK(st->ops->blob_publish(b, n, id, true, &err));
}

static void
assert_range(struct storage *st, const char *id, uint64_t offset, size_t n)
{
	char *p = malloc(n + 1);
	struct source *src;
	struct err err = ERR_INIT;
	size_t i;

	assert_non_null(p);
	if (st->ops->blob_open(
	        st, id, (struct storage_range){ offset, n }, &src, &err) < 0)
		fail_msg("cannot open '%s': %s", id, err.msg);
	assert_int_equal(source_read_full(src, p, n + 1, &err), n);
	source_close(src);
	for (i = 0; i < n; i++) {
		if (p[i] != byte_at(offset + i))
			fail_msg("byte %zu is wrong", i);
	}
	free(p);
}

static void
assert_absent(struct storage *st, const char *id)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct source *src;
	uint64_t size;

	FAILS(ERR_ABSENT, st->ops->blob_size(st, id, &size, &err));
	FAILS(ERR_ABSENT, st->ops->blob_birth(st, id, birth, &err));
	FAILS(ERR_ABSENT, st->ops->blob_get_head(st, id, birth, 1, &err));
	FAILS(ERR_ABSENT, st->ops->blob_set_head(st, id, "x", 1, &err));
	FAILS(ERR_ABSENT, st->ops->blob_open(st, id,
	                      (struct storage_range){ 0, 0 }, &src, &err));
}

CONTRACT(reads_what_was_written)
{
	static const struct {
		size_t size;
		size_t step;
	} cases[] = { { 0, 1 }, { 1, 1 }, { 4096, 4096 }, { 100000, 777 },
		{ 11 * MIB, 256 * 1024 }, { 11 * MIB + 1, 3 * MIB } };
	char id[ID_SIZE];
	uint64_t size;
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		n = cases[i].size;
		help_new_id(id);
		publish(st, id, n, cases[i].step);
		OK(st->ops->blob_size(st, id, &size, &err));
		assert_int_equal(size, n);
		assert_range(st, id, 0, n);
		assert_range(st, id, n, 0);
		assert_range(st, id, n / 2, n - n / 2);
		assert_range(st, id, n / 3, n / 3);
	}
}

CONTRACT(range_beyond_the_end_is_refused)
{
	static const struct storage_range ranges[] = { { 0, 101 }, { 100, 1 },
		{ 101, 0 }, { 50, UINT64_MAX }, { UINT64_MAX, 1 } };
	struct source *src;
	char id[ID_SIZE];
	size_t i;

	help_new_id(id);
	publish(st, id, 100, 100);
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		FAILS(ERR_FILE_DAMAGED,
		    st->ops->blob_open(st, id, ranges[i], &src, &err));
}

CONTRACT(extents_are_offered_as_promised)
{
	struct extent extent;
	struct source *src;
	char id[ID_SIZE];

	help_new_id(id);
	publish(st, id, 1000, 1000);
	OK(st->ops->blob_open(
	    st, id, (struct storage_range){ 10, 20 }, &src, &err));
	assert_int_equal(
	    source_extent(src, &extent), st->ops->caps(st)->extents);
	if (st->ops->caps(st)->extents) {
		assert_int_equal(extent.offset, 10);
		assert_int_equal(extent.length, 20);
	}
	source_close(src);
}

static int
count_one(void *arg, const char *id, uint64_t size, struct err *err)
{
	(void)id;
	(void)size;
	(void)err;
	++*(int *)arg;
	return 0;
}

static int
count(struct storage *st)
{
	int n = 0;

	OK(st->ops->blob_list(st, count_one, &n, &err));
	return n;
}

CONTRACT(unpublished_is_not_there)
{
	struct blob *b, *other;
	char id[ID_SIZE];

	help_new_id(id);
	OK(st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err));
	write_bytes(b, 0, 1000);
	OK(b->ops->blob_sync(b, &err));
	assert_absent(st, id);
	assert_int_equal(count(st), 0);
	FAILS(ERR_EXISTS, st->ops->blob_new(st, id, 0, &other, &err));
	st->ops->blob_abort(b);
	assert_absent(st, id);
	st->ops->blob_abort(NULL);
	/* and the id is free again */
	publish(st, id, 10, 10);
	assert_range(st, id, 0, 10);
}

/* Of a size that was too large, nothing, or unknown; durable and not. */
CONTRACT(final_size_is_the_one_at_the_end)
{
	static const uint64_t reserved[] = { 6 * MIB, 0, STORAGE_SIZE_UNKNOWN };
	struct blob *b;
	char id[ID_SIZE];
	uint64_t size;
	size_t i;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		help_new_id(id);
		OK(st->ops->blob_new(st, id, reserved[i], &b, &err));
		write_bytes(b, 0, 5000);
		OK(st->ops->blob_publish(b, 4000, "", i % 2 == 0, &err));
		OK(st->ops->blob_size(st, id, &size, &err));
		assert_int_equal(size, 4000);
		assert_range(st, id, 0, 4000);
	}
}

CONTRACT(publishing_twice_is_an_error)
{
	char birth[STORAGE_BIRTH_MAX + 1];
	struct blob *b;
	char id[ID_SIZE];

	help_new_id(id);
	publish(st, id, 1000, 1000);
	OK(st->ops->blob_new(st, id, 3, &b, &err));
	OK(b->ops->blob_write_at(b, 0, "abc", 3, &err));
	FAILS(ERR_EXISTS, st->ops->blob_publish(b, 3, "another", true, &err));
	/* the first is as it was */
	assert_range(st, id, 0, 1000);
	OK(st->ops->blob_birth(st, id, birth, &err));
	assert_string_equal(birth, id);
}

CONTRACT(keeps_birth_records)
{
	static const size_t sizes[] = { 0, 1, 300, 3900, STORAGE_BIRTH_MAX };
	char birth[STORAGE_BIRTH_MAX + 2];
	char got[STORAGE_BIRTH_MAX + 1];
	struct blob *b;
	char id[ID_SIZE];
	size_t i;

	memset(birth, 'b', sizeof(birth));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		birth[sizes[i]] = '\0';
		help_new_id(id);
		OK(st->ops->blob_new(st, id, 0, &b, &err));
		OK(st->ops->blob_publish(b, 0, birth, true, &err));
		OK(st->ops->blob_birth(st, id, got, &err));
		assert_string_equal(got, birth);
		birth[sizes[i]] = 'b';
	}
	birth[STORAGE_BIRTH_MAX + 1] = '\0';
	help_new_id(id);
	OK(st->ops->blob_new(st, id, 0, &b, &err));
	FAILS(ERR_INTERNAL, st->ops->blob_publish(b, 0, birth, true, &err));
	assert_absent(st, id);
}

CONTRACT(readers_go_on_after_removal)
{
	struct source *src;
	char id[ID_SIZE];
	char p[1000];
	struct err why = ERR_INIT;
	size_t i;

	help_new_id(id);
	publish(st, id, sizeof(p), sizeof(p));
	OK(st->ops->blob_open(
	    st, id, (struct storage_range){ 0, sizeof(p) }, &src, &err));
	assert_int_equal(source_read_full(src, p, 10, &why), 10);
	OK(st->ops->blob_remove(st, id, &err));
	OK(st->ops->blob_remove(st, id, &err)); /* again is fine */
	assert_absent(st, id);
	assert_int_equal(source_read_full(src, p + 10, sizeof(p), &why), 990);
	source_close(src);
	for (i = 0; i < sizeof(p); i++)
		assert_int_equal(p[i], byte_at(i));
	assert_int_equal(count(st), 0);
}

CONTRACT(set_aside_is_gone_from_the_objects)
{
	char id[ID_SIZE];

	help_new_id(id);
	FAILS(ERR_ABSENT, st->ops->blob_set_aside(st, id, &err));
	publish(st, id, 10, 10);
	OK(st->ops->blob_set_aside(st, id, &err));
	assert_absent(st, id);
	assert_int_equal(count(st), 0);
	FAILS(ERR_ABSENT, st->ops->blob_set_aside(st, id, &err));
	/* the id may be published and set aside once more */
	publish(st, id, 20, 20);
	OK(st->ops->blob_set_aside(st, id, &err));
	assert_absent(st, id);
}

#define LISTED 40

struct listing {
	struct storage *st;
	char ids[LISTED][ID_SIZE];
	int seen[LISTED];
	int n;
	int stop_after;
};

static int
note_listed(void *arg, const char *id, uint64_t size, struct err *err)
{
	struct listing *l = arg;
	int i;

	for (i = 0; i < LISTED && strcmp(l->ids[i], id) != 0; i++)
		continue;
	assert_true(i < LISTED);
	assert_int_equal(size, i);
	l->seen[i]++;
	/* what is shown may be removed */
	if (i % 2 == 0)
		assert_int_equal(l->st->ops->blob_remove(l->st, id, err), 0);
	return ++l->n == l->stop_after ? 5 : 0;
}

CONTRACT(lists_every_blob_once)
{
	struct listing l = { .st = st, .stop_after = -1 };
	struct blob *b;
	char id[ID_SIZE];
	int i;

	for (i = 0; i < LISTED; i++) {
		help_new_id(l.ids[i]);
		publish(st, l.ids[i], (size_t)i, 100);
	}
	help_new_id(id);
	OK(st->ops->blob_new(st, id, 0, &b, &err));
	OK(st->ops->blob_list(st, note_listed, &l, &err));
	for (i = 0; i < LISTED; i++)
		assert_int_equal(l.seen[i], 1);
	assert_int_equal(count(st), LISTED / 2);
	st->ops->blob_abort(b);
}

CONTRACT(listing_stops_when_asked)
{
	struct listing l = { .st = st, .stop_after = 3 };
	struct err why = ERR_INIT;
	int i;

	for (i = 0; i < LISTED; i++) {
		help_new_id(l.ids[i]);
		publish(st, l.ids[i], (size_t)i, 100);
	}
	assert_int_equal(st->ops->blob_list(st, note_listed, &l, &why), 5);
	assert_int_equal(l.n, 3);
}

CONTRACT(head_is_overwritten)
{
	char id[ID_SIZE];
	struct source *src;
	char p[100];
	struct err why = ERR_INIT;

	help_new_id(id);
	publish(st, id, 100, 100);
	OK(st->ops->blob_set_head(st, id, "HEAD", 4, &err));
	OK(st->ops->blob_open(
	    st, id, (struct storage_range){ 0, 100 }, &src, &err));
	assert_int_equal(source_read_full(src, p, 100, &why), 100);
	source_close(src);
	assert_memory_equal(p, "HEAD", 4);
	assert_int_equal(p[4], byte_at(4));
	FAILS(ERR_INTERNAL, st->ops->blob_set_head(st, id, p, 101, &err));
	memset(p, 0, sizeof(p));
	OK(st->ops->blob_get_head(st, id, p, 5, &err));
	assert_memory_equal(p, "HEAD", 4);
	assert_int_equal(p[4], byte_at(4));
	assert_int_equal(p[5], 0);
	FAILS(ERR_FILE_DAMAGED, st->ops->blob_get_head(st, id, p, 101, &err));
}

/* Ids come from records, but a record may lie. */
CONTRACT(what_is_no_id_is_refused)
{
	static const char *const ids[] = { "", ".", "..", "../../etc/passwd",
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0",
		"0123456789ABCDEF0123456789ABCDEF",
		"0123456789abcdef/123456789abcdef" };
	struct storage_range range = { 0, 0 };
	struct blob *b;
	struct source *src;
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		FAILS(ERR_INTERNAL, st->ops->blob_new(st, ids[i], 0, &b, &err));
		FAILS(ERR_INTERNAL, st->ops->blob_remove(st, ids[i], &err));
		assert_int_equal(
		    st->ops->blob_open(st, ids[i], range, &src, NULL), -1);
		assert_int_equal(st->ops->blob_set_aside(st, ids[i], NULL), -1);
	}
}

CONTRACT(writes_come_in_the_order_promised)
{
	const struct storage_caps *caps = st->ops->caps(st);
	struct blob *b;
	char id[ID_SIZE];

	help_new_id(id);
	OK(st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err));
	write_bytes(b, 0, 1000);
	if (!caps->random_writes) {
		FAILS(ERR_INTERNAL, b->ops->blob_write_at(b, 0, "x", 1, &err));
		FAILS(ERR_INTERNAL,
		    b->ops->blob_write_at(b, caps->grain, "x", 1, &err));
		st->ops->blob_abort(b);
		return;
	}
	write_bytes(b, 2 * MIB, 500);
	write_bytes(b, 0, 1000);
	write_bytes(b, 1000, 2 * MIB - 1000);
	OK(st->ops->blob_publish(b, 2 * MIB + 500, "", true, &err));
	assert_range(st, id, 0, 2 * MIB + 500);
}

#define PARALLEL 8
#define EACH 25

struct worker {
	struct storage *st;
	pthread_t thread;
	char ids[EACH][ID_SIZE];
	int failed;
};

static void *
publish_many(void *arg)
{
	struct worker *w = arg;
	struct blob *b;
	int i;

	for (i = 0; i < EACH; i++) {
		help_new_id(w->ids[i]);
		if (w->st->ops->blob_new(w->st, w->ids[i], 2, &b, NULL) < 0 ||
		    b->ops->blob_write_at(b, 0, "ab", 2, NULL) < 0 ||
		    b->ops->blob_publish(b, 2, "birth", true, NULL) < 0)
			w->failed++;
		else if (i % 2 == 0 &&
		         w->st->ops->blob_remove(w->st, w->ids[i], NULL) < 0)
			w->failed++;
	}
	return NULL;
}

CONTRACT(serves_many_threads)
{
	struct worker *workers = calloc(PARALLEL, sizeof(*workers));
	uint64_t size;
	int i;

	assert_non_null(workers);
	for (i = 0; i < PARALLEL; i++) {
		workers[i].st = st;
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
		                     publish_many, &workers[i]),
		    0);
	}
	for (i = 0; i < PARALLEL; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failed, 0);
		OK(st->ops->blob_size(st, workers[i].ids[1], &size, &err));
		assert_int_equal(size, 2);
	}
	assert_int_equal(count(st), PARALLEL * (EACH / 2));
	free(workers);
}

CONTRACT(tells_the_free_space)
{
	uint64_t bytes = 0;

	OK(st->ops->free_space(st, &bytes, &err));
	assert_true(bytes > 0);
	OK(st->ops->clean_temp(st, NULL, NULL, &err));
}

/* --- begun blobs that wait ------------------------------------------------ */

static void
begin(struct storage *st, const char *id, size_t n)
{
	struct blob *b;

	OK(st->ops->blob_new(st, id, STORAGE_SIZE_UNKNOWN, &b, &err));
	write_bytes(b, 0, n);
	b->ops->blob_close(b);
}

CONTRACT(goes_on_with_what_was_begun)
{
	char id[ID_SIZE];
	char got[100];
	struct blob *b;
	uint64_t size;

	help_new_id(id);
	begin(st, id, 70);
	FAILS(ERR_ABSENT, st->ops->blob_size(st, id, &size, &err));
	OK(st->ops->blob_reopen(st, id, &b, &err));
	write_bytes(b, 70, 30);
	OK(b->ops->blob_read_at(b, 0, got, 100, &err));
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(got[i], byte_at(i));
	FAILS(ERR_IO, b->ops->blob_read_at(b, 1, got, 100, &err));
	OK(b->ops->blob_sync(b, &err));
	OK(b->ops->blob_publish(b, 100, "birth", true, &err));
	OK(st->ops->blob_size(st, id, &size, &err));
	assert_int_equal(size, 100);
	FAILS(ERR_ABSENT, st->ops->blob_reopen(st, id, &b, &err));
}

CONTRACT(withdraws_what_was_published)
{
	char id[ID_SIZE];
	struct blob *b;
	uint64_t size;

	help_new_id(id);
	FAILS(ERR_ABSENT, st->ops->blob_withdraw(st, id, &err));
	begin(st, id, 10);
	OK(st->ops->blob_reopen(st, id, &b, &err));
	OK(b->ops->blob_publish(b, 10, "birth", true, &err));
	OK(st->ops->blob_withdraw(st, id, &err));
	FAILS(ERR_ABSENT, st->ops->blob_size(st, id, &size, &err));
	OK(st->ops->blob_reopen(st, id, &b, &err));
	OK(b->ops->blob_publish(b, 10, "birth again", true, &err));
	OK(st->ops->blob_size(st, id, &size, &err));
	assert_int_equal(size, 10);
}

CONTRACT(discards_what_was_begun)
{
	char id[ID_SIZE];
	struct blob *b;

	help_new_id(id);
	OK(st->ops->blob_discard(st, id, &err));
	begin(st, id, 10);
	OK(st->ops->blob_discard(st, id, &err));
	FAILS(ERR_ABSENT, st->ops->blob_reopen(st, id, &b, &err));
}

CONTRACT(keeps_what_could_not_be_published_through_a_second_handle)
{
	char id[ID_SIZE];
	char long_birth[STORAGE_BIRTH_MAX + 2];
	struct blob *b;

	memset(long_birth, 'x', sizeof(long_birth) - 1);
	long_birth[sizeof(long_birth) - 1] = '\0';
	help_new_id(id);
	begin(st, id, 10);
	OK(st->ops->blob_reopen(st, id, &b, &err));
	FAILS(
	    ERR_INTERNAL, b->ops->blob_publish(b, 10, long_birth, true, &err));
	OK(st->ops->blob_reopen(st, id, &b, &err));
	b->ops->blob_abort(b);
	FAILS(ERR_ABSENT, st->ops->blob_reopen(st, id, &b, &err));
}

CONTRACT(publishes_many_at_once_that_were_prepared)
{
	enum { N = 40 };
	char ids[N][ID_SIZE];
	const char *all[N];
	char birth[STORAGE_BIRTH_MAX + 1];
	uint64_t size;
	struct blob *b;

	for (int i = 0; i < N; i++) {
		help_new_id(ids[i]);
		all[i] = ids[i];
		OK(st->ops->blob_new(
		    st, ids[i], STORAGE_SIZE_UNKNOWN, &b, &err));
		write_bytes(b, 0, 100 + (size_t)i);
		OK(b->ops->blob_prepare(
		    b, 100 + (uint64_t)i, ids[i], i % 2 == 0, &err));
		FAILS(ERR_ABSENT, st->ops->blob_size(st, ids[i], &size, &err));
	}
	OK(st->ops->blobs_place(st, all, N, true, &err));
	for (int i = 0; i < N; i++) {
		OK(st->ops->blob_size(st, ids[i], &size, &err));
		assert_int_equal(size, 100 + i);
		assert_range(st, ids[i], 0, 100 + (size_t)i);
		OK(st->ops->blob_birth(st, ids[i], birth, &err));
		assert_string_equal(birth, ids[i]);
		FAILS(ERR_ABSENT, st->ops->blob_reopen(st, ids[i], &b, &err));
	}
}

CONTRACT(discards_what_was_prepared)
{
	char ids[2][ID_SIZE];
	const char *const all[] = { ids[0], ids[1] };
	char long_birth[STORAGE_BIRTH_MAX + 1];
	struct blob *b;

	/* for a sidecar, where there are any */
	memset(long_birth, 'x', STORAGE_BIRTH_MAX);
	long_birth[STORAGE_BIRTH_MAX] = '\0';
	for (int i = 0; i < 2; i++) {
		help_new_id(ids[i]);
		begin(st, ids[i], 10);
		OK(st->ops->blob_reopen(st, ids[i], &b, &err));
		OK(b->ops->blob_prepare(b, 10, long_birth, true, &err));
	}
	OK(st->ops->blob_discard(st, ids[1], &err));
	/* the first is placed, perhaps, and undone so */
	assert_int_equal(st->ops->blobs_place(st, all, 2, true, NULL), -1);
	for (int i = 0; i < 2; i++) {
		uint64_t size;

		OK(st->ops->blob_remove(st, ids[i], &err));
		OK(st->ops->blob_discard(st, ids[i], &err));
		FAILS(ERR_ABSENT, st->ops->blob_size(st, ids[i], &size, &err));
		FAILS(ERR_ABSENT, st->ops->blob_reopen(st, ids[i], &b, &err));
		FAILS(ERR_ABSENT,
		    st->ops->blob_birth(st, ids[i], long_birth, &err));
	}
}

/* What is beside ${id}, as text. */
static void
assert_beside(struct storage *st, const char *id, const char *text)
{
	struct buf b;

	buf_init(&b, STORAGE_BESIDE_MAX);
	OK(st->ops->beside_get(st, id, &b, &err));
	assert_string_equal(buf_str(&b), text);
	buf_fini(&b);
}

static int
count_beside(void *arg, const char *id, uint64_t size, struct err *e)
{
	unsigned *n = arg;

	(void)e;
	assert_true(id_is_valid(id));
	assert_int_equal(size, 5);
	++*n;
	return 0;
}

CONTRACT(keeps_something_beside_a_blob_until_it_goes)
{
	char id[ID_SIZE], other[ID_SIZE];
	struct buf b;
	unsigned n = 0;

	buf_init(&b, STORAGE_BESIDE_MAX);
	help_new_id(id);
	help_new_id(other);
	publish(st, id, 10, 10);
	publish(st, other, 10, 10);
	FAILS(ERR_ABSENT, st->ops->beside_get(st, id, &b, &err));
	OK(st->ops->beside_remove(st, id, &err));
	OK(st->ops->beside_put(st, id, "longer", 6, &err));
	OK(st->ops->beside_put(st, id, "first", 5, &err));
	OK(st->ops->beside_put(st, other, "other", 5, &err));
	assert_beside(st, id, "first");
	assert_beside(st, other, "other");
	OK(st->ops->beside_list(st, count_beside, &n, &err));
	assert_int_equal(n, 2);
	OK(st->ops->blob_remove(st, id, &err));
	FAILS(ERR_ABSENT, st->ops->beside_get(st, id, &b, &err));
	OK(st->ops->blob_set_aside(st, other, &err));
	FAILS(ERR_ABSENT, st->ops->beside_get(st, other, &b, &err));
	buf_fini(&b);
}

CONTRACT(bounds_what_lies_beside_a_blob)
{
	char *p = calloc(1, STORAGE_BESIDE_MAX + 1);
	struct buf small;
	char id[ID_SIZE];

	assert_non_null(p);
	help_new_id(id);
	publish(st, id, 10, 10);
	OK(st->ops->beside_put(st, id, p, STORAGE_BESIDE_MAX, &err));
	FAILS(ERR_INTERNAL,
	    st->ops->beside_put(st, id, p, STORAGE_BESIDE_MAX + 1, &err));
	buf_init(&small, STORAGE_BESIDE_MAX - 1);
	FAILS(ERR_IO, st->ops->beside_get(st, id, &small, &err));
	buf_fini(&small);
	FAILS(ERR_INTERNAL, st->ops->beside_put(st, "../x", p, 1, &err));
	FAILS(ERR_INTERNAL, st->ops->beside_remove(st, "../x", &err));
	free(p);
}

#define PUTS 50
#define LONG_TEXT 20000

struct putter {
	struct storage *st;
	const char *id;
	char c;
};

static void *
put_often(void *arg)
{
	const struct putter *p = arg;
	char text[LONG_TEXT];
	long failed = 0;

	memset(text, p->c, sizeof(text));
	for (int i = 0; i < PUTS; i++)
		failed += p->st->ops->beside_put(
		    p->st, p->id, text, sizeof(text), NULL);
	return (void *)failed;
}

CONTRACT(puts_beside_a_blob_as_a_whole)
{
	struct putter putters[2] = { { .c = 'a' }, { .c = 'b' } };
	pthread_t threads[2];
	char id[ID_SIZE];
	struct buf b;
	void *failed;

	help_new_id(id);
	publish(st, id, 10, 10);
	OK(st->ops->beside_put(st, id, "", 0, &err));
	for (int i = 0; i < 2; i++) {
		putters[i].st = st;
		putters[i].id = id;
		assert_int_equal(
		    pthread_create(&threads[i], NULL, put_often, &putters[i]),
		    0);
	}
	buf_init(&b, STORAGE_BESIDE_MAX);
	for (int i = 0; i < PUTS; i++) {
		OK(st->ops->beside_get(st, id, &b, &err));
		assert_true(b.len == 0 || b.len == LONG_TEXT);
		if (b.len > 0)
			assert_memory_equal(b.p, b.p + 1, b.len - 1);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	buf_fini(&b);
}
