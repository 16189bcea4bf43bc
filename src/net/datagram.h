/* SPDX-License-Identifier: MIT */
#ifndef NET_DATAGRAM_H
#define NET_DATAGRAM_H

/* One datagram to a socket of this machine. */

#include <stddef.h>

#include "base/err.h"

/* To the AF_UNIX socket at ${path} ("@name": an abstract one). */
int datagram_send(const char *path, const void *p, size_t n, struct err *err);

#endif
