/* SPDX-License-Identifier: MIT */
#ifndef SFT_CLI_PRIV_H
#define SFT_CLI_PRIV_H

#include "sft/cli.h"

#define CLI_SERVER_DEFAULT "http://localhost:8080"
#define CLI_TIMEOUT_DEFAULT 30
#define CLI_TIMEOUT_MAX 86400
#define CLI_GLOBALS 12 /* options, and the end of their table */

/* The table of the global options, whose values are in ${cli}. */
void cli_globals(struct cli *cli, struct opt ret_table[CLI_GLOBALS]);

/* What --help prints (cli_help.c). */
int cli_help_all(struct cli *cli, struct err *err);
int cli_help_group(struct cli *cli, const char *group, struct err *err);
int cli_help_command(
    struct cli *cli, const struct cli_syntax *syntax, struct err *err);

#endif
