/* SPDX-License-Identifier: MIT */
#include "sftd/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/opt.h"
#include "sftd/check.h"
#include "sftd/cmd_key.h"
#include "sftd/cmd_rotate.h"
#include "sftd/cmd_verify.h"
#include "sftd/completion.h"
#include "sftd/server.h"
#include "sftd/supervisor.h"

#define FLAGS 6 /* options that are no settings */

struct flags {
	const char *config;
	bool help;
	bool version;
	bool print_config;
	bool check;
	struct opt_choice completion;
};

static void
fill(struct opt table[FLAGS + 1], struct flags *f)
{
	const struct opt t[FLAGS + 1] = {
		{ .name = "config",
		    .kind = OPT_STR,
		    .arg = "FILE",
		    .help = "read settings from FILE (NAME=value lines)",
		    .value = &f->config },
		{ .name = "help",
		    .letter = 'h',
		    .kind = OPT_FLAG,
		    .help = "show this and end",
		    .value = &f->help },
		{ .name = "version",
		    .kind = OPT_FLAG,
		    .help = "show the version and end",
		    .value = &f->version },
		{ .name = "print-config",
		    .kind = OPT_FLAG,
		    .help = "show the settings in force (secrets masked) and "
		            "end",
		    .value = &f->print_config },
		{ .name = "check",
		    .kind = OPT_FLAG,
		    .help = "check settings, directory and database, and end",
		    .value = &f->check },
		{ .name = "completion",
		    .kind = OPT_CHOICE,
		    .arg = "SHELL",
		    .help = "print the script with which bash, zsh or fish "
		            "completes the command line of sftd, and end",
		    .value = &f->completion },
		{ .name = NULL },
	};

	memcpy(table, t, sizeof(t));
}

/* --- commands --------------------------------------------------------------
 */

/* Bytes a second that `verify` reads when nobody says otherwise: a disk has
 * time for others. */
#define VERIFY_RATE ((uint64_t)200 * 1024 * 1024)

#define OPTIONS_MAX 5 /* of a command, and the end */

static void
fill_verify(struct opt table[OPTIONS_MAX], struct commands_input *in)
{
	struct commands_verify *v = &in->verify;
	const struct opt t[] = {
		{ .name = "file",
		    .kind = OPT_STR,
		    .arg = "NAME",
		    .help = "check this file only",
		    .value = &v->file },
		{ .name = "rate",
		    .kind = OPT_SIZE,
		    .arg = "BYTES",
		    .help = "read at most so many bytes a second, as 50M "
		            "(default 200M; 0: no limit)",
		    .value = &v->rate,
		    .max = UINT64_MAX / 2 },
		{ .name = "repair-records",
		    .kind = OPT_FLAG,
		    .help = "make records of stored files that have none, "
		            "first",
		    .value = &v->repair_records },
		{ .name = NULL },
	};

	memcpy(table, t, sizeof(t));
}

static void
fill_key(struct opt table[OPTIONS_MAX], struct commands_input *in)
{
	struct commands_key *k = &in->key;
	const struct opt t[] = {
		{ .name = "scopes",
		    .kind = OPT_STR,
		    .arg = "LIST",
		    .help = "what it opens: a comma list of read, write and "
		            "admin, which is all (default read,write)",
		    .value = &k->scopes },
		{ .name = "name",
		    .kind = OPT_STR,
		    .arg = "NAME",
		    .help = "what to call it in lists",
		    .value = &k->name },
		{ .name = "expires",
		    .kind = OPT_STR,
		    .arg = "TIME",
		    .help = "how long it is good for, as 12h or 30d (default: "
		            "until it is revoked)",
		    .value = &k->expires },
		{ .name = "prefix",
		    .kind = OPT_STR,
		    .arg = "PREFIX",
		    .help = "it knows only names that begin so, as team-a/",
		    .value = &k->prefix },
		{ .name = NULL },
	};

	memcpy(table, t, sizeof(t));
}

