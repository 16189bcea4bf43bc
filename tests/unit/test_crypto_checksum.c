/* SPDX-License-Identifier: MIT */
#include "crypto/checksum.h"

#include <string.h>

#include "base/hex.h"
#include "unit.h"

TEST(test_crypto_checksum__knows_its_names)
{
	assert_int_equal(checksum_of_name(slice_str("sha1")), CHECKSUM_SHA1);
	assert_int_equal(
	    checksum_of_name(slice_str("sha256")), CHECKSUM_SHA256);
	assert_int_equal(checksum_of_name(slice_str("md5")), CHECKSUM_NONE);
	assert_int_equal(checksum_of_name(slice_str("")), CHECKSUM_NONE);
	assert_int_equal(checksum_size(CHECKSUM_SHA1), 20);
	assert_int_equal(checksum_size(CHECKSUM_SHA256), 32);
}

/* FIPS 180-4's "abc", in two pieces. */
TEST(test_crypto_checksum__sums)
{
	static const struct {
		enum checksum_kind kind;
		const char *hex;
	} rows[] = {
		{ CHECKSUM_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ CHECKSUM_SHA256, "ba7816bf8f01cfea414140de5dae2223"
		                   "b00361a396177a9cb410ff61f20015ad" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char sum[CHECKSUM_MAX_SIZE];
		char hex[2 * CHECKSUM_MAX_SIZE + 1];
		struct checksum *c = checksum_new(rows[i].kind);

		checksum_add(c, "ab", 2);
		checksum_add(c, "c", 1);
		checksum_final(c, sum);
		checksum_free(c);
		hex_encode(sum, checksum_size(rows[i].kind), hex);
		assert_string_equal(hex, rows[i].hex);
	}
	checksum_free(NULL);
}
