/* SPDX-License-Identifier: MIT */
#include "proto/tus.h"

#include <string.h>

#include "unit.h"

/* --- Upload-Metadata ------------------------------------------------------ */

TEST(test_proto_tus__takes_metadata)
{
	static const char *const good[] = {
		"filename d29ybGQ=",
		"filename d29ybGQ=,is_confidential",
		"a YQ==, b Yg==",
		"a",
		"",
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(
		    tus_metadata_check(slice_str(good[i]), &err), 0);
}

TEST(test_proto_tus__refuses_bad_metadata)
{
	static const char *const bad[] = {
		"a !",
		"a YQ=",
		"a YQ==,,b",
		"a YQ==,a YQ==",
		"a,a",
		"a YQ== YQ==",
		"\x01 YQ==",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
		    tus_metadata_check(slice_str(bad[i]), &err), -1);
		assert_int_equal(err.code, ERR_INVALID_PARAMETER);
	}
}

TEST(test_proto_tus__finds_values)
{
	const struct slice m = SLICE_LIT("filename d29ybGQ=,empty,b Yg==");
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(tus_metadata_get(m, "filename", &b), 1);
	assert_string_equal(buf_str(&b), "world");
	buf_clear(&b);
	assert_int_equal(tus_metadata_get(m, "empty", &b), 1);
	assert_int_equal(b.len, 0);
	assert_int_equal(tus_metadata_get(m, "file", &b), 0);
	buf_fini(&b);
	buf_init(&b, 3);
	assert_int_equal(tus_metadata_get(m, "filename", &b), -1);
	buf_fini(&b);
}

/* --- Upload-Checksum ------------------------------------------------------ */

TEST(test_proto_tus__reads_a_checksum)
{
	struct err err = ERR_INIT;
	struct tus_sum sum;

	assert_int_equal(
	    tus_checksum(
	        SLICE_LIT("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), &sum, &err),
	    0);
	assert_true(slice_eq_str(sum.name, "sha1"));
	assert_int_equal(sum.n, 20);
	assert_int_equal(sum.sum[0], 0x2a);
}

TEST(test_proto_tus__refuses_bad_checksums)
{
	char long_one[2 * TUS_SUM_MAX];
	const char *const bad[] = { "", "sha1", "sha1 ", " YQ==", "sha1 !",
		long_one };

	memset(long_one, 'A', sizeof(long_one) - 1);
	memcpy(long_one, "sha1 ", 5);
	long_one[sizeof(long_one) - 1] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		struct tus_sum sum;

		assert_int_equal(
		    tus_checksum(slice_str(bad[i]), &sum, &err), -1);
		assert_int_equal(err.code, ERR_INVALID_PARAMETER);
	}
}

/* --- Upload-Concat -------------------------------------------------------- */

TEST(test_proto_tus__reads_what_is_to_be_joined)
{
	struct err err = ERR_INIT;
	enum tus_concat kind;
	struct slice urls, id;

	assert_int_equal(tus_concat(SLICE_NULL, &kind, &urls, &err), 0);
	assert_int_equal(kind, TUS_WHOLE);
	assert_int_equal(
	    tus_concat(SLICE_LIT("partial"), &kind, &urls, &err), 0);
	assert_int_equal(kind, TUS_PARTIAL);
	assert_int_equal(tus_concat(SLICE_LIT("final;/tus/a  http://x/tus/b c"),
	                     &kind, &urls, &err),
	    0);
	assert_int_equal(kind, TUS_FINAL);
	assert_true(tus_next_part(&urls, &id));
	assert_true(slice_eq_str(id, "a"));
	assert_true(tus_next_part(&urls, &id));
	assert_true(slice_eq_str(id, "b"));
	assert_true(tus_next_part(&urls, &id));
	assert_true(slice_eq_str(id, "c"));
	assert_false(tus_next_part(&urls, &id));
	assert_int_equal(
	    tus_concat(SLICE_LIT("whole"), &kind, &urls, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_PARAMETER);
}