static const struct command {
	const char *name;
	const char *verb;  /* that must follow; NULL: none */
	const char *help;  /* for the list */
	const char *about; /* for its own help */
	/* Its options; NULL: none. */
	void (*fill)(struct opt table[OPTIONS_MAX], struct commands_input *in);
	int (*run)(struct commands_input *in);
} commands[] = {
	{ "verify", NULL, "check every stored file",
	    "Checks the stored bytes of every file, a server running or not: "
	    "a line for each\nthat is damaged, lost or unreadable.  Exit "
	    "status 0 when all are sound, else 1.",
	    fill_verify, cmd_verify },
	{ "key", "new", "make an API key",
	    "Makes an API key, a server running or not, and writes it to "
	    "standard output, this\nonce.  A running server knows it at once.  "
	    "For who has no admin key at hand; with\none, see POST "
	    "/generate_key and sft key.",
	    fill_key, cmd_key },
	{ "rotate-key", NULL, "re-wrap all encrypted files to the current key",
	    "Re-wraps the key of every encrypted file to ENCRYPTION_KEY; can "
	    "be stopped and run\nagain at any time.  A running server has to "
	    "be restarted first, with the new key\nin ENCRYPTION_KEY and the "
	    "old one in ENCRYPTION_KEY_PREVIOUS.",
	    NULL, cmd_rotate },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (name != NULL && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
print_command_help(const struct command *c)
{
	struct commands_input ignored;
	struct opt table[OPTIONS_MAX];
	struct buf b;

	buf_init(&b, 64u * 1024);
	buf_printf(&b, "Usage: sftd %s%s%s [options]\n\n%s\n", c->name,
	    c->verb == NULL ? "" : " ", c->verb == NULL ? "" : c->verb,
	    c->about);
	if (c->fill != NULL) {
		(void)buf_append_str(&b, "\nOptions:\n");
		c->fill(table, &ignored);
		opt_help(table, &b);
	}
	(void)buf_append_str(&b,
	    "\nSettings may be given as for the server, see sftd --help.\n");
	(void)fputs(buf_str(&b), stdout);
	buf_fini(&b);
}

/* The options of command ${argv}[1], from what is left of the arguments. */
static int
take_command(int nargs, char **argv, struct commands_input *in,
    const struct command **ret, struct err *err)
{
	const struct command *c = nargs > 0 ? find_command(argv[1]) : NULL;
	struct opt table[OPTIONS_MAX] = { { .name = NULL } };
	struct opt_input oi = {
		.argc = nargs,
		.argv = argv + 1,
		.table = table,
	};
	int rest, first = 1;

	*ret = c;
	if (nargs == 0)
		return 0;
	if (c == NULL)
		return err_set(err, ERR_USAGE,
		    "'%s' is no option and no command of sftd; see sftd "
		    "--help",
		    argv[1]);
	in->verify.rate = VERIFY_RATE;
	if (c->fill != NULL)
		c->fill(table, in);
	if (opt_parse(&oi, &rest, err) < 0)
		return -1;
	if (c->verb != NULL) {
		if (rest == 0 || strcmp(oi.argv[1], c->verb) != 0)
			return err_set(err, ERR_USAGE,
			    "it must be 'sftd %s %s'; see sftd %s --help",
			    c->name, c->verb, c->name);
		first = 2;
	}
	if (rest >= first)
		return err_set(err, ERR_USAGE,
		    "'sftd %s' takes no '%s'; see sftd %s --help", c->name,
		    oi.argv[first], c->name);
	return 0;
}

static void
print_help(const struct opt *table)
{
	struct buf b;

	buf_init(&b, 256u * 1024);
	(void)buf_append_str(&b,
	    "Usage: sftd [options] [command]\n"
	    "\n"
	    "Serves files over HTTP: uploads, downloads, their progress.\n"
	    "\n"
	    "Commands (none: serve; sftd COMMAND --help says more):\n");
	for (size_t i = 0; i < COMMANDS; i++)
		buf_printf(
		    &b, "  %-12s  %s\n", commands[i].name, commands[i].help);
	(void)buf_append_str(&b, "\nOptions:\n");
	opt_help(table, &b);
	(void)buf_append_str(&b,
	    "\nSettings.  --server-port is SERVER_PORT in the environment and "
	    "in the file,\nand so on; options go before the environment, and "
	    "that before the file:\n");
	settings_help(&b);
	(void)fputs(buf_str(&b), stdout);
	buf_fini(&b);
}

static void
print_completion(const struct opt *table, const char *shell)
{
	struct complete_command all[COMMANDS];
	struct completion_input in = { shell, table, all, 0 };
	struct opt options[COMMANDS][OPTIONS_MAX];
	struct commands_input ignored;
	struct buf b;

	for (; in.n < COMMANDS; in.n++) {
		if (commands[in.n].fill != NULL)
			commands[in.n].fill(options[in.n], &ignored);
		all[in.n] = (struct complete_command){
			.name = commands[in.n].name,
			.summary = commands[in.n].help,
			.args = "",
			.options =
			    commands[in.n].fill == NULL ? NULL : options[in.n],
		};
	}
	buf_init(&b, 1024u * 1024);
	completion_write(&in, &b);
	(void)fputs(buf_str(&b), stdout);
	buf_fini(&b);
}

static void
print_settings(const struct settings *s)
{
	struct buf b;

	buf_init(&b, 64u * 1024);
	settings_print(s, &b);
	(void)fputs(buf_str(&b), stdout);
	buf_fini(&b);
}

static char **
copy_args(char **argv)
{
	size_t n = 0;
	char **copy;

	while (argv[n] != NULL)
		n++;
	copy = mem_calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(argv[i]);
	return copy;
}

void
commands_forget_args(struct commands_input *in)
{
	for (char **p = in->args; p != NULL && *p != NULL; p++) {
		mem_wipe(*p, strlen(*p));
		free(*p);
	}
	free(in->args);
	in->args = NULL;
}

void
commands_fini(struct commands_input *in)
{
	settings_fini(&in->settings);
	commands_forget_args(in);
}

static int
complain(const struct err *e, int status)
{
	(void)fprintf(stderr, "sftd: %s\n", e->msg);
	return status;
}

/* Without settings. */
static bool
is_answered(const struct flags *f)
{
	return f->help || f->version || f->completion.value != NULL;
}

/* Parses options, then settings from what is left. */
static int
load(int argc, char **argv, struct flags *f, struct commands_input *ret,
    struct err *err)
{
	struct opt table[FLAGS + 1];
	struct opt_input in = {
		.argc = argc,
		.argv = argv,
		.table = table,
		.keep_unknown = true,
	};
	struct settings_input si = { .env = environ, .argv = argv };
	const struct command *command;
	int nargs;

	fill(table, f);
	if (opt_parse(&in, &nargs, err) < 0)
		return -1;
	if (f->help) {
		/* Settings may stand before it. */
		command = NULL;
		for (int i = 1; i <= nargs && command == NULL; i++)
			command = find_command(argv[i]);
		if (command != NULL)
			print_command_help(command);
		else
			print_help(table);
		return 0;
	}
	if (f->completion.value != NULL) {
		print_completion(table, f->completion.value);
		return 0;
	}
	if (f->version) {
		(void)printf("sftd %s\n", SFT_VERSION);
		return 0;
	}
	si.config = f->config;
	si.argc = nargs + 1;
	if (settings_load(&ret->settings, &si, &nargs, err) < 0)
		return -1;
	if (take_command(nargs, argv, ret, &command, err) < 0) {
		settings_fini(&ret->settings);
		return -1;
	}
	if (command != NULL)
		ret->run = command->run;
	return 0;
}

/* What was printed counts when it is out. */
static int
end_output(void)
{
	struct err e = ERR_INIT;

	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return COMMANDS_OK;
	err_set(
	    &e, ERR_IO, "cannot write to standard output: %s", strerror(errno));
	return complain(&e, COMMANDS_FAILED);
}

int
commands_parse(
    int argc, char **argv, struct commands_input *ret, int *ret_status)
{
	struct flags f = { .completion = { .words = COMPLETE_SHELLS } };
	struct err e = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	/* Secrets among the options are overwritten in argv while they are
	 * read; the copy is what our child is started with. */
	ret->args = copy_args(argv);
	if (load(argc, argv, &f, ret, &e) < 0) {
		commands_fini(ret);
		*ret_status = complain(
		    &e, e.code == ERR_USAGE ? COMMANDS_USAGE : COMMANDS_FAILED);
		return -1;
	}
	if (is_answered(&f) || f.print_config) {
		if (!is_answered(&f))
			print_settings(&ret->settings);
		commands_fini(ret);
		*ret_status = end_output();
		return -1;
	}
	if (ret->run != NULL)
		return 0;
	if (f.check) {
		ret->run = check_run;
		return 0;
	}
	ret->serves = true;
	if (supervisor_is_wanted(&ret->settings))
		ret->run = supervisor_run;
	else
		ret->run = server_run;
	return 0;
}
