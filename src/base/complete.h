/* SPDX-License-Identifier: MIT */
#ifndef BASE_COMPLETE_H
#define BASE_COMPLETE_H

/*
 * Scripts that complete a program's command line in a shell, made from the
 * tables that the program itself parses it by.
 *
 * What completes an argument follows from how the help calls it: FILE and
 * PATH are files here, DIR is a folder, NAME and PREFIX are files on the
 * server; "bash|zsh|fish" are words, as those of an OPT_CHOICE are.  "..." at
 * its end repeats the last one, and "FILE|DIR" is the first of them.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/opt.h"

/* The shells, for an OPT_CHOICE. */
#define COMPLETE_SHELLS "bash|zsh|fish"

struct complete_program {
	const char *name;          /* "sft" */
	const struct opt *globals; /* before and after every command */
	bool has_names; /* its "ls" tells which files are on the server */
};

/* One command: "upload", or "new" of the group "key" as "key new". */
struct complete_command {
	const char *name;
	const char *summary;
	const char *args;          /* "FILE...", as the help has them */
	const struct opt *options; /* its own ones; NULL: none */
};

struct complete;

/* Is there a script for ${shell}? */
bool complete_knows(const char *shell);

/* A script to be, for a shell of COMPLETE_SHELLS.  ${program} and all that
 * hangs on it must outlive it. */
struct complete *complete_new(
    const char *shell, const struct complete_program *program);
void complete_free(struct complete *c); /* NULL is fine */

/* Adds a command.  Its options may be gone afterwards; its name and summary
 * must stay. */
void complete_add(struct complete *c, const struct complete_command *command);

/* Appends the script. */
void complete_write(struct complete *c, struct buf *b);

#endif
