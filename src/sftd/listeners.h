/* SPDX-License-Identifier: MIT */
#ifndef SFTD_LISTENERS_H
#define SFTD_LISTENERS_H

/* The listening sockets, as the settings want them. */

#include "base/err.h"
#include "base/settings.h"

/*
 * Opens them; *${ret_redirect_fd} stays as it is without HTTP_REDIRECT_PORT.
 * What was opened is the caller's also when this fails.  ERR_SETTING names the
 * setting and what would be valid.
 */
int listeners_open(const struct settings *s, int *ret_listen_fd,
    int *ret_redirect_fd, struct err *err);

/* Could they be opened?  The ports are not touched: a server may be at work on
 * them. */
int listeners_check(const struct settings *s, struct err *err);

#endif
