/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

#include "unit.h"

/* The paper's appendix A: key 00 .. 0f, message 00 .. 0e. */
TEST(test_base_siphash__published_vector)
{
	static const struct siphash_key key = {
		UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908),
	};
	unsigned char message[15];
	unsigned char i;

	for (i = 0; i < 15; i++)
		message[i] = i;
	assert_true(
	    siphash_24(&key, message, 15) == UINT64_C(0xa129ca6149be45e5));
}

/* What CPython 3.11, which hashes with SipHash-1-3, says of these bytes with
 * PYTHONHASHSEED=0 (an all-zero key). */
TEST(test_base_siphash__agrees_with_python)
{
	static const char text[] = "0123456789abcdefXYZ";
	static const uint64_t hashes[] = {
		UINT64_C(0x49bc192c478bfc2e),
		UINT64_C(0x748af13ac9ed7bec),
		UINT64_C(0x27007a47f534b10c),
		UINT64_C(0xe2614298a482dc84),
		UINT64_C(0xe2c4ef0f59d25695),
		UINT64_C(0xb95fd06b7c3d68ab),
		UINT64_C(0x810aaf7acf670379),
		UINT64_C(0xda3dcedf84ea6cc6),
		UINT64_C(0xb79d8581f8552753),
		UINT64_C(0x52b62a4184e1c734),
		UINT64_C(0x7188f6617526617b),
		UINT64_C(0x58ad1e5ac2bf1033),
		UINT64_C(0x6c5a77666b0b9ac0),
		UINT64_C(0x5aa577192a3435c6),
		UINT64_C(0x26f4d862282d8fcb),
		UINT64_C(0x1d42b30f7e060c24),
		UINT64_C(0x4d31b312f2825093),
	};
	static const struct siphash_key zero;
	size_t i;

	for (i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		assert_true(siphash_13(&zero, text, i + 1) == hashes[i]);
}

TEST(test_base_siphash__depends_on_the_key)
{
	static const struct siphash_key a = { 1, 2 }, b = { 1, 3 },
	                                c = { 2, 2 };

	assert_true(siphash_13(&a, "x", 1) != siphash_13(&b, "x", 1));
	assert_true(siphash_13(&a, "x", 1) != siphash_13(&c, "x", 1));
	assert_true(siphash_13(&a, NULL, 0) != siphash_13(&b, NULL, 0));
}
