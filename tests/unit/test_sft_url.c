/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sft/url.h"

TEST(test_sft_url__servers)
{
	static const struct {
		const char *text;
		const char *base; /* NULL: refused */
	} cases[] = {
		{ "http://localhost:8080", "http://localhost:8080" },
		{ "http://localhost:8080/", "http://localhost:8080" },
		{ "localhost:8080", "http://localhost:8080" },
		{ "https://files.example", "https://files.example" },
		{ "https://a.example/b/c//", "https://a.example/b/c" },
		{ "http://[::1]:80", "http://[::1]:80" },
		{ "", NULL },
		{ "/", NULL },
		{ "http://", NULL },
		{ "http:///path", NULL },
		{ "http://:80", NULL },
		{ "http://host:65535", "http://host:65535" },
		{ "http://host:65536", NULL },
		{ "http://host:eighty", NULL },
		{ "http://[::1:80", NULL },
		{ "ftp://host", NULL },
		{ "http://user@host", NULL },
		{ "http://host?x", NULL },
		{ "http://host/#x", NULL },
		{ "http://ho st", NULL },
		{ "http://host\r\n", NULL },
		{ "http://h\xc3\xb6st", NULL },
	};
	struct err err;
	char *base;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		base = NULL;
		if (cases[i].base == NULL) {
			assert_int_equal(
			    url_server(cases[i].text, &base, &err), -1);
			assert_int_equal(err.code, ERR_USAGE);
			assert_null(base);
			continue;
		}
		assert_int_equal(url_server(cases[i].text, &base, &err), 0);
		assert_string_equal(base, cases[i].base);
		free(base);
	}
}

TEST(test_sft_url__a_password_is_not_repeated)
{
	struct err err;
	char *base;

	assert_int_equal(url_server("http://u:secret@host", &base, &err), -1);
	assert_null(strstr(err.msg, "secret"));
}

TEST(test_sft_url__names)
{
	static const struct {
		const char *name;
		const char *encoded;
	} cases[] = {
		{ "a-b_c.d~e", "a-b_c.d~e" },
		{ "x/y z", "x/y%20z" },
		{ "100%.txt", "100%25.txt" },
		{ "a?b#c&d=e+f;g", "a%3Fb%23c%26d%3De%2Bf%3Bg" },
		{ "写", "%E5%86%99" },
		{ "", "" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, URL_MAX);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&b);
		url_add_name(&b, cases[i].name);
		assert_string_equal(buf_str(&b), cases[i].encoded);
	}
	buf_fini(&b);
}

TEST(test_sft_url__queries)
{
	struct buf b;

	buf_init(&b, URL_MAX);
	url_add_name(&b, "/upload/what?");
	url_add_query(&b, "none", NULL);
	assert_string_equal(buf_str(&b), "/upload/what%3F");
	url_add_query(&b, "priority", "3");
	url_add_query(&b, "client_id", "a&b/c d");
	assert_string_equal(
	    buf_str(&b), "/upload/what%3F?priority=3&client_id=a%26b%2Fc%20d");
	buf_fini(&b);
}

TEST(test_sft_url__the_longest_name_fits)
{
	char name[1025];
	struct buf b;

	memset(name, '\xe5', 1024);
	name[1024] = '\0';
	buf_init(&b, URL_MAX);
	buf_append_str(&b, "/download/");
	url_add_name(&b, name);
	assert_int_equal(b.len, 10 + 3 * 1024);
	buf_fini(&b);
}
