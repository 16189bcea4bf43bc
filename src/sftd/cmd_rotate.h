/* SPDX-License-Identifier: MIT */
#ifndef SFTD_CMD_ROTATE_H
#define SFTD_CMD_ROTATE_H

/* `sftd rotate-key`: wraps every container's key under the current master
 * key. */

#include "sftd/commands.h"

int cmd_rotate(struct commands_input *in);

#endif
