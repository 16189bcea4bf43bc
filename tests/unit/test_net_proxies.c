/* SPDX-License-Identifier: MIT */
#include "net/proxies.h"

#include <string.h>

#include "unit.h"

#define PROXY "10.0.0.1"
#define TRUSTED "10.0.0.0/8, 2001:db8:1::/48"

struct fields {
	struct http_field list[4];
	size_t n;
};

static void
put(struct fields *f, const char *name, const char *value)
{
	if (value != NULL)
		f->list[f->n++] =
		    (struct http_field){ slice_str(name), slice_str(value) };
}

static void
expect(const char *peer, const struct fields *f, const char *client)
{
	struct http_request req = { .fields = f->list, .field_count = f->n };
	char text[ADDR_TEXT_SIZE];
	struct proxies *p;
	struct addr from, got;
	struct err e = ERR_INIT;

	assert_int_equal(proxies_new(TRUSTED, &p, &e), 0);
	assert_true(addr_parse_ip(slice_str(peer), &from));
	proxies_client(p, &from, &req, &got);
	addr_ip_text(&got, text);
	if (strcmp(text, client) != 0)
		fail_msg("'%.*s' and '%.*s' from %s: %s, not %s",
		    (int)(f->n > 0 ? f->list[0].value.n : 0),
		    f->n > 0 ? f->list[0].value.p : "",
		    (int)(f->n > 1 ? f->list[1].value.n : 0),
		    f->n > 1 ? f->list[1].value.p : "", peer, text, client);
	proxies_free(p);
}

static void
expect_one(const char *name, const char *value, const char *client)
{
	struct fields f = { .n = 0 };

	put(&f, name, value);
	expect(PROXY, &f, client);
}

