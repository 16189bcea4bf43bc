/* SPDX-License-Identifier: MIT */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/ipnet.h"
#include "base/slice.h"

static const struct sockaddr_in *
v4(const struct addr *a)
{
	return (const struct sockaddr_in *)(const void *)&a->ss;
}

static const struct sockaddr_in6 *
v6(const struct addr *a)
{
	return (const struct sockaddr_in6 *)(const void *)&a->ss;
}

/* ::ffff:192.0.2.1 is how IPv4 comes to a socket of both families. */
static void
unmap(struct addr *a)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_port = v6(a)->sin6_port;
	memcpy(&in.sin_addr, &v6(a)->sin6_addr.s6_addr[12], 4);
	memset(&a->ss, 0, sizeof(a->ss));
	memcpy(&a->ss, &in, sizeof(in));
	a->len = sizeof(in);
}

void
addr_init(struct addr *a, const struct sockaddr *sa, socklen_t len)
{
	memset(a, 0, sizeof(*a));
	if (len > sizeof(a->ss))
		len = sizeof(a->ss);
	memcpy(&a->ss, sa, len);
	a->len = len;
	if (a->ss.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_V4MAPPED(&v6(a)->sin6_addr))
		unmap(a);
}

struct slice
addr_ip_bytes(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return (struct slice){ (const char *)&v4(a)->sin_addr, 4 };
	if (a->ss.ss_family == AF_INET6)
		return (struct slice){ (const char *)&v6(a)->sin6_addr, 16 };
	return SLICE_NULL;
}

struct slice
addr_client_bytes(const struct addr *a)
{
	struct slice ip = addr_ip_bytes(a);

	if (ip.n > 8)
		ip.n = 8;
	return ip;
}

bool
addr_parse_ip(struct slice text, struct addr *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct ipnet ip;

	if (!ipnet_parse_ip(text, &ip))
		return false;
	if (ip.n == sizeof(in.sin_addr)) {
		memcpy(&in.sin_addr, ip.ip, sizeof(in.sin_addr));
		addr_init(ret, (struct sockaddr *)&in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, ip.ip, sizeof(in6.sin6_addr));
		addr_init(ret, (struct sockaddr *)&in6, sizeof(in6));
	}
	return true;
}

void
addr_ip_text(const struct addr *a, char ret[ADDR_TEXT_SIZE])
{
	struct slice ip = addr_ip_bytes(a);

	if (ip.p == NULL ||
	    inet_ntop(a->ss.ss_family, ip.p, ret, ADDR_TEXT_SIZE) == NULL)
		snprintf(ret, ADDR_TEXT_SIZE, "unknown");
}

uint16_t
addr_port(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return ntohs(v4(a)->sin_port);
	if (a->ss.ss_family == AF_INET6)
		return ntohs(v6(a)->sin6_port);
	return 0;
}

bool
addr_is_loopback(const struct addr *a)
{
	if (a->ss.ss_family == AF_INET)
		return ntohl(v4(a)->sin_addr.s_addr) >> 24 == 127;
	return a->ss.ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&v6(a)->sin6_addr);
}

bool
addr_same_ip(const struct addr *a, const struct addr *b)
{
	struct slice x = addr_ip_bytes(a);
	struct slice y = addr_ip_bytes(b);

	return x.p != NULL && y.p != NULL && slice_eq(x, y);
}

int
addr_of_socket(int fd, struct addr *ret, struct err *err)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return err_set_errno(
		    err, ERR_INTERNAL, "cannot ask a socket for its address");
	addr_init(ret, (struct sockaddr *)&ss, len);
	return 0;
}

bool
addr_is_ip(const char *text)
{
	unsigned char ip[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, ip) == 1 ||
	       inet_pton(AF_INET6, text, ip) == 1;
}
