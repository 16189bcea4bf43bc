/* SPDX-License-Identifier: MIT */
#ifndef BASE_IPNET_H
#define BASE_IPNET_H

/*
 * IP addresses and blocks of them, as texts and as bytes.  IPv4-mapped IPv6
 * (::ffff:192.0.2.1) is IPv4.  No state; any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct ipnet {
	unsigned char ip[16]; /* what is beyond ${bits} is 0 */
	unsigned char n;      /* bytes of ip, 4 or 16 */
	unsigned char bits;   /* of the prefix */
};

/* "192.0.2.1" or "2001:db8::1", nothing around it. */
bool ipnet_parse_ip(struct slice text, struct ipnet *ret);
/* The same, or with "/24" behind it. */
bool ipnet_parse(struct slice text, struct ipnet *ret);
/* Calls ${fn} (may be NULL) for each of a comma list, with spaces where one
 * likes.  False: the list is empty, or one of it is no block. */
bool ipnet_parse_list(struct slice list,
    void (*fn)(void *arg, const struct ipnet *net), void *arg);
/* ${ip}: 4 or 16 bytes. */
bool ipnet_has(const struct ipnet *net, struct slice ip);

#endif
