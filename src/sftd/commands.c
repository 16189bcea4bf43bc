/* SPDX-License-Identifier: MIT */
#include "sftd/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/opt.h"
#include "sftd/check.h"
#include "sftd/server.h"
#include "sftd/supervisor.h"

struct flags {
	const char *config;
	bool help;
	bool version;
	bool print_config;
	bool check;
};

static void
fill(struct opt table[6], struct flags *f)
{
	const struct opt t[6] = {
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
		{ .name = NULL },
	};

	memcpy(table, t, sizeof(t));
}

static void
print_help(const struct opt *table)
{
	struct buf b;

	buf_init(&b, 256u * 1024);
	(void)buf_append_str(&b,
	    "Usage: sftd [options]\n"
	    "\n"
	    "Serves files over HTTP: uploads, downloads, their progress.\n"
	    "\n"
	    "Options:\n");
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
commands_fini(struct commands_input *in)
{
	settings_fini(&in->settings);
	for (char **p = in->args; p != NULL && *p != NULL; p++) {
		mem_wipe(*p, strlen(*p));
		free(*p);
	}
	free(in->args);
}

static int
complain(const struct err *e, int status)
{
	(void)fprintf(stderr, "sftd: %s\n", e->msg);
	return status;
}

/* Parses options, then settings from what is left. */
static int
load(int argc, char **argv, struct flags *f, struct settings *ret,
    struct err *err)
{
	struct opt table[6];
	struct opt_input in = {
		.argc = argc,
		.argv = argv,
		.table = table,
		.keep_unknown = true,
	};
	struct settings_input si = { .env = environ, .argv = argv };
	int nargs;

	fill(table, f);
	if (opt_parse(&in, &nargs, err) < 0)
		return -1;
	if (f->help) {
		print_help(table);
		return 0;
	}
	if (f->version) {
		(void)printf("sftd %s\n", SFT_VERSION);
		return 0;
	}
	si.config = f->config;
	si.argc = nargs + 1;
	if (settings_load(ret, &si, &nargs, err) < 0)
		return -1;
	if (nargs > 0) {
		settings_fini(ret);
		return err_set(err, ERR_USAGE,
		    "'%s' is no option and no command of sftd; see sftd "
		    "--help",
		    argv[1]);
	}
	return 0;
}

int
commands_parse(
    int argc, char **argv, struct commands_input *ret, int *ret_status)
{
	struct flags f = { 0 };
	struct err e = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	/* Secrets among the options are overwritten in argv while they are
	 * read; the copy is what our child is started with. */
	ret->args = copy_args(argv);
	if (load(argc, argv, &f, &ret->settings, &e) < 0) {
		commands_fini(ret);
		*ret_status = complain(
		    &e, e.code == ERR_USAGE ? COMMANDS_USAGE : COMMANDS_FAILED);
		return -1;
	}
	if (f.help || f.version || f.print_config) {
		if (f.print_config && !f.help && !f.version)
			print_settings(&ret->settings);
		commands_fini(ret);
		*ret_status = COMMANDS_OK;
		return -1;
	}
	if (f.check)
		ret->run = check_run;
	else if (supervisor_is_wanted(&ret->settings))
		ret->run = supervisor_run;
	else
		ret->run = server_run;
	return 0;
}
