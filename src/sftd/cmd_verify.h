/* SPDX-License-Identifier: MIT */
#ifndef SFTD_CMD_VERIFY_H
#define SFTD_CMD_VERIFY_H

/* `sftd verify`: checks every stored file, a server running or not. */

#include "sftd/commands.h"

/* COMMANDS_OK when all is sound. */
int cmd_verify(struct commands_input *in);

#endif
