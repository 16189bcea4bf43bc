/* SPDX-License-Identifier: MIT */
#ifndef SFT_TURN_H
#define SFT_TURN_H

/*
 * While a transfer waits on the server for its turn nothing of it moves: asks
 * whether that is why, and says at which turn it is, each time that changes.
 *
 * Locked by itself; for struct http_request's stands_still().
 */

#include <stdbool.h>

#include "base/err.h"
#include "sft/cli.h"

struct turn;

/* ${name} is the file's on the server; both outlive it. */
int turn_new(
    struct cli *cli, const char *name, struct turn **ret_turn, struct err *err);
void turn_free(struct turn *t); /* NULL is fine */

/* Does it wait?  Asks the server. */
bool turn_waits(void *turn);

#endif
