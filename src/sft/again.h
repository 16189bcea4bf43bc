/* SPDX-License-Identifier: MIT */
#ifndef SFT_AGAIN_H
#define SFT_AGAIN_H

/* The command that goes on with what this one began, for people to copy. */

#include "base/buf.h"
#include "sft/args.h"
#include "sft/cli.h"

/*
 * Appends the command line as it was given, quoted for a shell, with the
 * option ${extra} (NULL: none) added when it is not there, and without the
 * arguments that are done.  A key is not shown: "KEY" stands for it.
 */
void again_command(const struct args *args, const char *extra, struct buf *b);

/* "sft: ${what}; this goes on with the rest: " and the command. */
void again_say(struct cli *cli, const char *what, const char *extra);

#endif
