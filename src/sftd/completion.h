/* SPDX-License-Identifier: MIT */
#ifndef SFTD_COMPLETION_H
#define SFTD_COMPLETION_H

/* What a shell completes the command line of sftd with. */

#include <stddef.h>

#include "base/buf.h"
#include "base/complete.h"
#include "base/opt.h"

struct completion_input {
	const char *shell;         /* of COMPLETE_SHELLS */
	const struct opt *options; /* beside those of the settings */
	const struct complete_command *commands;
	size_t n;
};

/* Appends the script. */
void completion_write(const struct completion_input *in, struct buf *b);

#endif
