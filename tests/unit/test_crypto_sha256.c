/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/sha256.h"

#define REPEATED 1000000

/* FIPS 180-2, appendix B, and the short message test vectors of the NIST. */
static const struct {
	const char *message; /* hex */
	const char *sha256;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
	      "5" },
	{ "616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2"
	            "0015ad" },
	{ "6162636462636465636465666465666765666768666768696768696a68696a6b"
	  "696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f706e6f7071",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c"
	    "1" },
	{ "d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802"
	        "c1" },
	{ "11af", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d"
	          "1f98" },
	{ "b4190e", "dff2e73091f6c05e528896c4c831b9448653dc2ff043528f6769437bc7"
	            "b975c2" },
};

TEST(test_crypto_sha256__vectors)
{
	unsigned char message[64], sum[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];
	size_t i, n;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		n = strlen(vectors[i].message) / 2;
		assert_true(
		    hex_decode(slice_str(vectors[i].message), message, n));
		sha256(message, n, sum);
		hex_encode(sum, sizeof(sum), hex);
		assert_string_equal(hex, vectors[i].sha256);
	}
}

TEST(test_crypto_sha256__million)
{
	char *text = malloc(REPEATED);
	unsigned char sum[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	assert_non_null(text);
	memset(text, 'a', REPEATED);
	sha256(text, REPEATED, sum);
	hex_encode(sum, sizeof(sum), hex);
	assert_string_equal(hex,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

/* The state is plain numbers: a copy of it goes on by itself. */
TEST(test_crypto_sha256__state_can_be_copied)
{
	unsigned char whole[SHA256_SIZE], sum[SHA256_SIZE];
	struct sha256 s, copy;

	sha256("one two", 7, whole);
	sha256_init(&s);
	sha256_update(&s, "one", 3);
	copy = s;
	sha256_update(&s, " three", 6);
	sha256_final(&s, sum);
	assert_memory_not_equal(sum, whole, sizeof(sum));
	sha256_update(&copy, " two", 4);
	sha256_final(&copy, sum);
	assert_memory_equal(sum, whole, sizeof(sum));
}

TEST(test_crypto_sha256__goes_on_from_a_saved_state)
{
	unsigned char bytes[500], whole[SHA256_SIZE], got[SHA256_SIZE];
	struct sha256_state kept;
	struct sha256 s;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	sha256(bytes, sizeof(bytes), whole);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		sha256_init(&s);
		sha256_update(&s, bytes, n);
		sha256_save(&s, &kept);
		assert_int_equal(kept.n, n / SHA256_BLOCK * SHA256_BLOCK);
		memset(&s, 0xa5, sizeof(s));
		sha256_resume(&s, &kept);
		sha256_update(
		    &s, bytes + kept.n, sizeof(bytes) - (size_t)kept.n);
		sha256_final(&s, got);
		assert_memory_equal(got, whole, SHA256_SIZE);
	}
}

TEST(test_crypto_sha256__counts_beyond_32_bits)
{
	struct sha256_state big = { .n = (uint64_t)1 << 40 }, again;
	struct sha256 s;

	sha256_resume(&s, &big);
	sha256_save(&s, &again);
	assert_int_equal(again.n, big.n);
}
