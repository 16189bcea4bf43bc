/* SPDX-License-Identifier: MIT */
#ifndef SFTD_SANDBOX_H
#define SFTD_SANDBOX_H

/*
 * What the server cannot do any more once it has its socket, so that whoever
 * takes it over gains little:
 *
 *   no_new_privs   nothing that it executes gains rights (set-user-id bits)
 *   capabilities   none, root or not: prctl(2), capabilities(7)
 *   landlock(7)    where the kernel has it: UPLOAD_DIR and the folder of the
 *                  status file can be written; the system's programs,
 *                  libraries, configuration and zone files, /proc, our own
 *                  folder and the folders of the certificate can be read;
 *                  programs can be executed from the system's folders and
 *                  ours; no TCP port can be bound or connected to (Linux
 *                  6.7); processes outside cannot be signalled (6.12)
 *
 * It holds for the calling thread and all that it starts: called while there
 * is one, after sockets were bound and the user was changed.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/settings.h"

struct sandbox_report {
	int landlock; /* the kernel's version of it; 0: none that will do */
};

/* UPLOAD_DIR is made when it is missing.  ERR_SETTING, ERR_INTERNAL. */
int sandbox_enter(
    const struct settings *s, struct sandbox_report *ret, struct err *err);

#endif
