/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "sft/cli_priv.h"
#include "sft/out.h"

#define HELP_MAX (64u * 1024)
#define NAME_COLUMNS 12

void
cli_globals(struct cli *cli, struct opt ret_table[CLI_GLOBALS])
{
	const struct opt table[CLI_GLOBALS] = {
		{ "server", 0, OPT_STR, "URL",
		    "the server (SFT_SERVER; " CLI_SERVER_DEFAULT ")",
		    &cli->server, 0, 0, NULL },
		{ "key", 0, OPT_STR, "KEY",
		    "an API key (SFT_API_KEY); it is masked in the process "
		    "list",
		    &cli->key, 0, 0, NULL },
		{ "key-file", 0, OPT_STR, "FILE", "a file that holds the key",
		    &cli->key_file, 0, 0, NULL },
		{ "json", 0, OPT_FLAG, NULL,
		    "one JSON document on standard output, nothing else there",
		    &cli->json, 0, 0, NULL },
		{ "quiet", 'q', OPT_FLAG, NULL,
		    "no progress, no word when all went well", &cli->quiet, 0,
		    0, NULL },
		{ "verbose", 'v', OPT_FLAG, NULL,
		    "show requests on standard error", &cli->verbose, 0, 0,
		    NULL },
		{ "ca", 0, OPT_STR, "FILE",
		    "trust the certificate authorities in FILE (SFT_CA)",
		    &cli->ca, 0, 0, NULL },
		{ "insecure", 0, OPT_FLAG, NULL, "trust any certificate",
		    &cli->insecure, 0, 0, NULL },
		{ "timeout", 0, OPT_UINT, "SECONDS",
		    "give up when nothing moved for so long (30)",
		    &cli->timeout_s, 1, CLI_TIMEOUT_MAX, NULL },
		{ "help", 'h', OPT_FLAG, NULL, "show this, or a command's help",
		    &cli->help, 0, 0, NULL },
		{ "version", 0, OPT_FLAG, NULL, "show the version",
		    &cli->version, 0, 0, NULL },
		{ 0 },
	};

	memcpy(ret_table, table, sizeof(table));
}

static void
add_globals(struct cli *cli, struct buf *b)
{
	struct opt globals[CLI_GLOBALS];

	cli_globals(cli, globals);
	buf_append_str(b, "\nGlobal options, before or after the command:\n");
	opt_help(globals, b);
}

static int
print(struct buf *b, struct err *err)
{
	int rc = out_text(b, err);

	buf_fini(b);
	return rc;
}

static void
add_command(struct buf *b, const struct command *c)
{
	buf_printf(b, "  %-*s  %s\n", NAME_COLUMNS, c->name, c->summary);
}

int
cli_help_all(struct cli *cli, struct err *err)
{
	const struct command *c;
	struct buf b;

	buf_init(&b, HELP_MAX);
	buf_append_str(&b,
	    "Usage: sft [OPTION]... COMMAND [OPTION]... [ARGUMENT]...\n"
	    "Moves files to and from a Smart File Transfer server.\n"
	    "\nCommands ('sft COMMAND --help' tells more):\n");
	for (c = cli->commands; c->name != NULL; c++)
		add_command(&b, c);
	add_globals(cli, &b);
	buf_append_str(&b,
	    "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 server not "
	    "reached,\n4 no such file, 5 not allowed, 130 interrupted.\n");
	return print(&b, err);
}

int
cli_help_group(struct cli *cli, const char *group, struct err *err)
{
	size_t n = strlen(group);
	const struct command *c;
	struct buf b;

	buf_init(&b, HELP_MAX);
	buf_printf(&b,
	    "Usage: sft %s COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n",
	    group);
	for (c = cli->commands; c->name != NULL; c++) {
		if (strncmp(c->name, group, n) == 0 && c->name[n] == ' ')
			add_command(&b, c);
	}
	add_globals(cli, &b);
	return print(&b, err);
}

int
cli_help_command(
    struct cli *cli, const struct cli_syntax *syntax, struct err *err)
{
	struct buf b;

	buf_init(&b, HELP_MAX);
	buf_printf(&b, "Usage: sft %s [OPTION]...%s%s\n\n%s",
	    cli->command->name, syntax->args[0] == '\0' ? "" : " ",
	    syntax->args, syntax->about);
	if (syntax->options != NULL) {
		buf_append_str(&b, "\nOptions:\n");
		opt_help(syntax->options, &b);
	}
	add_globals(cli, &b);
	return print(&b, err);
}
