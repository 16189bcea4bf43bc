/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "sft/receiving.h"

/* SHA-256 of "x" */
#define HEX "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define BASE64 "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE="

TEST(test_sft_receiving__expected)
{
	static const struct {
		const char *etag;
		const char *repr_digest;
		bool is_known;
	} cases[] = {
		{ "\"" HEX "\"", "", true },
		{ "W/\"" HEX "\"", "", true },
		{ "", "sha-256=:" BASE64 ":", true },
		{ "\"other\"", "md5=:AAAA:, SHA-256=:" BASE64 ":", true },
		{ "", "", false },
		{ HEX, "", false },
		{ "\"" HEX, "", false },
		{ "\"" HEX "0\"", "", false },
		{ "\"\"", "", false },
		{ "\"", "", false },
		{ "W/", "", false },
		{ "", "sha-256=" BASE64, false },
		{ "", "sha-256=:", false },
		{ "", "sha-256=::", false },
		{ "", "sha-256=:AAAA:", false },
		{ "", "sha-512=:" BASE64 ":", false },
	};
	unsigned char expected[SHA256_SIZE], sum[SHA256_SIZE];
	struct http_head head;
	size_t i;

	sha256("x", 1, expected);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&head, 0, sizeof(head));
		snprintf(head.etag, sizeof(head.etag), "%s", cases[i].etag);
		snprintf(head.repr_digest, sizeof(head.repr_digest), "%s",
		    cases[i].repr_digest);
		memset(sum, 0, sizeof(sum));
		assert_int_equal(
		    receiving_expected(&head, sum), cases[i].is_known);
		if (cases[i].is_known)
			assert_memory_equal(sum, expected, sizeof(sum));
	}
}
