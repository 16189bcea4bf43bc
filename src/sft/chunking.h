/* SPDX-License-Identifier: MIT */
#ifndef SFT_CHUNKING_H
#define SFT_CHUNKING_H

/*
 * Sends a file in chunks, several at once, and only those that the server does
 * not have yet (POST /upload_chunk, GET /resume_info).
 *
 * The whole file is hashed beside that; the last chunks say the hash, so that
 * chunks of a file that changed in between make no file.
 *
 * What is too large for the way to the server is halved: the number of chunks
 * at once after broken connections and time-outs; the chunks, too, as long as
 * the server has none of them, unless their size was given.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "sft/cli.h"
#include "sft/crew.h"
#include "sft/grid.h"
#include "sft/retry.h"

/* Files from here on are sent in chunks by themselves. */
#define CHUNKING_FROM ((uint64_t)64 * 1024 * 1024)
#define CHUNKING_SIZE_DEFAULT ((uint64_t)8 * 1024 * 1024)
#define CHUNKING_PARALLEL_DEFAULT 4u

struct chunking_options {
	const char *path;
	const char *name;    /* on the server */
	uint64_t chunk_size; /* 0: as the server advises */
	uint64_t parallel;   /* 0: as the server advises */
	bool encrypt;
	const char *priority;  /* NULL: not said */
	const char *client_id; /* NULL: not said */
	const char *if_exists; /* NULL: not said */
	const struct retry_options *retry;
};

/* Is ${path} a file that can be sent so, and how large is it? */
bool chunking_can(const char *path, uint64_t *ret_size);

struct chunking_result {
	json_t *answer; /* what the server says of the whole file, or NULL */
	bool is_begun;  /* it keeps what it has, for the same call again */
};
/* Fills ${ret} in any case. */
int chunking_send(struct cli *cli, const struct chunking_options *o,
    struct chunking_result *ret, struct err *err);

#endif
