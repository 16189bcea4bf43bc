/* SPDX-License-Identifier: MIT */
#include "sft/again.h"

#include <stdbool.h>
#include <string.h>

/* What no shell takes for something else. */
#define PLAIN                                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"       \
	"%+,-./:=@_"

#define KEY "--key"

/* A longer one is cut. */
#define COMMAND_MAX 8192u

static void
add_quoted(struct buf *b, const char *word)
{
	if (word[0] != '\0' && word[strspn(word, PLAIN)] == '\0') {
		buf_append_str(b, word);
		return;
	}
	buf_append_char(b, '\'');
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_append_str(b, "'\\''");
		else
			buf_append_char(b, *word);
	}
	buf_append_char(b, '\'');
}

static bool
has(const struct args *args, const char *word)
{
	int i;

	for (i = 1; i < args->argc; i++) {
		if (strcmp(args->all[i], word) == 0)
			return true;
		if (strcmp(args->all[i], "--") == 0)
			break;
	}
	return false;
}

static void
add_extra(struct buf *b, const char *extra)
{
	buf_append_char(b, ' ');
	buf_append_str(b, extra);
}

void
again_command(const struct args *args, const char *extra, struct buf *b)
{
	bool is_wanted = extra != NULL && !has(args, extra);
	bool is_key = false;
	int i;

	buf_append_str(b, "sft");
	for (i = 1; i < args->argc; i++) {
		if (is_wanted && strcmp(args->all[i], "--") == 0) {
			add_extra(b, extra);
			is_wanted = false;
		}
		if (args->done[i])
			continue;
		buf_append_char(b, ' ');
		if (is_key)
			buf_append_str(b, "KEY");
		else if (strncmp(args->all[i], KEY "=", sizeof(KEY)) == 0)
			buf_append_str(b, KEY "=KEY");
		else
			add_quoted(b, args->all[i]);
		is_key = !is_key && strcmp(args->all[i], KEY) == 0;
	}
	if (is_wanted)
		add_extra(b, extra);
}

void
again_say(struct cli *cli, const char *what, const char *extra)
{
	struct buf b;

	buf_init(&b, COMMAND_MAX);
	again_command(&cli->args, extra, &b);
	cli_say(cli, "%s; this goes on with the rest: %s", what, buf_str(&b));
	buf_fini(&b);
}
