/* SPDX-License-Identifier: MIT */
#include "sft/cli.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "sft/cli_priv.h"
#include "sft/nearest.h"
#include "sft/out.h"
#include "sft/term.h"
#include "sft/text.h"

#define MESSAGE_MAX (16u * 1024)

/* What the environment says, an empty value being none. */
static const char *
from_environment(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

static int
print_version(struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	buf_append_str(&b, "sft " SFT_VERSION "\n");
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* Parses the global options up to the next word. */
static int
parse_globals(struct cli *cli, struct err *err)
{
	struct opt globals[CLI_GLOBALS];
	struct opt_input in = {
		.argc = cli->argc,
		.argv = cli->argv,
		.table = globals,
		.stop_at_first = true,
	};
	int n;

	cli_globals(cli, globals);
	if (opt_parse(&in, &n, err) < 0)
		return -1;
	cli->argc = n + 1;
	return 0;
}

static void
shift(struct cli *cli)
{
	cli->argc--;
	cli->argv++;
}

/* The command "${group} ${word}", or "${word}" without a group. */
static const struct command *
find(const struct cli *cli, const char *group, const char *word)
{
	const struct command *c;
	const char *name;
	size_t n = group == NULL ? 0 : strlen(group);

	for (c = cli->commands; c->name != NULL; c++) {
		name = c->name;
		if (n > 0 && (strncmp(name, group, n) != 0 || name[n] != ' '))
			continue;
		if (strcmp(n > 0 ? name + n + 1 : name, word) == 0)
			return c;
	}
	return NULL;
}

static bool
is_group(const struct cli *cli, const char *word)
{
	const struct command *c;
	size_t n = strlen(word);

	for (c = cli->commands; c->name != NULL; c++) {
		if (strncmp(c->name, word, n) == 0 && c->name[n] == ' ')
			return true;
	}
	return false;
}

static int
no_such_command(const struct cli *cli, const char *word, struct err *err)
{
	const struct command *c;

	for (c = cli->commands; c->name != NULL; c++) {
		if (nearest_is_like(word, c->name))
			return err_set(err, ERR_USAGE,
			    "there is no command '%.64s'; did you mean '%s'? "
			    "'sft --help' lists them",
			    word, c->name);
	}
	return err_set(err, ERR_USAGE,
	    "there is no command '%.64s'; 'sft --help' lists them", word);
}

/* "help upload" is "upload --help". */
static int
take_help(struct cli *cli, struct err *err)
{
	if (cli->argc < 2 || strcmp(cli->argv[1], "help") != 0)
		return 0;
	cli->help = true;
	shift(cli);
	return parse_globals(cli, err);
}

static int
find_in_group(struct cli *cli, const char *group, struct err *err)
{
	if (parse_globals(cli, err) < 0)
		return -1;
	if (cli->argc < 2) {
		if (cli->help)
			return cli_help_group(cli, group, err);
		return err_set(err, ERR_USAGE,
		    "'%s' needs a command; 'sft %s --help' lists them", group,
		    group);
	}
	cli->command = find(cli, group, cli->argv[1]);
	if (cli->command == NULL)
		return err_set(err, ERR_USAGE,
		    "there is no command '%s %.64s'; 'sft %s --help' lists "
		    "them",
		    group, cli->argv[1], group);
	shift(cli);
	return 0;
}

int
cli_begin(struct cli *cli, const struct command *commands, int argc,
    char **argv, struct err *err)
{
	const char *word;

	memset(cli, 0, sizeof(*cli));
	args_init(&cli->args, argc, argv);
	/* a reader that goes away is an error, not the end */
	(void)signal(SIGPIPE, SIG_IGN);
	cli->commands = commands;
	cli->server = from_environment("SFT_SERVER");
	cli->ca = from_environment("SFT_CA");
	cli->timeout_s = CLI_TIMEOUT_DEFAULT;
	cli->argc = cli->args.argc;
	cli->argv = cli->args.argv;
	if (parse_globals(cli, err) < 0 || take_help(cli, err) < 0)
		return -1;
	if (cli->version)
		return print_version(err);
	if (cli->argc < 2 && cli->help)
		return cli_help_all(cli, err);
	if (cli->argc < 2)
		return err_set(
		    err, ERR_USAGE, "which command? 'sft --help' lists them");
	word = cli->argv[1];
	shift(cli);
	cli->command = find(cli, NULL, word);
	if (cli->command == NULL && is_group(cli, word))
		return find_in_group(cli, word, err);
	return cli->command == NULL ? no_such_command(cli, word, err) : 0;
}

int
cli_parse(struct cli *cli, const struct cli_syntax *syntax, struct err *err)
{
	static const struct opt none[] = { { 0 } };
	struct opt globals[CLI_GLOBALS];
	struct opt_input in = {
		.argc = cli->argc,
		.argv = cli->argv,
		.table = syntax->options == NULL ? none : syntax->options,
		.more = globals,
	};
	int n;

	if (cli->on_syntax != NULL) {
		cli->on_syntax(cli->on_syntax_arg, cli->command, syntax);
		return 1;
	}
	cli_globals(cli, globals);
	if (opt_parse(&in, &n, err) < 0)
		return -1;
	if (cli->version)
		return print_version(err) < 0 ? -1 : 1;
	if (cli->help)
		return cli_help_command(cli, syntax, err) < 0 ? -1 : 1;
	cli->argc = n;
	cli->argv++;
	if (n < syntax->min_args)
		return err_set(err, ERR_USAGE, "'sft %s' needs %s",
		    cli->command->name, syntax->args);
	if (syntax->max_args >= 0 && n > syntax->max_args)
		return err_set(err, ERR_USAGE,
		    "'%s' has no use for the argument '%.100s'",
		    cli->command->name, cli->argv[syntax->max_args]);
	return 0;
}

void
cli_each_syntax(const struct command *commands, cli_on_syntax *each, void *arg)
{
	struct cli cli = {
		.commands = commands,
		.on_syntax = each,
		.on_syntax_arg = arg,
	};
	struct err err = ERR_INIT;

	for (cli.command = commands; cli.command->name != NULL; cli.command++)
		(void)cli.command->run(&cli, &err);
}

/* On standard error, with the progress line out of the way. */
static void
put(struct cli *cli, const struct buf *b)
{
	if (cli->progress != NULL)
		progress_hide(cli->progress);
	(void)file_write_all(STDERR_FILENO, b->p, b->len, NULL);
}

void
cli_say(struct cli *cli, const char *fmt, ...)
{
	struct buf text, line;
	va_list ap;

	buf_init(&text, MESSAGE_MAX);
	buf_init(&line, MESSAGE_MAX);
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_append_str(&line, "sft: ");
	text_clean(&line, buf_slice(&text));
	buf_append_char(&line, '\n');
	put(cli, &line);
	buf_fini(&line);
	buf_fini(&text);
}

/* Under the message, broken where a terminal ends. */
static void
advise(struct cli *cli, const char *advice)
{
	const struct text_block block = {
		.indent = sizeof("sft: ") - 1,
		.columns = isatty(STDERR_FILENO) ? term_columns(STDERR_FILENO)
		                                 : SIZE_MAX,
	};
	struct buf b;

	buf_init(&b, MESSAGE_MAX);
	text_wrap(&b, advice, block);
	put(cli, &b);
	buf_fini(&b);
}

void
cli_fail(struct cli *cli, const char *what, const struct err *err)
{
	enum fail_exit code = fail_exit_of(err->code);
	const char *advice = fail_advice(err->code);

	if (cli->exit == FAIL_NONE || code == FAIL_INTERRUPTED)
		cli->exit = code;
	else if (cli->exit != code)
		cli->exit = FAIL_FAILED;
	/* Who closes our output has seen enough of it. */
	if (out_is_gone(err))
		return;
	cli_say(cli, "%s%s%s", what == NULL ? "" : what,
	    what == NULL ? "" : ": ", err->msg);
	if (advice != NULL)
		advise(cli, advice);
	if (err->code != ERR_USAGE || what != NULL)
		return;
	if (cli->command != NULL)
		cli_say(cli, "see 'sft %s --help'", cli->command->name);
	else if (strstr(err->msg, "--help") == NULL)
		cli_say(cli, "see 'sft --help'");
}

bool
cli_is_hopeless(const struct err *err)
{
	enum fail_exit code = fail_exit_of(err->code);

	return code == FAIL_UNREACHABLE || code == FAIL_NOT_ALLOWED ||
	       code == FAIL_INTERRUPTED;
}

json_t *
cli_error_json(const struct err *err)
{
	json_t *j = json_object();

	json_object_set_new(j, "success", json_false());
	json_object_set_new(j, "error", json_str_or_null(err->msg));
	json_object_set_new(j, "code", json_string(err_code_name(err->code)));
	return j;
}

int
cli_tell(struct cli *cli, const json_t *j, struct err *err)
{
	cli->is_told = true;
	return out_json(j, false, err);
}

size_t
cli_width(void)
{
	return isatty(STDOUT_FILENO) ? term_columns(STDOUT_FILENO) : 0;
}

/* A shell shows a program that a signal ended so. */
static int
exit_status(struct cli *cli)
{
	if (cli->exit == FAIL_INTERRUPTED && cli->interrupt != NULL &&
	    interrupt_signal(cli->interrupt) != 0)
		return 128 + interrupt_signal(cli->interrupt);
	return (int)cli->exit;
}

int
cli_end(struct cli *cli, int rc, struct err *err)
{
	json_t *j;
	int status;

	if (rc < 0)
		cli_fail(cli, NULL, err);
	if (rc < 0 && cli->json && !cli->is_told) {
		j = cli_error_json(err);
		(void)out_json(j, false, NULL);
		json_decref(j);
	}
	status = exit_status(cli);
	progress_free(cli->progress);
	http_close(cli->http);
	interrupt_close(cli->interrupt);
	args_fini(&cli->args);
	return status;
}
