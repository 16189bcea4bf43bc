/* SPDX-License-Identifier: MIT */
#ifndef SFTD_AUDIT_H
#define SFTD_AUDIT_H

/*
 * Objects and records compared, once after every start, beside serving: on a
 * thread of its own that works for a few milliseconds and rests for twenty
 * times as long, so that a million files cost minutes and not a processor.
 * What it finds is logged.
 */

#include <stdbool.h>

#include "engine/engine.h"

struct audit;

/* ${is_suspect}: the last run did not end well, or the database is restored;
 * then the database itself is checked first, and the result is logged for
 * people even when all is well. */
int audit_start(struct engine *e, bool is_suspect, struct audit **ret_audit,
    struct err *err);
/* Ends it, wherever it is.  NULL is fine. */
void audit_cancel(struct audit *a);

#endif
