/* SPDX-License-Identifier: MIT */
#include "base/ipnet.h"

#include <string.h>

#include "unit.h"

static bool
has(const char *net, const char *ip)
{
	struct ipnet n, i;

	if (!ipnet_parse(slice_str(net), &n))
		fail_msg("'%s' is no block", net);
	if (!ipnet_parse_ip(slice_str(ip), &i))
		fail_msg("'%s' is no address", ip);
	return ipnet_has(&n, (struct slice){ (const char *)i.ip, i.n });
}

TEST(test_base_ipnet__what_lies_in_a_block)
{
	static const struct {
		const char *net, *in, *out;
	} rows[] = {
		{ "192.0.2.7", "192.0.2.7", "192.0.2.6" },
		{ "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
		{ "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
		{ "192.0.2.4/30", "192.0.2.7", "192.0.2.8" },
		{ "192.0.2.4/31", "192.0.2.5", "192.0.2.6" },
		{ "192.0.2.9/32", "192.0.2.9", "192.0.2.8" },
		{ "0.0.0.0/0", "255.255.255.255", "::1" },
		{ "::/0", "2001:db8::1", "192.0.2.1" },
		{ "::1", "::1", "::2" },
		{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
		{ "2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::" },
		{ "fe80::/10", "febf::1", "fec0::1" },
		/* bits behind the prefix do not count */
		{ "10.1.2.3/8", "10.9.9.9", "9.1.2.3" },
		{ "2001:db8::5/127", "2001:db8::4", "2001:db8::6" },
		/* IPv4 in IPv6's clothes */
		{ "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2" },
		{ "::ffff:192.0.2.0/120", "192.0.2.200", "192.0.3.1" },
		{ "192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(has(rows[i].net, rows[i].in));
		assert_false(has(rows[i].net, rows[i].out));
	}
}

TEST(test_base_ipnet__refuses_what_is_none)
{
	static const char *const bad[] = { "", "/", "/8", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
		"10.0.0.0/ 8", " 10.0.0.1", "10.0.0.1 ", "10.0.0", "10.0.0.256",
		"10.0.0.1:80", "[::1]", "::1/129", "::1%lo", "::g", "localhost",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999",
		"10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1.10.0.0.1" };
	struct ipnet n;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ipnet_parse(slice_str(bad[i]), &n))
			fail_msg("'%s' is a block", bad[i]);
	assert_false(ipnet_parse_ip(slice_str("10.0.0.0/8"), &n));
	assert_false(ipnet_parse_ip(SLICE_LIT("10.0.0.1\0"), &n));
}

static void
count(void *arg, const struct ipnet *net)
{
	(void)net;
	(*(int *)arg)++;
}

TEST(test_base_ipnet__lists)
{
	static const char *const bad[] = { "", ",", "::1,", ",::1", "::1,,::1",
		"::1;::2", "::1 ::2" };
	int n = 0;

	assert_true(ipnet_parse_list(
	    SLICE_LIT("::1 ,10.0.0.0/8,	192.0.2.1"), count, &n));
	assert_int_equal(n, 3);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ipnet_parse_list(slice_str(bad[i]), NULL, NULL));
}
