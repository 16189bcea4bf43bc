/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sft/again.h"

#define WORDS_MAX 8

/* The words, divided by '|'. */
static void
check(const char *line, const char *extra, const char *expected)
{
	char *copy = strdup(line);
	char *argv[WORDS_MAX + 1] = { NULL };
	struct args args;
	struct buf b;
	char *at = copy;
	int argc = 0;

	while (at != NULL && argc < WORDS_MAX)
		argv[argc++] = strsep(&at, "|");
	args_init(&args, argc, argv);
	buf_init(&b, 1024);
	again_command(&args, extra, &b);
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
	args_fini(&args);
	free(copy);
}

TEST(test_sft_again__quotes_for_a_shell)
{
	check("/usr/bin/sft|upload|a.txt", NULL, "sft upload a.txt");
	check("sft|upload|it's a $x", NULL, "sft upload 'it'\\''s a $x'");
	check("sft|upload||~x", NULL, "sft upload '' '~x'");
	check("sft|upload|a%b_c-d=e@f:g+h,i/j", NULL,
	    "sft upload a%b_c-d=e@f:g+h,i/j");
	check("sft|upload|写真", NULL, "sft upload '写真'");
}

TEST(test_sft_again__shows_no_key)
{
	check("sft|--key|sft_x|upload|a", NULL, "sft --key KEY upload a");
	check("sft|upload|--key=sft_x|a", NULL, "sft upload --key=KEY a");
	check("sft|--key|--key|--key|b|a", NULL, "sft --key KEY --key KEY a");
}

TEST(test_sft_again__adds_an_option)
{
	check("sft|download|a", "--resume", "sft download a --resume");
	check("sft|download|--resume|a", "--resume", "sft download --resume a");
	check("sft|download|--|-a", "--resume", "sft download --resume -- -a");
	check("sft|download|--|--resume", "--resume",
	    "sft download --resume -- --resume");
}

TEST(test_sft_again__leaves_out_what_is_done)
{
	char *argv[] = { "sft", "upload", "a", "b", "--filename", "a", NULL };
	struct args args;
	struct buf b;

	args_init(&args, 6, argv);
	args_note_done(&args, args.argv[2]);
	buf_init(&b, 1024);
	again_command(&args, NULL, &b);
	assert_string_equal(buf_str(&b), "sft upload b --filename a");
	buf_fini(&b);
	args_fini(&args);
}
