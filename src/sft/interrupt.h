/* SPDX-License-Identifier: MIT */
#ifndef SFT_INTERRUPT_H
#define SFT_INTERRUPT_H

/*
 * Ctrl-C (SIGINT), SIGTERM and SIGHUP as something to look at, so that what
 * was begun can be taken back.  While one is open the signals are blocked and
 * wait in a descriptor; whoever waits must watch it.  A signal that was
 * ignored when the program started (nohup) stays ignored.  Any thread may
 * look.
 */

#include "base/err.h"

struct interrupt;

int interrupt_open(struct interrupt **ret_i, struct err *err);
void interrupt_close(struct interrupt *i); /* NULL is fine */

/* Readable once a signal has come, and from then on. */
int interrupt_fd(const struct interrupt *i);

/* The signal that came, 0 when none did; stays known. */
int interrupt_signal(struct interrupt *i);

/* ERR_INTERRUPTED when a signal has come. */
int interrupt_check(struct interrupt *i, struct err *err);

/* Waits until ${fd} (-1: none) has one of ${events} (poll(2)) or
 * ${timeout_ms} (-1: none) are over; ERR_INTERRUPTED as soon as a signal
 * comes. */
int interrupt_wait(
    struct interrupt *i, int fd, short events, int timeout_ms, struct err *err);

#endif
