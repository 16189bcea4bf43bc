/* SPDX-License-Identifier: MIT */
#include "net/addr.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096

static int
no_address(const char *host, struct err *err)
{
	return err_set(err, ERR_SETTING,
	    "'%s' is no address of this machine; 0.0.0.0 stands for all of "
	    "them",
	    host);
}

static int
tell(const char *host, uint16_t port, struct err *err)
{
	switch (errno) {
	case EADDRINUSE:
		return err_set(err, ERR_SETTING,
		    "port %u is taken by another program; name another, "
		    "or 0 for a free one",
		    (unsigned)port);
	case EACCES:
		return err_set(err, ERR_SETTING,
		    "port %u may not be used by this user; name one from "
		    "1024 on",
		    (unsigned)port);
	case EADDRNOTAVAIL:
		return no_address(host, err);
	default:
		return err_set_errno(
		    err, ERR_SETTING, "cannot listen on '%s'", host);
	}
}

/* A socket bound to ${ai} that listens; -1 with errno. */
static int
listen_on(const struct addrinfo *ai)
{
	int fd, saved;
	int on = 1;
	int off = 0;

	fd = socket(ai->ai_family,
	    ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* "" and "::" want both families: IPv6 first, which takes IPv4 too. */
static int
compare_families(const struct addrinfo *ai, bool wants_v6)
{
	return (ai->ai_family == AF_INET6) == wants_v6;
}

int
addr_listen(const char *host, uint16_t port, int *ret_fd, struct err *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	bool is_any = host[0] == '\0' || strcmp(host, "::") == 0;
	struct addrinfo *all = NULL;
	const struct addrinfo *ai;
	char service[8];
	int fd = -1;
	int pass, rc;

	hints.ai_socktype = SOCK_STREAM;
	snprintf(service, sizeof(service), "%u", (unsigned)port);
	rc = getaddrinfo(is_any ? NULL : host, service, &hints, &all);
	if (rc != 0)
		return no_address(host, err);
	errno = EADDRNOTAVAIL;
	for (pass = 0; pass < 2 && fd < 0; pass++) {
		for (ai = all; ai != NULL && fd < 0; ai = ai->ai_next) {
			if (compare_families(ai, is_any == (pass == 0)))
				fd = listen_on(ai);
		}
	}
	freeaddrinfo(all);
	if (fd < 0)
		return tell(host, port, err);
	*ret_fd = fd;
	return 0;
}

int
addr_set_congestion(int fd, const char *name)
{
	return setsockopt(
	    fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

void
addr_unlisten(int fd)
{
	/* Unlike close(), this ends it for whoever shares the socket.  That
	 * a peer is refused then, and not left waiting, is all it is for. */
	(void)shutdown(fd, SHUT_RD);
}
