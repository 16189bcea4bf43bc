/* SPDX-License-Identifier: MIT */
#ifndef LOOP_SIG_H
#define LOOP_SIG_H

/*
 * Signals as events of a loop: SIGTERM, SIGINT and SIGHUP through a
 * signalfd, so that no handler runs in the middle of anything.
 */

#include "base/err.h"
#include "loop/loop.h"

struct sig;

/* Takes the three signals (and ignores SIGPIPE) for the whole process: call
 * it in main() before any thread is started. */
void sig_block(void);
/* Undoes it: for a child before it executes another program. */
void sig_unblock(void);

/* Calls ${fn} on ${loop}'s thread for each; several of a kind that wait are
 * one. */
int sig_new(struct loop *loop, void (*fn)(void *arg, int signo), void *arg,
    struct sig **ret_sig, struct err *err);
/* On the loop's thread, or when it does not run.  NULL is fine. */
void sig_free(struct sig *sig);

#endif
