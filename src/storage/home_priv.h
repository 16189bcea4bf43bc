/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_HOME_PRIV_H
#define STORAGE_HOME_PRIV_H

#include "storage/home.h"

#define HOME_LOCK "lock"
#define HOME_FILE_MODE 0600

/* 0 when nothing is in it that people would mind losing sight of; else
 * ERR_SETTING, naming what was found. */
int home_check_empty(const struct home *home, struct err *err);
/* What FORMAT says: 1 it is ours, 0 there is none, -1. */
int home_check_format(const struct home *home, struct err *err);
/* Takes a lock that nobody has: -1 with errno, EWOULDBLOCK where somebody does
 * for longer than home_is_served() takes. */
int home_flock(int fd);
/* What the system said (an errno), as a sentence for who set UPLOAD_DIR. */
int home_refuse(const char *path, int error, struct err *err);

#endif
