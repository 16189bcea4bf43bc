/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "net/http_fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* SHA-256 of "hello world\n" */
#define DIGEST "qUiQTy8PR5uPgZdpSzAYSw0u0cHNKh7A+4XSmaGSpEc="

static const struct {
	const char *value;
	int result;
} fields[] = {
	{ "sha-256=:AAECAw==:", 1 },
	{ "sha-256=:AAECAw:", 1 }, /* without its padding */
	{ " sha-256=:AAECAw==: ", 1 },
	{ "md5=:AAAA:, sha-256=:AAECAw==:", 1 },
	{ "sha-256=:AAECAw==:\t,\tsha-512=:AA==:", 1 },
	{ "sha-256=:AAECAw==:;q=1;w=\"x\\\"\";v", 1 },
	{ "a=1, b=-1.5, c=?0, d=tok/en:x, e=\"s;,\", f, "
	  "g=(1 \"a\";p=:AA==: t), h=(), sha-256=:AAECAw==:",
	    1 },
	/* the last of two counts */
	{ "sha-256=:////:, sha-256=:AAECAw==:", 1 },
	{ "sha-256=:AAECAw==:, sha-256=:////:", -1 },
	{ "", 0 },
	{ "   ", 0 },
	{ "sha-512=:AAAA:", 0 },
	{ "sha-2567=:AAECAw==:", 0 },
	/* of another kind or length */
	{ "sha-256=:AAEC:", -1 },
	{ "sha-256=:AAECAwQ=:", -1 },
	{ "sha-256=::", -1 },
	{ "sha-256=\"AAECAw==\"", -1 },
	{ "sha-256=AAECAw==", -1 },
	{ "sha-256=1", -1 },
	{ "sha-256", -1 },
	{ "sha-256=(:AAECAw==:)", -1 },
	/* malformed, there or elsewhere */
	{ "sha-256=:AAECAw==", -1 },
	{ "sha-256=:AAECAx==:", -1 },
	{ "sha-256=:AAE CAw==:", -1 },
	{ "sha-256=:AA=ECAw==:", -1 },
	{ "sha-256=:AAECAw==:,", -1 },
	{ ",sha-256=:AAECAw==:", -1 },
	{ "sha-256=:AAECAw==: x", -1 },
	{ "sha-256 =:AAECAw==:", -1 },
	{ "sha-256= :AAECAw==:", -1 },
	{ "SHA-256=:AAECAw==:", -1 },
	{ "sha-256=:AAECAw==:;", -1 },
	{ "sha-256=:AAECAw==: ;a", -1 },
	{ "sha-256=:AAECAw==:;a=", -1 },
	{ "sha-256=:AAECAw==:, a=?2", -1 },
	{ "sha-256=:AAECAw==:, a=1.", -1 },
	{ "sha-256=:AAECAw==:, a=-", -1 },
	{ "sha-256=:AAECAw==:, a=1234567890123456", -1 },
	{ "sha-256=:AAECAw==:, a=\"x", -1 },
	{ "sha-256=:AAECAw==:, a=\"\\x\"", -1 },
	{ "sha-256=:AAECAw==:, a=(1", -1 },
	{ "sha-256=:AAECAw==:, a=(1\"x\")", -1 },
	{ "sha-256=:AAECAw==:, a=((1))", -1 },
	{ "sha-256=:AAECAw==:, \"a\"=1", -1 },
};

TEST(test_net_http_digest__finds_a_digest)
{
	unsigned char digest[4];
	size_t i;
	int rc;

	for (i = 0; i < COUNT(fields); i++) {
		memset(digest, 0xee, sizeof(digest));
		rc = http_digest(
		    slice_str(fields[i].value), "sha-256", digest, 4);
		if (rc != fields[i].result)
			fail_msg("'%s': %d", fields[i].value, rc);
		if (rc == 1)
			assert_memory_equal(digest, "\0\1\2\3", 4);
		else
			assert_memory_equal(digest, "\xee\xee\xee\xee", 4);
	}
}

TEST(test_net_http_digest__decodes_a_sha256)
{
	static const unsigned char expected[32] = { 0xa9, 0x48, 0x90, 0x4f,
		0x2f, 0x0f, 0x47, 0x9b, 0x8f, 0x81, 0x97, 0x69, 0x4b, 0x30,
		0x18, 0x4b, 0x0d, 0x2e, 0xd1, 0xc1, 0xcd, 0x2a, 0x1e, 0xc0,
		0xfb, 0x85, 0xd2, 0x99, 0xa1, 0x92, 0xa4, 0x47 };
	unsigned char digest[32];

	assert_int_equal(http_digest(SLICE_LIT("sha-256=:" DIGEST ":"),
	                     "sha-256", digest, 32),
	    1);
	assert_memory_equal(digest, expected, 32);
}

/* Longer than any digest: refused before anything is copied. */
TEST(test_net_http_digest__refuses_a_long_one)
{
	char value[1024] = "sha-512=:";
	unsigned char digest[64];

	memset(value + 9, 'A', 1000);
	value[1009] = ':';
	assert_int_equal(
	    http_digest(slice_str(value), "sha-512", digest, 64), -1);
}
