/* SPDX-License-Identifier: MIT */
#ifndef BASE_OPT_H
#define BASE_OPT_H

/*
 * Command-line options from a table that also makes the help.  "--name V",
 * "--name=V", "-n V", "-nV"; "--" ends options; options and arguments may
 * mix.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum opt_kind { OPT_FLAG, OPT_STR, OPT_UINT, OPT_SIZE };

struct opt {
	const char *name; /* without "--"; NULL ends the table */
	char letter;      /* 0: none */
	enum opt_kind kind;
	const char *arg; /* what the help calls the value, "FILE" */
	const char *help;
	void *value;       /* bool *, const char **, uint64_t * by kind */
	uint64_t min, max; /* for OPT_UINT and OPT_SIZE */
	bool *given;       /* may be NULL */
};

/*
 * Parses argv[1..] against up to two tables (${more} may be NULL).  What is
 * no option is moved to the front: argv[1 .. *${ret_nargs}].  With
 * ${stop_at_first} it ends at the first argument instead (before a command).
 * ERR_USAGE names the option and what would be valid.
 */
int opt_parse(int argc, char **argv, const struct opt *table,
    const struct opt *more, int *ret_nargs, struct err *err);

/* "  -o, --output FILE   help" lines, aligned, for the terminal. */
void opt_help(const struct opt *table, struct buf *b);

#endif
