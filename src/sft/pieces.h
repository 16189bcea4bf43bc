/* SPDX-License-Identifier: MIT */
#ifndef SFT_PIECES_H
#define SFT_PIECES_H

/*
 * Fetches what is missing of a resumable download, in ranges, several at once.
 * Each range names the file that it is to be a part of (If-Range): one that was
 * replaced meanwhile gives no part of the new one.
 */

#include <stdbool.h>

#include "base/err.h"
#include "sft/cli.h"
#include "sft/resumable.h"
#include "sft/retry.h"
#include "sft/turn.h"

struct pieces_options {
	const char *target; /* "/download/..." */
	unsigned parallel;
	struct turn *turn; /* of the file */
	const struct retry_options *retry;
};

/* All pieces are there.  *${ret_replaced}: it failed because the file is
 * another one by now. */
int pieces_run(struct cli *cli, const struct pieces_options *o,
    struct resumable *r, bool *ret_replaced, struct err *err);

#endif
