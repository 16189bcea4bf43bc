/* SPDX-License-Identifier: MIT */
#include "net/addr.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/slice.h"

struct link {
	unsigned char ip[16];
	unsigned char mask[16];
	size_t n; /* bytes of both, 4 or 16 */
};

struct addr_links {
	size_t n;
	struct link links[];
};

static socklen_t
length_of(const struct sockaddr *sa)
{
	return sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
	                                 : sizeof(struct sockaddr_in);
}

static bool
is_ip(const struct sockaddr *sa)
{
	return sa != NULL &&
	       (sa->sa_family == AF_INET || sa->sa_family == AF_INET6);
}

/* Not addr_init(), which would take the mask ::ffff:... for IPv4. */
static size_t
copy_ip(const struct sockaddr *sa, unsigned char ret[16])
{
	if (sa->sa_family == AF_INET) {
		memcpy(ret,
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		    4);
		return 4;
	}
	memcpy(ret, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
	    16);
	return 16;
}

struct addr_links *
addr_links_new(void)
{
	struct addr_links *links = mem_calloc(1, sizeof(*links));
	struct ifaddrs *all = NULL;
	const struct ifaddrs *i;
	struct link *link;

	if (getifaddrs(&all) < 0)
		return links;
	for (i = all; i != NULL; i = i->ifa_next) {
		if (!is_ip(i->ifa_addr) || i->ifa_netmask == NULL ||
		    (i->ifa_flags & IFF_UP) == 0)
			continue;
		links = mem_realloc(
		    links, sizeof(*links) + (links->n + 1) * sizeof(*link));
		link = &links->links[links->n++];
		link->n = copy_ip(i->ifa_addr, link->ip);
		(void)copy_ip(i->ifa_netmask, link->mask);
	}
	freeifaddrs(all);
	return links;
}

void
addr_links_free(struct addr_links *links)
{
	free(links);
}

static bool
is_in(struct slice ip, const struct link *link)
{
	const unsigned char *p = (const unsigned char *)ip.p;
	size_t i;

	if (ip.n != link->n)
		return false;
	for (i = 0; i < link->n; i++) {
		if (((p[i] ^ link->ip[i]) & link->mask[i]) != 0)
			return false;
	}
	return true;
}

bool
addr_is_on_link(const struct addr *a, const struct addr_links *links)
{
	struct slice ip = addr_ip_bytes(a);
	size_t i;

	if (addr_is_loopback(a))
		return true;
	for (i = 0; ip.p != NULL && i < links->n; i++) {
		if (is_in(ip, &links->links[i]))
			return true;
	}
	return false;
}

/* "scheme://host:port" on a line. */
static void
put_line(const struct addr *a, uint16_t port, const char *scheme, struct buf *b)
{
	char text[ADDR_TEXT_SIZE];

	addr_ip_text(a, text);
	(void)buf_printf(b,
	    a->ss.ss_family == AF_INET6 ? "%s://[%s]:%u\n" : "%s://%s:%u\n",
	    scheme, text, (unsigned)port);
}

static bool
is_any(const struct addr *a)
{
	static const char zeros[16];
	struct slice ip = addr_ip_bytes(a);

	return ip.p != NULL && memcmp(ip.p, zeros, ip.n) == 0;
}

/* Link-local IPv6 needs the reader's own interface name: of no use. */
static bool
is_reachable(const struct addr *a, const struct addr *bound)
{
	const struct sockaddr_in6 *in6 = (const void *)&a->ss;

	if (addr_is_loopback(a))
		return false;
	if (a->ss.ss_family == AF_INET6)
		return bound->ss.ss_family == AF_INET6 &&
		       !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
	return true;
}

void
addr_reach(const struct addr *bound, const char *scheme, struct buf *b)
{
	struct ifaddrs *all = NULL;
	const struct ifaddrs *i;
	struct addr a;

	if (!is_any(bound)) {
		put_line(bound, addr_port(bound), scheme, b);
		return;
	}
	(void)buf_printf(
	    b, "%s://localhost:%u\n", scheme, (unsigned)addr_port(bound));
	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i != NULL; i = i->ifa_next) {
		if (!is_ip(i->ifa_addr) || (i->ifa_flags & IFF_UP) == 0)
			continue;
		addr_init(&a, i->ifa_addr, length_of(i->ifa_addr));
		if (is_reachable(&a, bound))
			put_line(&a, addr_port(bound), scheme, b);
	}
	freeifaddrs(all);
}
