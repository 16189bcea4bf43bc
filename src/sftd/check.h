/* SPDX-License-Identifier: MIT */
#ifndef SFTD_CHECK_H
#define SFTD_CHECK_H

#include "sftd/commands.h"

/* `sftd --check`: opens the directory and the database as a start would, and
 * says what it found.  The exit status. */
int check_run(struct commands_input *in);

#endif
