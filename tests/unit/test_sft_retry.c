/* SPDX-License-Identifier: MIT */
#include "sft/retry.h"

#include "unit.h"

static bool
may(enum err_code code, int status)
{
	const struct err err = { .code = code };
	const struct http_failure f = { .status = status };

	return retry_may(&err, &f);
}

TEST(test_sft_retry__tries_again_what_may_pass)
{
	static const int statuses[] = { 408, 429, 500, 502, 503, 504 };

	assert_true(may(ERR_CLOSED, 0));
	assert_true(may(ERR_TIMEOUT, 0));
	assert_true(may(ERR_UNREACHABLE, 0));
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		assert_true(may(ERR_IO, statuses[i]));
}

TEST(test_sft_retry__does_not_try_again_what_stays)
{
	static const int statuses[] = { 400, 401, 403, 404, 409, 413, 422, 501,
		507 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		assert_false(may(ERR_IO, statuses[i]));
	assert_false(may(ERR_DECRYPTION_FAILED, 500));
	assert_false(may(ERR_FILE_DAMAGED, 500));
	assert_false(may(ERR_INTERRUPTED, 0));
	assert_false(may(ERR_IO, 0));
}

TEST(test_sft_retry__doubles_its_waits_up_to_half_a_minute)
{
	static const int64_t most[] = { 500, 1000, 2000, 4000, 8000, 16000,
		30000, 30000 };

	for (unsigned n = 1; n <= 8; n++) {
		int64_t longest = 0;

		for (uint64_t r = 0; r < 100000; r += 7) {
			int64_t ms = retry_delay_ms(n, r);

			assert_in_range(ms, 0, most[n - 1]);
			longest = ms > longest ? ms : longest;
		}
		assert_true(longest > most[n - 1] * 9 / 10);
	}
	assert_in_range(retry_delay_ms(1000, UINT64_MAX), 0, 30000);
}
