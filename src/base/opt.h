/* SPDX-License-Identifier: MIT */
#ifndef BASE_OPT_H
#define BASE_OPT_H

/*
 * Command-line options from a table that also makes the help.  "--name V",
 * "--name=V", "-n V", "-nV", and flags together as "-qv"; "--" ends the
 * options; options and arguments may mix.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum opt_kind { OPT_FLAG, OPT_STR, OPT_UINT, OPT_SIZE, OPT_CHOICE };

/* The value of an OPT_CHOICE: one of a few words. */
struct opt_choice {
	const char *words; /* "name|newest|size" */
	const char *value; /* NULL until the option is given */
};

struct opt {
	const char *name; /* without "--"; NULL ends the table */
	char letter;      /* 0: none */
	enum opt_kind kind;
	const char *arg;   /* what the help calls the value, "FILE" */
	const char *help;  /* NULL: not shown */
	void *value;       /* bool *, const char **, uint64_t *, uint64_t *,
	                    * struct opt_choice * by kind */
	uint64_t min, max; /* for OPT_UINT and OPT_SIZE, max included */
	bool *given;       /* may be NULL */
};

struct opt_input {
	int argc;
	char **argv;
	const struct opt *table;
	const struct opt *more; /* a second table; may be NULL */
	/* End at the first argument (a command, say), which may be followed
	 * by options of its own: all that is left counts as arguments. */
	bool stop_at_first;
	/* Leave options that are in no table among the arguments, and "--"
	 * too, for somebody who knows them. */
	bool keep_unknown;
};

/*
 * Parses argv[1..].  What is no option is moved, in its order, to
 * argv[1 .. *${ret_nargs}], and a NULL put behind.  An option given twice
 * has its last value; strings point into argv.  ERR_USAGE names the option
 * and what would be valid, never an OPT_STR's value; some values may be set
 * then.
 */
int opt_parse(const struct opt_input *in, int *ret_nargs, struct err *err);

/* "  -o, --output FILE  help" lines, aligned and broken at 80 columns. */
void opt_help(const struct opt *table, struct buf *b);

#endif
