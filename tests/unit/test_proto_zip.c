/* SPDX-License-Identifier: MIT */
#include "proto/zip.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

#define GIB ((uint64_t)1 << 30)
#define MANY 70000u

static uint64_t
number(const struct buf *b, size_t at, unsigned bytes)
{
	uint64_t v = 0;

	assert_true(at + bytes <= b->len);
	while (bytes-- > 0)
		v = v << 8 | (unsigned char)b->p[at + bytes];
	return v;
}

static struct zip_entry
entry(uint64_t size, uint64_t offset)
{
	return (struct zip_entry){
		.name = "a/\xc3\xa9",
		.crc32 = 0x12345678,
		.size = size,
		.packed = size,
		.modified_ms = 1795750807000, /* 2026-11-27 03:40:07 */
		.offset = offset,
	};
}

TEST(test_proto_zip__a_local_header)
{
	struct zip_entry e = entry(1000, 0);
	struct buf b;

	buf_init(&b, ZIP_HEADER_MAX);
	zip_put_local(&e, &b);
	assert_int_equal(b.len, zip_local_size(&e));
	assert_int_equal(number(&b, 0, 4), 0x04034b50);
	assert_int_equal(number(&b, 4, 2), 20);
	assert_int_equal(number(&b, 6, 2), 0x0800);
	assert_int_equal(number(&b, 8, 2), 0);
	assert_int_equal(number(&b, 10, 2), 3 << 11 | 40 << 5 | 3);
	assert_int_equal(number(&b, 12, 2), 46 << 9 | 11 << 5 | 27);
	assert_int_equal(number(&b, 14, 4), 0x12345678);
	assert_int_equal(number(&b, 18, 4), 1000);
	assert_int_equal(number(&b, 22, 4), 1000);
	assert_int_equal(number(&b, 26, 2), 4);
	assert_int_equal(number(&b, 28, 2), 9);
	assert_memory_equal(b.p + 30, "a/\xc3\xa9", 4);
	assert_memory_equal(b.p + 34, "UT\x05\x00\x01", 5);
	assert_int_equal(number(&b, 39, 4), 1795750807);
	buf_fini(&b);
}

/* The marks stand for themselves no more. */
TEST(test_proto_zip__where_64_bits_begin)
{
	static const struct {
		uint64_t size;
		uint64_t offset;
		size_t local_more;
		size_t central_more;
	} rows[] = {
		{ 0, 0, 0, 0 },
		{ UINT32_MAX - 1, UINT32_MAX - 1, 0, 0 },
		{ UINT32_MAX, 0, 20, 20 },
		{ 0, UINT32_MAX, 0, 12 },
		{ 5 * GIB, 5 * GIB, 20, 28 },
	};
	size_t local, central;
	struct buf b;

	buf_init(&b, ZIP_HEADER_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zip_entry e = entry(rows[i].size, rows[i].offset);

		buf_clear(&b);
		zip_put_local(&e, &b);
		local = 30 + 4 + 9;
		assert_int_equal(b.len, local + rows[i].local_more);
		assert_int_equal(b.len, zip_local_size(&e));
		assert_int_equal(
		    zip_is_large(&e), rows[i].local_more > 0 ? 1 : 0);
		if (rows[i].local_more > 0) {
			assert_int_equal(number(&b, 4, 2), 45);
			assert_int_equal(number(&b, 18, 4), UINT32_MAX);
			assert_int_equal(number(&b, 22, 4), UINT32_MAX);
			assert_int_equal(number(&b, local, 2), 1);
			assert_int_equal(number(&b, local + 2, 2), 16);
			assert_true(number(&b, local + 4, 8) == rows[i].size);
			assert_true(number(&b, local + 12, 8) == rows[i].size);
		}
		buf_clear(&b);
		zip_put_central(&e, &b);
		central = 46 + 4 + 9;
		assert_int_equal(b.len, central + rows[i].central_more);
		assert_int_equal(b.len, zip_central_size(&e));
		if (rows[i].central_more > 0) {
			assert_int_equal(number(&b, 6, 2), 45);
			assert_int_equal(number(&b, central, 2), 1);
			assert_int_equal(number(&b, central + 2, 2),
			    rows[i].central_more - 4);
		}
		if (rows[i].offset >= UINT32_MAX) {
			assert_int_equal(number(&b, 42, 4), UINT32_MAX);
			assert_true(number(&b, b.len - 8, 8) == rows[i].offset);
		}
	}
	buf_fini(&b);
}

