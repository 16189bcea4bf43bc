/* SPDX-License-Identifier: MIT */
#include "engine/birth.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit.h"

#define BLOB "0123456789abcdef0123456789abcdef"
#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct rec_file
sample(void)
{
	struct rec_file f = { 0 };

	f.filename = mem_strdup("文書/\xc3\xa9 \"x\".txt");
	f.mime_type = mem_strdup("text/plain");
	memcpy(f.blob_id, BLOB, sizeof(BLOB));
	memcpy(f.sha256, HASH, sizeof(HASH));
	memcpy(f.transfer_id, BLOB, sizeof(BLOB));
	f.crc32 = 0xfedcba98;
	f.size = 1ull << 40;
	f.encryption = true;
	f.layout = REC_SEALED;
	f.created_ms = 1700000000001;
	f.modified_ms = 1700000000002;
	return f;
}

TEST(test_engine_birth__reads_what_it_wrote)
{
	char text[STORAGE_BIRTH_MAX + 1];
	struct rec_file a = sample(), b;
	struct err err = ERR_INIT;

	assert_int_equal(birth_write(&a, text, &err), 0);
	assert_int_equal(birth_read(text, BLOB, &b, &err), 0);
	assert_string_equal(a.filename, b.filename);
	assert_string_equal(a.mime_type, b.mime_type);
	assert_string_equal(a.blob_id, b.blob_id);
	assert_string_equal(a.sha256, b.sha256);
	assert_string_equal(a.transfer_id, b.transfer_id);
	assert_int_equal(a.crc32, b.crc32);
	assert_int_equal(a.size, b.size);
	assert_true(b.encryption);
	assert_int_equal(b.layout, REC_SEALED);
	assert_int_equal(a.created_ms, b.created_ms);
	assert_int_equal(a.modified_ms, b.modified_ms);
	rec_file_fini(&a);
	rec_file_fini(&b);
}

TEST(test_engine_birth__fits_the_longest_name)
{
	char text[STORAGE_BIRTH_MAX + 1];
	struct rec_file a = sample();
	struct err err = ERR_INIT;

	free(a.filename);
	a.filename = mem_calloc(1, 1025);
	for (size_t i = 0; i < 1024; i++)
		a.filename[i] = i % 200 == 199 ? '/' : '"';
	assert_int_equal(birth_write(&a, text, &err), 0);
	rec_file_fini(&a);
}

TEST(test_engine_birth__refuses_what_it_would_not_write)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"v\":2}",
		"not json",
		/* a name that climbs */
		"{\"v\":1,\"filename\":\"../x\",\"sha256\":\"" HASH
		"\",\"crc32\":1,\"size\":0,\"mime_type\":\"a/b\","
		"\"encryption\":false,\"layout\":\"plain\",\"created\":0,"
		"\"modified\":0,\"transfer\":\"" BLOB "\"}",
		/* a negative size */
		"{\"v\":1,\"filename\":\"x\",\"sha256\":\"" HASH
		"\",\"crc32\":1,\"size\":-1,\"mime_type\":\"a/b\","
		"\"encryption\":false,\"layout\":\"plain\",\"created\":0,"
		"\"modified\":0,\"transfer\":\"" BLOB "\"}",
		/* a layout of nobody's */
		"{\"v\":1,\"filename\":\"x\",\"sha256\":\"" HASH
		"\",\"crc32\":1,\"size\":0,\"mime_type\":\"a/b\","
		"\"encryption\":false,\"layout\":\"odd\",\"created\":0,"
		"\"modified\":0,\"transfer\":\"" BLOB "\"}",
	};
	struct rec_file f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(birth_read(bad[i], BLOB, &f, &err), -1);
		assert_int_not_equal(err.code, ERR_NONE);
	}
}
