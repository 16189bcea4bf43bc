/* SPDX-License-Identifier: MIT */
#ifndef SFTD_IDENTITY_H
#define SFTD_IDENTITY_H

/*
 * Who we are: with RUN_AS, whoever started as root becomes that user, with
 * its groups, for good.  Ports below 1024 are bound before.
 */

#include "base/err.h"
#include "base/settings.h"

/*
 * Becomes that user; nothing happens without RUN_AS, or when we are it
 * already.  ERR_SETTING: there is no such user, or we may not become it.  While
 * there is one thread.
 */
int identity_assume(const struct settings *s, struct err *err);
/* The same for who serves: UPLOAD_DIR, when it is missing, is made and becomes
 * the user's. */
int identity_assume_server(const struct settings *s, struct err *err);

#endif
