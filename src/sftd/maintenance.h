/* SPDX-License-Identifier: MIT */
#ifndef SFTD_MAINTENANCE_H
#define SFTD_MAINTENANCE_H

/*
 * What is done beside serving, on one thread: the status file, the reaper,
 * backups, the ballast, whether there is a new certificate.
 */

#include "engine/engine.h"
#include "net/tls.h"

struct maintenance;

/* ${tls}: NULL without TLS; it has to outlive the thread. */
int maintenance_start(struct engine *e, struct tls *tls,
    struct maintenance **ret_m, struct err *err);
/* Ends the thread, writes the last status file.  NULL is fine. */
void maintenance_stop(struct maintenance *m);

#endif
