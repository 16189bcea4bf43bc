/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_BACKENDS_PRIV_H
#define STORAGE_BACKENDS_PRIV_H

/* The back ends, for the table in storage.c. */

#include "storage/storage.h"

extern const struct storage_ops storage_local_ops;
extern const struct storage_ops storage_mem_ops;

#endif