TEST(test_net_proxies__x_forwarded_for)
{
	static const struct {
		const char *value, *client;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1:4711", "192.0.2.1" },
		{ "2001:db8::1", "2001:db8::1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:4711", "2001:db8::1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		/* the rightmost that is no proxy of ours */
		{ "198.51.100.9, 192.0.2.1", "192.0.2.1" },
		{ "198.51.100.9,192.0.2.1,10.1.1.1,2001:db8:1::5",
		    "192.0.2.1" },
		{ "10.9.9.9, 192.0.2.1, 10.1.1.1", "192.0.2.1" },
		{ "10.9.9.9, 10.1.1.1", "10.9.9.9" },
		{ "192.0.2.1, ,", "192.0.2.1" },
		/* what is no address hides what is before it */
		{ "192.0.2.1, unknown", PROXY },
		{ "192.0.2.1, unknown, 10.1.1.1", "10.1.1.1" },
		{ "garbage, 192.0.2.1", "192.0.2.1" },
		{ "", PROXY },
		{ ", ,", PROXY },
		{ "192.0.2.1 192.0.2.2", PROXY },
		{ "192.0.2.1:", PROXY },
		{ "192.0.2.1:99999", PROXY },
		{ "192.0.2.1:x", PROXY },
		{ "[192.0.2.1]", PROXY },
		{ "[2001:db8::1", PROXY },
		{ "[2001:db8::1]x", PROXY },
		{ "[]", PROXY },
		{ "\"192.0.2.1\"", PROXY },
		{ "192.0.2.300", PROXY },
		{ "fe80::1%eth0", PROXY },
		{ "localhost", PROXY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_one("X-Forwarded-For", rows[i].value, rows[i].client);
}

TEST(test_net_proxies__forwarded)
{
	static const struct {
		const char *value, *client;
	} rows[] = {
		{ "for=192.0.2.1", "192.0.2.1" },
		{ "For=\"192.0.2.1:4711\"", "192.0.2.1" },
		{ "for=\"[2001:db8::1]\"", "2001:db8::1" },
		{ "FOR=\"[2001:db8::1]:4711\"", "2001:db8::1" },
		{ "for=\"[2001:db8::1]:_port\"", "2001:db8::1" },
		{ "for=\"192\\.0.2.1\"", "192.0.2.1" },
		{ "proto=http;for=192.0.2.1;by=203.0.113.43", "192.0.2.1" },
		{ "for=192.0.2.1; proto=https ;by=\"a;b,c\"", "192.0.2.1" },
		{ "for=192.0.2.1;;proto=https;", "192.0.2.1" },
		{ "for=198.51.100.9, for=192.0.2.1", "192.0.2.1" },
		{ "for=192.0.2.1,for=10.1.1.1", "192.0.2.1" },
		{ ",, for=192.0.2.1 ,", "192.0.2.1" },
		{ "for=unknown", PROXY },
		{ "for=_hidden, for=10.1.1.1", "10.1.1.1" },
		{ "for=192.0.2.1, for=_hidden", PROXY },
		/* a proxy that does not say for whom */
		{ "for=192.0.2.1, proto=https", PROXY },
		{ "for=192.0.2.1;for=192.0.2.2", PROXY },
		/* what cannot be read hides what is before and behind */
		{ "for=192.0.2.1, for=\"192.0.2.2", PROXY },
		{ "for=\"x, for=192.0.2.1", PROXY },
		{ "for=\"x\\", PROXY },
		{ "for", PROXY },
		{ "for=", PROXY },
		{ "=192.0.2.1", PROXY },
		{ "for =192.0.2.1", PROXY },
		{ "for=192.0.2.1 for=192.0.2.2", PROXY },
		{ "for=[2001:db8::1]", PROXY },
		{ "for=2001:db8::1", PROXY },
		{ "for=\"2001:db8::1\"", PROXY },
		{ "for=\"[192.0.2.1]\"", PROXY },
		{ "for=\"1111111111111111111111111111111111111111111111111111"
		  "11111111111111111111111111111111111111111111\"",
		    PROXY },
		{ "", PROXY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_one("Forwarded", rows[i].value, rows[i].client);
}

TEST(test_net_proxies__several_fields_are_one_list)
{
	struct fields f = { .n = 0 };

	put(&f, "X-Forwarded-For", "198.51.100.9");
	put(&f, "x-forwarded-for", "192.0.2.1");
	put(&f, "X-FORWARDED-FOR", "10.1.1.1");
	expect(PROXY, &f, "192.0.2.1");

	/* what the client broke does not hide what the proxy added */
	f.n = 0;
	put(&f, "Forwarded", "for=\"x");
	put(&f, "Forwarded", "for=192.0.2.1");
	expect(PROXY, &f, "192.0.2.1");
}

TEST(test_net_proxies__both_fields)
{
	static const struct {
		const char *xff, *forwarded, *client;
	} rows[] = {
		{ "192.0.2.1", "for=192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1", "for=\"192.0.2.1:80\"", "192.0.2.1" },
		{ "192.0.2.1", "for=192.0.2.2", PROXY },
		{ "192.0.2.1", "for=unknown", PROXY },
		{ "192.0.2.1", "garbage", PROXY },
		{ "garbage", "for=192.0.2.1", PROXY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fields f = { .n = 0 };

		put(&f, "X-Forwarded-For", rows[i].xff);
		put(&f, "Forwarded", rows[i].forwarded);
		expect(PROXY, &f, rows[i].client);
	}
}

TEST(test_net_proxies__only_trusted_peers_are_believed)
{
	struct fields f = { .n = 0 };

	put(&f, "X-Forwarded-For", "192.0.2.1");
	put(&f, "Forwarded", "for=192.0.2.1");
	expect("198.51.100.1", &f, "198.51.100.1");
	expect("2001:db8:2::1", &f, "2001:db8:2::1");
	expect("2001:db8:1::1", &f, "192.0.2.1");
	expect("::ffff:10.0.0.2", &f, "192.0.2.1");
	f.n = 0;
	expect(PROXY, &f, PROXY);
}

TEST(test_net_proxies__nobody_is_trusted_by_default)
{
	struct http_field field = { SLICE_LIT("X-Forwarded-For"),
		SLICE_LIT("192.0.2.1") };
	struct http_request req = { .fields = &field, .field_count = 1 };
	struct addr from, got;
	struct proxies *p;

	assert_int_equal(proxies_new(NULL, &p, NULL), 0);
	assert_true(addr_parse_ip(SLICE_LIT("127.0.0.1"), &from));
	proxies_client(p, &from, &req, &got);
	assert_true(addr_same_ip(&from, &got));
	assert_false(proxies_trust(p, &from));
	proxies_free(p);
}

TEST(test_net_proxies__a_bad_list)
{
	struct err e = ERR_INIT;
	struct proxies *p;

	assert_int_equal(proxies_new("10.0.0.0/8,proxy", &p, &e), -1);
	assert_int_equal(e.code, ERR_SETTING);
	assert_non_null(strstr(e.msg, "TRUSTED_PROXIES"));
}
