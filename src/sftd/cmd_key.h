/* SPDX-License-Identifier: MIT */
#ifndef SFTD_CMD_KEY_H
#define SFTD_CMD_KEY_H

#include "sftd/commands.h"

/*
 * `sftd key new`: makes an API key in the records of UPLOAD_DIR.  The key goes
 * to standard output, on a line of its own; what is to be said of it to
 * standard error.  A server that runs is told, and waited for.
 */
int cmd_key(struct commands_input *in);

#endif
