/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_HOME_PRIV_H
#define STORAGE_HOME_PRIV_H

#include "storage/home.h"

/* 0 when nothing is in it that people would mind losing sight of; else
 * ERR_SETTING, naming what was found. */
int home_check_empty(const struct home *home, struct err *err);

#endif
