/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "net/http_fields.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_net_http_fields__walks_parameters)
{
	static const struct {
		const char *in;
		const char *out; /* name=value; and '!' when malformed */
	} cases[] = {
		{ "", "" },
		{ "   ", "" },
		{ ";", "" },
		{ "; ;\t;", "" },
		{ ";a=b", "a=b;" },
		{ "; a=b; C=\"d e\"", "a=b;C=d e;" },
		{ " ; a=b ;c=d ;", "a=b;c=d;" },
		{ ";a=\"\"", "a=;" },
		{ ";a=\"x\\\"y\\\\z\\w\"", "a=x\"y\\zw;" },
		{ ";a=\"x;y\";b=c", "a=x;y;b=c;" },
		{ ";a=\"x\xc3\xa4\"", "a=x\xc3\xa4;" },
		{ ";a*=UTF-8''%20", "a*=UTF-8''%20;" },
		{ "a=b", "!" },
		{ ";a", "!" },
		{ ";a=", "!" },
		{ ";=b", "!" },
		{ ";a =b", "!" },
		{ ";a= b", "!" },
		{ ";a=b c", "a=b;!" },
		{ ";a=\"b", "!" },
		{ ";a=\"b\\\"", "!" },
		{ ";a=\"b\\", "!" },
		{ ";a=\"b\"c", "a=b;!" },
		{ ";a=\"b\nc\"", "!" },
		{ ";a=\"b\\\x7f\"", "!" },
		{ ";a=\xc3\xa4", "!" },
		{ ";a=b,c", "a=b;!" },
	};
	struct slice rest, name;
	struct buf out, value;
	size_t i;
	int more;

	buf_init(&out, 200);
	buf_init(&value, 200);
	for (i = 0; i < COUNT(cases); i++) {
		rest = slice_str(cases[i].in);
		buf_clear(&out);
		while ((more = http_param_next(&rest, &name, &value)) > 0) {
			buf_append_slice(&out, name);
			buf_append_char(&out, '=');
			buf_append_slice(&out, buf_slice(&value));
			buf_append_char(&out, ';');
		}
		if (more < 0)
			buf_append_char(&out, '!');
		assert_string_equal(buf_str(&out), cases[i].out);
	}
	buf_fini(&out);
	buf_fini(&value);
}

TEST(test_net_http_fields__parameter_stops_at_the_maximum)
{
	struct slice rest = SLICE_LIT(";a=123;a=1234");
	struct slice name;
	struct buf value;

	buf_init(&value, 3);
	assert_int_equal(http_param_next(&rest, &name, &value), 1);
	assert_int_equal(http_param_next(&rest, &name, &value), -1);
	buf_fini(&value);
}

TEST(test_net_http_fields__names_an_attachment)
{
	static const struct {
		const char *name;
		const char *out; /* after "attachment; " */
	} cases[] = {
		{ "a.txt", "filename=\"a.txt\"; filename*=UTF-8''a.txt" },
		{ "a b.txt",
		    "filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt" },
		{ "a\"b\\c%41",
		    "filename=\"a_b_c_41\"; filename*=UTF-8''a%22b%5Cc%2541" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80.x",
		    "filename=\"___.x\"; "
		    "filename*=UTF-8''%C3%A4%E2%82%AC%F0%9F%98%80.x" },
		{ "a;b='c'*", "filename=\"a;b='c'*\"; "
		              "filename*=UTF-8''a%3Bb%3D%27c%27%2A" },
		/* no name has them; still no line may end here */
		{ "a\r\nb\x7f", "filename=\"a__b_\"; "
		                "filename*=UTF-8''a%0D%0Ab%7F" },
	};
	struct buf b;
	size_t i;

	buf_init(&b, 200);
	for (i = 0; i < COUNT(cases); i++) {
		buf_clear(&b);
		assert_int_equal(
		    http_disposition_attachment(cases[i].name, &b), 0);
		assert_true(slice_starts(buf_slice(&b), "attachment; "));
		assert_string_equal(buf_str(&b) + 12, cases[i].out);
	}
	buf_fini(&b);
	buf_init(&b, 40);
	assert_int_equal(http_disposition_attachment("a.txt", &b), -1);
	buf_fini(&b);
}

TEST(test_net_http_fields__matches_entity_tags)
{
	static const struct {
		const char *value;
		bool weak;
		bool matches; /* "abc" */
	} cases[] = {
		{ "", true, false },
		{ "*", false, true },
		{ " * ", false, true },
		{ "\"abc\"", false, true },
		{ "\"abc\"", true, true },
		{ "W/\"abc\"", true, true },
		{ "W/\"abc\"", false, false },
		{ "w/\"abc\"", true, false },
		{ "\"ABC\"", true, false },
		{ "abc", true, false },
		{ "\"abcd\"", true, false },
		{ "\"ab\"", true, false },
		{ "\"\"", true, false },
		{ "\"x\", \"abc\"", true, true },
		{ "\"x\",W/\"y\" ,\t\"abc\",", true, true },
		{ ", ,\"abc\"", true, true },
		{ "\"x,\"abc\"", true, false },
		{ "\"x\" \"abc\"", true, false },
		{ "\"abc", true, false },
		{ "\"abc\" x", true, false },
		{ "x, \"abc\"", true, false },
		{ "*, \"abc\"", true, false },
		{ "\"a bc\", \"abc\"", true, false },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		if (http_etag_matches(slice_str(cases[i].value), "abc",
		        cases[i].weak) != cases[i].matches)
			fail_msg("'%s'", cases[i].value);
	}
}

TEST(test_net_http_fields__knows_a_media_type)
{
	static const struct {
		const char *value;
		bool is_json;
	} cases[] = {
		{ "application/json", true },
		{ "Application/JSON", true },
		{ " application/json ; charset=utf-8", true },
		{ "application/json;", true },
		{ "application/jsonp", false },
		{ "text/plain; application/json", false },
		{ "", false },
		{ ";", false },
		{ NULL, false },
	};
	size_t i;

	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(http_media_type_is(slice_str(cases[i].value),
		                     "application/json"),
		    cases[i].is_json);
}

TEST(test_net_http_fields__measures_a_token)
{
	assert_int_equal(http_token_length(SLICE_LIT("")), 0);
	assert_int_equal(http_token_length(SLICE_LIT("ab-C_1!~ x")), 8);
	assert_int_equal(http_token_length(SLICE_LIT("a\0b")), 1);
	assert_int_equal(http_token_length(SLICE_LIT("a:b")), 1);
	assert_int_equal(http_token_length(SLICE_LIT("\xc3\xa4")), 0);
}
