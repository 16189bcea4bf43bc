/* SPDX-License-Identifier: MIT */
#include "base/complete.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static const struct opt globals[] = {
	{ .name = "at", .kind = OPT_STR, .arg = "URL", .help = "a [b]: c's" },
	{ .name = NULL },
};

/* The script for a program of a few commands. */
static char *
script(const char *shell, bool has_names)
{
	struct complete_program program = { "p", globals, has_names };
	struct opt_choice order = { .words = "up|down" };
	const struct opt options[] = {
		{ .name = "order",
		    .letter = 'o',
		    .kind = OPT_CHOICE,
		    .arg = "ORDER",
		    .help = "which way",
		    .value = &order },
		{ .name = NULL },
	};
	const struct complete_command commands[] = {
		{ "send", "send it", "FILE|DIR... [NAME]", options },
		{ "key new", "make one", "", NULL },
		{ "shell", "choose one", "one|two", NULL },
		{ "key list", "list them", "PREFIX ID", NULL },
	};
	struct complete *c = complete_new(shell, &program);
	struct buf b;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		complete_add(c, &commands[i]);
	buf_init(&b, SIZE_MAX);
	complete_write(c, &b);
	complete_free(c);
	text = buf_take(&b);
	assert_non_null(text);
	return text;
}

/* ${wanted}, ended by NULL, are all in the script. */
static void
check(const char *shell, bool has_names, const char *const *wanted)
{
	char *text = script(shell, has_names);

	for (; *wanted != NULL; wanted++) {
		if (strstr(text, *wanted) == NULL)
			fail_msg("no %s in %s", *wanted, text);
	}
	free(text);
}

TEST(test_base_complete__knows_its_shells)
{
	assert_true(complete_knows("bash"));
	assert_true(complete_knows("zsh"));
	assert_true(complete_knows("fish"));
	assert_false(complete_knows("tcsh"));
	assert_false(complete_knows(""));
	complete_free(NULL);
}

TEST(test_base_complete__bash)
{
	static const char *const with[] = {
		"complete -F _p p\n",
		"--)\n\t\toptions='\n\t\t\t--at=@'",
		"commands=' send key shell'",
		"'key')\n\t\tcommands=' new list'",
		"'send')\n\t\targs='@file... @name'",
		"--order=up|down\n\t\t\t-o=up|down'",
		"'shell')\n\t\targs='one|two'",
		"'key list')\n\t\targs='@name @'",
		NULL,
	};
	static const char *const without[] = { "args='@file... @'",
		"args='@ @'", NULL };

	check("bash", true, with);
	check("bash", false, without);
}

TEST(test_base_complete__zsh)
{
	static const char *const with[] = {
		"#compdef p\n",
		"'--at=[a \\[b\\]\\: c'\\''s]:URL: '",
		"'key:new, list'",
		"'(-o --order)-o+[which way]:ORDER:(up down)'",
		"'(-o --order)--order=[which way]:ORDER:(up down)'",
		"'*:FILE:_files'",
		"'2::NAME:__sft_names'",
		"'1:one|two:(one two)'",
		"_p_command_key_list()\n",
		NULL,
	};

	check("zsh", true, with);
}

TEST(test_base_complete__fish)
{
	static const char *const with[] = {
		"set -g __sft_valued_p --at\n",
		"set -g __sft_groups_p key\n",
		"complete -c p -l at -x -d 'a [b]: c\\'s'\n",
		"complete -c p -n '__sft_is p' -a key -d 'new, list'\n",
		"complete -c p -n '__sft_is p key' -a list -d 'list them'\n",
		"complete -c p -n '__sft_is p send' -F\n",
		"complete -c p -n '__sft_is p send' -l order -s o -x -a ",
		" -x -a 'up down' -d 'which way'\n",
		"complete -c p -n '__sft_is p key list' -a '(__sft_names)'\n",
		"complete -c p -n '__sft_is p shell' -a 'one two'\n",
		NULL,
	};

	check("fish", true, with);
}
