/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "sft/args.h"

TEST(test_sft_args__masks_keys)
{
	char program[] = "sft", one[] = "--key", two[] = "secret";
	char three[] = "--key=secret", four[] = "--key-file", five[] = "file";
	char six[] = "--key";
	char *argv[] = { program, one, two, three, four, five, six, NULL };
	struct args args;

	args_init(&args, 7, argv);
	assert_string_equal(two, "******");
	assert_string_equal(three, "--key=******");
	assert_string_equal(five, "file");
	assert_int_equal(args.argc, 7);
	assert_string_equal(args.argv[2], "secret");
	assert_string_equal(args.argv[3], "--key=secret");
	assert_null(args.argv[7]);
	/* parsing moves the words about */
	args.argv[0] = args.argv[6];
	args_fini(&args);
}

TEST(test_sft_args__a_key_that_looks_like_the_option)
{
	char program[] = "sft", one[] = "--key", two[] = "--key";
	char three[] = "secret";
	char *argv[] = { program, one, two, three, NULL };
	struct args args;

	args_init(&args, 4, argv);
	assert_string_equal(one, "--key");
	assert_string_equal(two, "*****");
	assert_string_equal(three, "******");
	args_fini(&args);
}
