/* SPDX-License-Identifier: MIT */
#ifndef SFTD_MAINTENANCE_H
#define SFTD_MAINTENANCE_H

/*
 * What is done beside serving, on one thread: the status file, the reaper,
 * backups, the ballast.
 */

#include "engine/engine.h"

struct maintenance;

int maintenance_start(
    struct engine *e, struct maintenance **ret_m, struct err *err);
/* Ends the thread, writes the last status file.  NULL is fine. */
void maintenance_stop(struct maintenance *m);

#endif
