/* SPDX-License-Identifier: MIT */
#include "base/ipnet.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/num.h"

#define V4 4
#define V6 16
#define MAPPED_BITS 96

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

/* ::ffff:192.0.2.0/120 is 192.0.2.0/24. */
static void
unmap(struct ipnet *net)
{
	if (net->n != V6 || net->bits < MAPPED_BITS ||
	    memcmp(net->ip, mapped, sizeof(mapped)) != 0)
		return;
	memmove(net->ip, net->ip + sizeof(mapped), V4);
	memset(net->ip + V4, 0, V6 - V4);
	net->n = V4;
	net->bits = (unsigned char)(net->bits - MAPPED_BITS);
}

static bool
parse_bytes(struct slice text, struct ipnet *ret)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, copy, ret->ip) == 1)
		ret->n = V4;
	else if (inet_pton(AF_INET6, copy, ret->ip) == 1)
		ret->n = V6;
	ret->bits = (unsigned char)(8 * ret->n);
	return ret->n > 0;
}

bool
ipnet_parse_ip(struct slice text, struct ipnet *ret)
{
	if (!parse_bytes(text, ret))
		return false;
	unmap(ret);
	return true;
}

/* Who writes 10.1.2.3/8 means the block that it lies in. */
static void
mask(struct ipnet *net)
{
	for (size_t i = 0; i < net->n; i++) {
		size_t from = 8 * i;

		if (from >= net->bits)
			net->ip[i] = 0;
		else if (net->bits - from < 8)
			net->ip[i] &=
			    (unsigned char)(0xff << (8 - (net->bits - from)));
	}
}

bool
ipnet_parse(struct slice text, struct ipnet *ret)
{
	const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	struct slice ip = text;
	uint64_t bits;

	if (slash != NULL)
		ip.n = (size_t)(slash - text.p);
	if (!parse_bytes(ip, ret))
		return false;
	if (slash != NULL) {
		if (!num_uint((struct slice){ slash + 1, text.n - ip.n - 1 },
		        ret->bits, &bits))
			return false;
		ret->bits = (unsigned char)bits;
	}
	mask(ret);
	unmap(ret);
	return true;
}

bool
ipnet_parse_list(struct slice list,
    void (*fn)(void *arg, const struct ipnet *net), void *arg)
{
	struct slice part;
	struct ipnet net;

	if (list.n == 0 || list.p[list.n - 1] == ',')
		return false;
	while (slice_next(&list, ',', &part)) {
		if (!ipnet_parse(slice_trim(part), &net))
			return false;
		if (fn != NULL)
			fn(arg, &net);
	}
	return true;
}

bool
ipnet_has(const struct ipnet *net, struct slice ip)
{
	const unsigned char *p = (const unsigned char *)ip.p;
	size_t whole = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (ip.n != net->n || memcmp(p, net->ip, whole) != 0)
		return false;
	return rest == 0 || ((p[whole] ^ net->ip[whole]) >> (8 - rest)) == 0;
}
