/* SPDX-License-Identifier: MIT */
#ifndef SFTD_SECRECY_H
#define SFTD_SECRECY_H

/* Master keys stay in memory that is locked and left out of core dumps
 * (crypto/vault.h); here go the other copies of them. */

#include "base/settings.h"

/* No core file of this process, nor of those that it starts. */
void secrecy_no_dumps(void);
/* Nobody of the same user may look into this process either.  For the
 * supervisor, whose environment has to keep the keys for the servers that it
 * starts. */
void secrecy_hide(void);
/* Once it has forgotten them: tools that look for leaks at the end need to. */
void secrecy_show(void);
/* The keys have been loaded: wipes their text in the settings and in the
 * environment. */
void secrecy_forget_keys(struct settings *s);

#endif
