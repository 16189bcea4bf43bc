/* SPDX-License-Identifier: MIT */
#ifndef SFT_CLI_H
#define SFT_CLI_H

/*
 * What all commands share: the global options, help, messages, the way to the
 * server, and how the program ends.
 *
 *	cli_begin()  reads the line up to the command and finds it
 *	cmd_x()      calls cli_parse() for the rest of the line, then works
 *	cli_end()    reports what went wrong; the exit status
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/opt.h"
#include "sft/args.h"
#include "sft/fail.h"
#include "sft/http.h"
#include "sft/interrupt.h"
#include "sft/progress.h"

struct cli;

struct command {
	const char *name; /* "upload", or "key new"; NULL ends the table */
	const char *summary;
	/* -1 with err set when it failed as a whole; what failed for one file
	 * of many was told to cli_fail(). */
	int (*run)(struct cli *cli, struct err *err);
};

/* How a command is called. */
struct cli_syntax {
	const char *args; /* "FILE...", for the help and base/complete.h */
	const char *about;
	const struct opt *options; /* may be NULL */
	int min_args;
	int max_args; /* -1: any number */
};

typedef void cli_on_syntax(
    void *arg, const struct command *command, const struct cli_syntax *syntax);

struct cli {
	const struct command *commands;
	const struct command *command; /* NULL: nothing is left to do */

	/* Global options. */
	const char *server;
	const char *key;
	const char *key_file;
	const char *ca;
	uint64_t timeout_s;
	bool json;
	bool quiet;
	bool verbose;
	bool insecure;
	bool help;
	bool version;

	/* The command's arguments, after cli_parse(). */
	int argc;
	char **argv;

	struct args args;
	struct interrupt *interrupt; /* since cli_http() */
	struct progress *progress;   /* likewise */
	struct http *http;
	enum fail_exit exit;
	bool is_told; /* the JSON document is out */

	/* Set where a command is only to show its syntax. */
	cli_on_syntax *on_syntax;
	void *on_syntax_arg;
};

int cli_begin(struct cli *cli, const struct command *commands, int argc,
    char **argv, struct err *err);
/* ${rc} and ${err} as the command left them. */
int cli_end(struct cli *cli, int rc, struct err *err);

/* Parses the command's options (global ones, too) and counts its arguments.
 * 1: help was asked for and given, the command is done; -1: ERR_USAGE.  Every
 * command calls it before it does anything else. */
int cli_parse(
    struct cli *cli, const struct cli_syntax *syntax, struct err *err);

/* Calls ${each} with how every command of the table is called; options' values
 * may not be looked at, but for the words of an OPT_CHOICE. */
void cli_each_syntax(
    const struct command *commands, cli_on_syntax *each, void *arg);

/* Makes the way to the server ready; Ctrl-C is heard from then on. */
int cli_http(struct cli *cli, struct err *err);

/* Asks for ${target} and gives the answer's JSON object: for commands that
 * are one request.  ${body} may be NULL. */
struct cli_ask {
	const char *method;
	const char *target;
	const json_t *body;
};
int cli_ask(struct cli *cli, const struct cli_ask *ask, json_t **ret_json,
    struct err *err);

/* The whole of such a command: prints the answer with ${print}, or with --json
 * as it is. */
int cli_show(struct cli *cli, const struct cli_ask *ask,
    int (*print)(const json_t *answer, struct err *err), struct err *err);

/* "sft: ...", on standard error; what is not printable is replaced. */
void cli_say(struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Reports a failure that concerns ${what} (NULL: the whole), with advice, and
 * remembers the exit status: failures of two kinds are FAIL_FAILED. */
void cli_fail(struct cli *cli, const char *what, const struct err *err);

/* Would another file fail for the same reason? */
bool cli_is_hopeless(const struct err *err);

/* With --json: prints the command's one document. */
int cli_tell(struct cli *cli, const json_t *j, struct err *err);

/* {"success": false, "error": ..., "code": ...} */
json_t *cli_error_json(const struct err *err);

/* Columns for a table on standard output, 0 when it is no terminal. */
size_t cli_width(void);

#endif
