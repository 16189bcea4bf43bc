/* SPDX-License-Identifier: MIT */
#ifndef SFT_FETCHING_H
#define SFT_FETCHING_H

/*
 * Fetches one file, checked.
 *
 * Small ones and streams come in one answer (receiving.h).  A file of more than
 * one piece is resumable from the beginning: when its connection breaks, what
 * is missing is fetched; when the program is ended, a later run with
 * ${is_resumed} takes it up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "crypto/sha256.h"
#include "sft/cli.h"
#include "sft/landing.h"
#include "sft/retry.h"

struct fetching_options {
	const char *name; /* on the server */
	/* Something other than that file, of which the server names no SHA-256:
	 * what is asked for, and the body to ask with (NULL: none), of whose
	 * answer there are no ranges.  NULL: the file. */
	const char *target;
	const json_t *body;
	const struct landing_options *landing;
	bool is_preview; /* the picture of it that the server makes */
	bool raw;
	bool is_resumed;
	unsigned parallel; /* 1..CREW_MAX */
	const struct retry_options *retry;
};

struct fetching_result {
	bool is_kept; /* it failed, but --resume can go on with it */
	uint64_t size;
	char hash[SHA256_HEX_SIZE];
	bool is_checked; /* against one that the server named */
};

int fetching_run(struct cli *cli, const struct fetching_options *o,
    struct fetching_result *ret, struct err *err);

#endif
