/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sft/fail.h"

TEST(test_sft_fail__exit_statuses)
{
	assert_int_equal(fail_exit_of(ERR_NONE), 0);
	assert_int_equal(fail_exit_of(ERR_IO), 1);
	assert_int_equal(fail_exit_of(ERR_NOT_FOUND), 1); /* no such route */
	assert_int_equal(fail_exit_of(ERR_USAGE), 2);
	assert_int_equal(fail_exit_of(ERR_UNREACHABLE), 3);
	assert_int_equal(fail_exit_of(ERR_UNTRUSTED), 3);
	assert_int_equal(fail_exit_of(ERR_FILE_NOT_FOUND), 4);
	assert_int_equal(fail_exit_of(ERR_TRANSFER_NOT_FOUND), 4);
	assert_int_equal(fail_exit_of(ERR_KEY_NOT_FOUND), 4);
	assert_int_equal(fail_exit_of(ERR_UNAUTHORIZED), 5);
	assert_int_equal(fail_exit_of(ERR_INVALID_API_KEY), 5);
	assert_int_equal(fail_exit_of(ERR_FORBIDDEN), 5);
	assert_int_equal(fail_exit_of(ERR_INTERRUPTED), 130);
}

TEST(test_sft_fail__advice)
{
	assert_null(fail_advice(ERR_IO));
	assert_non_null(strstr(fail_advice(ERR_UNREACHABLE), "script/server"));
	assert_null(fail_advice(ERR_UNTRUSTED));
	assert_non_null(strstr(fail_advice(ERR_UNAUTHORIZED), "SFT_API_KEY"));
}
