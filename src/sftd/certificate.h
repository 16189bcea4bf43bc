/* SPDX-License-Identifier: MIT */
#ifndef SFTD_CERTIFICATE_H
#define SFTD_CERTIFICATE_H

/* The server's certificate: at the start, and when its files change. */

#include <stdbool.h>

#include "base/settings.h"
#include "net/tls.h"

/* Do the settings of TLS go together?  ERR_SETTING names what is missing. Their
 * files are not looked at. */
int certificate_check(const struct settings *s, struct err *err);
/*
 * What the settings say of TLS: *${ret_tls} (to be freed) is NULL where it is
 * off.  ERR_SETTING names the setting that is missing or cannot be used.
 */
int certificate_open(
    const struct settings *s, struct tls **ret_tls, struct err *err);
/* Logs of which certificate it is, and warns when it has expired or soon
 * will. */
void certificate_say(struct tls *tls);
/* Takes a new pair into use if there is one, and logs what came of it.  With
 * ${now}, for whoever asked, also when nothing seems to have changed.  Any
 * thread; ${tls} may be NULL. */
void certificate_look(struct tls *tls, bool now);

#endif
