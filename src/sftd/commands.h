/* SPDX-License-Identifier: MIT */
#ifndef SFTD_COMMANDS_H
#define SFTD_COMMANDS_H

/* What `sftd` was asked to do: its options, settings and commands. */

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"

/* Exit statuses. */
#define COMMANDS_OK 0
#define COMMANDS_FAILED 1
#define COMMANDS_USAGE 2

/* Options of `sftd verify`. */
struct commands_verify {
	const char *file; /* NULL: all */
	bool repair_records;
	uint64_t rate; /* bytes a second; 0: no limit */
};

/* Options of `sftd key new`; strings point into argv. */
struct commands_key {
	const char *name;    /* NULL: none */
	const char *scopes;  /* "read,write"; NULL: these two */
	const char *expires; /* "30d"; NULL: never */
	const char *prefix;  /* NULL: none */
};

struct commands_input {
	struct settings settings;
	char **args; /* the original argv, copied, for starting ourselves */
	struct commands_verify verify;
	struct commands_key key;
	bool serves; /* and so has its own way to RUN_AS */
	int (*run)(struct commands_input *in);
};

/* 0: run it; -1: the answer (help, an error) has been printed, and
 * *${ret_status} is the exit status. */
int commands_parse(
    int argc, char **argv, struct commands_input *ret, int *ret_status);
/* Whoever starts no other process wipes the copy of the arguments, which may
 * hold secrets. */
void commands_forget_args(struct commands_input *in);
void commands_fini(struct commands_input *in);

#endif
