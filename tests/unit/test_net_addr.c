/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/addr.h"

static struct addr
make(const char *ip, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct addr a;

	in.sin_port = in6.sin6_port = htons(port);
	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
		addr_init(&a, (struct sockaddr *)&in, sizeof(in));
	else if (inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1)
		addr_init(&a, (struct sockaddr *)&in6, sizeof(in6));
	else
		fail_msg("'%s' is no address", ip);
	return a;
}

TEST(test_net_addr__unlisten_refuses)
{
	struct addr bound;
	int fd, peer;

	assert_int_equal(addr_listen("127.0.0.1", 0, &fd, NULL), 0);
	assert_int_equal(addr_of_socket(fd, &bound, NULL), 0);
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(peer, (struct sockaddr *)&bound.ss, bound.len), 0);
	close(peer);
	addr_unlisten(fd);
	peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(peer, (struct sockaddr *)&bound.ss, bound.len), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(peer);
	close(fd);
}

TEST(test_net_addr__tells_its_parts)
{
	static const struct {
		const char *ip, *text;
		size_t n;
		bool is_loopback;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", 4, false },
		{ "127.0.0.1", "127.0.0.1", 4, true },
		{ "127.9.9.9", "127.9.9.9", 4, true },
		{ "::1", "::1", 16, true },
		{ "2001:db8:0::1", "2001:db8::1", 16, false },
		{ "::ffff:192.0.2.1", "192.0.2.1", 4, false },
		{ "::ffff:127.0.0.1", "127.0.0.1", 4, true },
	};
	char text[ADDR_TEXT_SIZE];
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		a = make(cases[i].ip, 8080);
		addr_ip_text(&a, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(addr_port(&a), 8080);
		assert_int_equal(addr_ip_bytes(&a).n, cases[i].n);
		assert_int_equal(addr_is_loopback(&a), cases[i].is_loopback);
	}
}

TEST(test_net_addr__compares_without_ports)
{
	struct addr a = make("192.0.2.1", 1);
	struct addr b = make("::ffff:192.0.2.1", 2);
	struct addr c = make("192.0.2.2", 1);
	struct addr none = { .len = 0 };

	assert_true(addr_same_ip(&a, &b));
	assert_false(addr_same_ip(&a, &c));
	assert_false(addr_same_ip(&none, &none));
}

TEST(test_net_addr__unknown_is_harmless)
{
	struct addr none = { .len = 0 };
	char text[ADDR_TEXT_SIZE];

	addr_ip_text(&none, text);
	assert_string_equal(text, "unknown");
	assert_int_equal(addr_port(&none), 0);
	assert_null(addr_ip_bytes(&none).p);
	assert_false(addr_is_loopback(&none));
}

TEST(test_net_addr__loopback_is_on_link)
{
	struct addr_links *links = addr_links_new();
	struct addr near = make("127.0.0.1", 1);
	struct addr far = make("203.0.113.77", 1);
	struct addr none = { .len = 0 };

	assert_true(addr_is_on_link(&near, links));
	assert_false(addr_is_on_link(&far, links));
	assert_false(addr_is_on_link(&none, links));
	addr_links_free(links);
}

TEST(test_net_addr__listens_and_says_where)
{
	struct addr bound;
	char wanted[64];
	struct buf b;
	int fd;

	assert_int_equal(addr_listen("127.0.0.1", 0, &fd, NULL), 0);
	assert_int_equal(addr_of_socket(fd, &bound, NULL), 0);
	assert_true(addr_is_loopback(&bound));
	assert_true(addr_port(&bound) > 0);
	buf_init(&b, 4096);
	addr_reach(&bound, "http", &b);
	snprintf(wanted, sizeof(wanted), "http://127.0.0.1:%u\n",
	    (unsigned)addr_port(&bound));
	assert_string_equal(buf_str(&b), wanted);
	buf_fini(&b);
	close(fd);
}

TEST(test_net_addr__reaches_all_interfaces)
{
	struct addr any = make("0.0.0.0", 8080);
	struct addr any6 = make("::", 8080);
	struct buf b;

	buf_init(&b, 1 << 20);
	addr_reach(&any, "http", &b);
	assert_memory_equal(buf_str(&b), "http://localhost:8080\n", 22);
	/* no IPv6 where only IPv4 listens */
	assert_null(strchr(buf_str(&b), '['));
	buf_clear(&b);
	addr_reach(&any6, "https", &b);
	assert_memory_equal(buf_str(&b), "https://localhost:8080\n", 23);
	buf_fini(&b);
}

TEST(test_net_addr__says_why_it_cannot_listen)
{
	struct err err = ERR_INIT;
	struct addr bound;
	int fd, second;

	assert_int_equal(addr_listen("127.0.0.1", 0, &fd, NULL), 0);
	assert_int_equal(addr_of_socket(fd, &bound, NULL), 0);
	assert_int_equal(
	    addr_listen("127.0.0.1", addr_port(&bound), &second, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	assert_non_null(strstr(err.msg, "is taken"));
	assert_int_equal(addr_listen("203.0.113.77", 0, &second, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	assert_non_null(strstr(err.msg, "no address of this machine"));
	close(fd);
}

TEST(test_net_addr__both_families)
{
	struct addr bound;
	int fd;

	assert_int_equal(addr_listen("", 0, &fd, NULL), 0);
	assert_int_equal(addr_of_socket(fd, &bound, NULL), 0);
	assert_true(addr_port(&bound) > 0);
	close(fd);
}
