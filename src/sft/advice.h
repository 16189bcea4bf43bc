/* SPDX-License-Identifier: MIT */
#ifndef SFT_ADVICE_H
#define SFT_ADVICE_H

/* How the server advises to send over this connection (POST /ping). */

#include <stdbool.h>
#include <stdint.h>

#include "sft/cli.h"

/* Asked again after so long. */
#define ADVICE_EVERY_MS 3000
/* It is never to send more at once. */
#define ADVICE_PARALLEL_MAX 8u

struct advice {
	uint64_t chunk_size; /* 0: it has no opinion, or none that is any */
	uint64_t parallel;   /* the same */
	bool is_given;       /* the server gives advice */
	int64_t asked_ms;
};

/* False, and zeros, when the server gives none in three seconds. */
bool advice_ask(struct cli *cli, struct advice *ret);

/* Asks again, when it is time to and the server gave advice before.  True when
 * it has another number of chunks at once to advise. */
bool advice_again(struct cli *cli, struct advice *a);

#endif
