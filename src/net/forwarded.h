/* SPDX-License-Identifier: MIT */
#ifndef NET_FORWARDED_H
#define NET_FORWARDED_H

/* The lists of hops in X-Forwarded-For and Forwarded (RFC 7239), as they came:
 * from anybody.  Whom to believe is net/proxies.h's.  No state; any thread. */

#include "base/slice.h"
#include "net/addr.h"

/* Hears of each hop, in the order of the list; NULL: it is no address, or what
 * cannot be read.  The port is 0. */
typedef void (*forwarded_fn)(void *arg, const struct addr *hop);

/* "192.0.2.1, 2001:db8::1, [2001:db8::1]:4711, 192.0.2.1:80".  Empty elements
 * are passed over. */
void forwarded_for_each(struct slice value, forwarded_fn fn, void *arg);
/* "for=192.0.2.1;proto=https, For=\"[2001:db8::1]:4711\"".  An element without
 * `for` (or with two) is a hop that is no address.  From where the field breaks
 * the grammar on, nothing is read: one hop that is none. */
void forwarded_each(struct slice value, forwarded_fn fn, void *arg);

#endif
