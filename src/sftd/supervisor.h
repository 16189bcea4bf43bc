/* SPDX-License-Identifier: MIT */
#ifndef SFTD_SUPERVISOR_H
#define SFTD_SUPERVISOR_H

/*
 * The supervisor (rule 21): one thread that owns the listening sockets, starts
 * this program again as the server, and starts it anew when it dies, so that
 * clients meet a pause instead of a refusal.
 *
 * The first restart comes after 50 ms; each further death within
 * SUPERVISOR_STABLE_MS of a start doubles the pause, up to 30 s.  A server that
 * fails before it was ever ready is not restarted: its complaint stands, and
 * we end with its status.
 *
 * SIGHUP, SIGTERM and SIGINT are passed on; after the latter two,
 * SHUTDOWN_GRACE plus 5 s later, the server is killed.
 */

#include <stdbool.h>

#include "sftd/commands.h"

#define SUPERVISOR_PAUSE_MS 50
#define SUPERVISOR_PAUSE_MAX_MS 30000
#define SUPERVISOR_STABLE_MS 10000
#define SUPERVISOR_EXTRA_GRACE_MS 5000

/* AUTO_RESTART_ENABLED, and not started by a supervisor already? */
bool supervisor_is_wanted(const struct settings *s);
/* The exit status. */
int supervisor_run(struct commands_input *in);

#endif
