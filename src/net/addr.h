/* SPDX-License-Identifier: MIT */
#ifndef NET_ADDR_H
#define NET_ADDR_H

/* Addresses of peers and of ourselves, and listening sockets. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define ADDR_TEXT_SIZE 64

/* An IP address and port; IPv4-mapped IPv6 is kept as IPv4. */
struct addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* From what the system calls filled in. */
void addr_init(struct addr *a, const struct sockaddr *sa, socklen_t len);
/* Is it the text of an address, without a port? */
bool addr_is_ip(const char *text);
/* The same, with port 0; false: it is no address. */
bool addr_parse_ip(struct slice text, struct addr *ret);
/* "192.0.2.1", "2001:db8::1": without port. */
void addr_ip_text(const struct addr *a, char ret[ADDR_TEXT_SIZE]);
uint16_t addr_port(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Same IP, ports apart. */
bool addr_same_ip(const struct addr *a, const struct addr *b);
/* The IP's bytes, 4 or 16, pointing into ${a}; null: no IP. */
struct slice addr_ip_bytes(const struct addr *a);
/* What stands for one client where they are counted: an IPv4 address, or the
 * first 64 bits of an IPv6 address, because that is what a subscriber gets. */
struct slice addr_client_bytes(const struct addr *a);

/*
 * The networks that this machine is directly on, by its interfaces'
 * prefixes: a snapshot, because asking the system costs too much for each
 * connection.  One thread at a time.
 */
struct addr_links;
struct addr_links *addr_links_new(void); /* what cannot be read is empty */
void addr_links_free(struct addr_links *links); /* NULL is fine */
/* This machine or a neighbour. */
bool addr_is_on_link(const struct addr *a, const struct addr_links *links);

/*
 * A listening, non-blocking, close-on-exec socket on ${host} (address or
 * name; "" and "::" take both families where the system allows) and
 * ${port} (0: a free one).  ERR_SETTING says in a sentence when the port is
 * taken or not allowed, or the host not one of ours.
 */
int addr_listen(const char *host, uint16_t port, int *ret_fd, struct err *err);
/* Gives it, and what is accepted from it, that TCP congestion control; -1 when
 * the system has none of that name. */
int addr_set_congestion(int fd, const char *name);
/* From now on connecting is refused, for all processes that have ${fd}; what
 * waits to be accepted is reset.  Accepting says EINVAL. */
void addr_unlisten(int fd);
int addr_of_socket(int fd, struct addr *ret, struct err *err);
/* "http://192.168.1.20:8080" lines at which a server bound to ${bound} is
 * reached: loopback first, then each interface. */
void addr_reach(const struct addr *bound, const char *scheme, struct buf *b);

#endif
