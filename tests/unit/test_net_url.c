/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "net/url.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_net_url__decodes_once)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: broken */
	} cases[] = {
		{ "", "" },
		{ "a.txt", "a.txt" },
		{ "a%20b", "a b" },
		{ "a+b", "a+b" },
		{ "%2F%2f", "//" },
		{ "%252e", "%2e" },
		{ "%C3%A4", "\xc3\xa4" },
		{ "%", NULL },
		{ "%4", NULL },
		{ "%4g", NULL },
		{ "%g4", NULL },
		{ "a%+1", NULL },
		{ "%%34", NULL },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 100);
	for (i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		assert_int_equal(url_decode(slice_str(cases[i].in), false, &b),
		    cases[i].out != NULL);
		if (cases[i].out != NULL)
			assert_string_equal(buf_str(&b), cases[i].out);
	}
	buf_fini(&b);
}

TEST(test_net_url__decodes_plus_in_queries_only)
{
	struct buf b;

	buf_init(&b, 100);
	assert_true(url_decode(SLICE_LIT("a+b%2Bc"), true, &b));
	assert_string_equal(buf_str(&b), "a b+c");
	buf_fini(&b);
}

TEST(test_net_url__keeps_a_decoded_nul)
{
	struct buf b;

	buf_init(&b, 100);
	assert_true(url_decode(SLICE_LIT("a%00b"), false, &b));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.p, "a\0b", 3);
	buf_fini(&b);
}

TEST(test_net_url__stops_at_the_maximum)
{
	struct buf b;

	buf_init(&b, 3);
	assert_true(url_decode(SLICE_LIT("a%62c"), false, &b));
	assert_false(url_decode(SLICE_LIT("d"), false, &b));
	buf_clear(&b);
	assert_int_equal(url_encode(SLICE_LIT("\xff"), false, &b), 0);
	assert_int_equal(url_encode(SLICE_LIT("d"), false, &b), -1);
	buf_clear(&b);
	assert_int_equal(url_encode(SLICE_LIT("d\xff"), false, &b), -1);
	buf_fini(&b);
}

TEST(test_net_url__encodes_all_but_unreserved)
{
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(
	    url_encode(SLICE_LIT("aZ09-._~ /%\xc3\xa4\n"), false, &b), 0);
	assert_string_equal(buf_str(&b), "aZ09-._~%20%2F%25%C3%A4%0A");
	buf_clear(&b);
	assert_int_equal(url_encode(SLICE_LIT("d/a b"), true, &b), 0);
	assert_string_equal(buf_str(&b), "d/a%20b");
	buf_fini(&b);
}

TEST(test_net_url__walks_a_query)
{
	static const struct {
		const char *in;
		const char *out; /* name>value; */
	} cases[] = {
		{ "", "" },
		{ "a=1", "a>1;" },
		{ "a=1&b=2", "a>1;b>2;" },
		{ "&&a=1&&b=2&", "a>1;b>2;" },
		{ "a", "a>;" },
		{ "a=", "a>;" },
		{ "=1", ">1;" },
		{ "=", ">;" },
		{ "a=b=c", "a>b=c;" },
		{ "a%26=%3D;x", "a%26>%3D;x;" },
	};
	struct slice rest, name, value;
	struct buf b;
	size_t i;

	buf_init(&b, 100);
	for (i = 0; i < COUNT(cases); i++) {
		rest = slice_str(cases[i].in);
		buf_clear(&b);
		while (url_query_next(&rest, &name, &value)) {
			buf_append_slice(&b, name);
			buf_append_char(&b, '>');
			buf_append_slice(&b, value);
			buf_append_char(&b, ';');
		}
		assert_string_equal(buf_str(&b), cases[i].out);
	}
	buf_fini(&b);
}