TEST(test_proto_zip__descriptors)
{
	struct zip_entry e = entry(1000, 0);
	struct buf b;

	buf_init(&b, ZIP_HEADER_MAX);
	e.method = ZIP_DEFLATED;
	e.has_descriptor = true;
	zip_put_local(&e, &b);
	assert_int_equal(number(&b, 6, 2), 0x0808);
	assert_int_equal(number(&b, 8, 2), 8);
	assert_int_equal(number(&b, 14, 4), 0);
	assert_int_equal(number(&b, 18, 4), 0);
	assert_int_equal(number(&b, 22, 4), 0);
	buf_clear(&b);
	e.packed = 77;
	zip_put_descriptor(&e, false, &b);
	assert_int_equal(b.len, 16);
	assert_int_equal(number(&b, 0, 4), 0x08074b50);
	assert_int_equal(number(&b, 4, 4), 0x12345678);
	assert_int_equal(number(&b, 8, 4), 77);
	assert_int_equal(number(&b, 12, 4), 1000);
	buf_clear(&b);
	zip_put_descriptor(&e, true, &b);
	assert_int_equal(b.len, 24);
	assert_int_equal(number(&b, 8, 8), 77);
	assert_int_equal(number(&b, 16, 8), 1000);
	buf_fini(&b);
}

TEST(test_proto_zip__times_out_of_reach)
{
	static const struct {
		int64_t ms;
		uint32_t dos;
		bool has_stamp;
	} rows[] = {
		{ -1, 1u << 21 | 1u << 16, false },
		{ 0, 1u << 21 | 1u << 16, true },
		{ (int64_t)INT32_MAX * 1000, 0, true },
		{ ((int64_t)INT32_MAX + 1) * 1000, 0, false },
		{ INT64_MAX / 2, 0xff9fbf7d, false },
	};
	struct buf b;

	buf_init(&b, ZIP_HEADER_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zip_entry e = entry(1, 0);

		e.modified_ms = rows[i].ms;
		buf_clear(&b);
		zip_put_local(&e, &b);
		assert_int_equal(b.len, zip_local_size(&e));
		assert_int_equal(number(&b, 28, 2), rows[i].has_stamp ? 9 : 0);
		if (rows[i].dos != 0)
			assert_int_equal(number(&b, 10, 4), rows[i].dos);
	}
	buf_fini(&b);
}

TEST(test_proto_zip__where_a_large_end_begins)
{
	static const struct {
		struct zip_end end;
		bool large;
	} rows[] = {
		{ { 1, 100, 60 }, false },
		{ { UINT16_MAX - 1, UINT32_MAX - 1, 60 }, false },
		{ { UINT16_MAX, 100, 60 }, true },
		{ { 1, UINT32_MAX, 60 }, true },
		{ { 1, 100, UINT32_MAX }, true },
	};
	struct buf b;

	buf_init(&b, ZIP_HEADER_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&b);
		zip_put_end(&rows[i].end, &b);
		assert_int_equal(b.len, zip_end_size(&rows[i].end));
		assert_int_equal(b.len, rows[i].large ? 98 : 22);
	}
	buf_fini(&b);
}

/* The directory of MANY entries, which lie across 4 GiB, read as a reader
 * does: from its end. */
TEST(test_proto_zip__many_entries)
{
	const uint64_t size = 100000;
	struct zip_end end = { .entries = MANY };
	struct zip_entry e = entry(size, 0);
	char name[32];
	struct buf b;
	uint64_t at, offset = 0;
	size_t tail;

	buf_init(&b, 16u << 20);
	e.name = name;
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "many/%05u", i);
		e.offset = offset;
		at = b.len;
		zip_put_central(&e, &b);
		assert_int_equal(b.len - at, zip_central_size(&e));
		offset += zip_local_size(&e) + size;
	}
	assert_true(offset > 4 * GIB);
	end.offset = offset;
	end.size = b.len;
	zip_put_end(&end, &b);
	tail = b.len - 22;
	assert_int_equal(number(&b, tail, 4), 0x06054b50);
	assert_int_equal(number(&b, tail + 10, 2), UINT16_MAX);
	assert_int_equal(number(&b, tail + 16, 4), UINT32_MAX);
	/* the locator says where the larger end is */
	assert_int_equal(number(&b, tail - 20, 4), 0x07064b50);
	at = number(&b, tail - 12, 8) - offset;
	assert_int_equal(number(&b, at, 4), 0x06064b50);
	assert_int_equal(number(&b, at + 32, 8), MANY);
	assert_true(number(&b, at + 40, 8) == end.size);
	assert_true(number(&b, at + 48, 8) == offset);
	/* and every entry leads to the next */
	at = 0;
	for (unsigned i = 0; i < MANY; i++) {
		uint64_t where = number(&b, at + 42, 4);
		size_t n = number(&b, at + 28, 2);
		size_t extra = number(&b, at + 30, 2);

		assert_int_equal(number(&b, at, 4), 0x02014b50);
		(void)snprintf(name, sizeof(name), "many/%05u", i);
		assert_memory_equal(b.p + at + 46, name, n);
		if (where == UINT32_MAX)
			where = number(&b, at + 46 + n + extra - 8, 8);
		assert_true(where == i * (30 + 10 + 9 + size));
		at += 46 + n + extra;
	}
	assert_int_equal(at, end.size);
	buf_fini(&b);
}
