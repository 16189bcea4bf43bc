/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "unit.h"

static json_t *
parse(const char *text, struct err *err)
{
	return json_parse(text, strlen(text), err);
}

TEST(test_base_json__parses_and_writes_in_order)
{
	static const char text[] =
	    "{\"z\":1,\"a\":[true,null,\"\xc3\xa9\\u20ac\"],\"m\":-2.5}";
	struct err err = ERR_INIT;
	json_t *j = parse(text, &err);
	struct buf b;

	assert_non_null(j);
	buf_init(&b, 1000);
	buf_append_str(&b, "x");
	assert_int_equal(json_write(j, &b, &err), 0);
	assert_string_equal(buf_str(&b),
	    "x{\"z\":1,\"a\":[true,null,\"\xc3\xa9\xe2\x82\xac\"],\"m\":-2.5}");
	json_decref(j);
	buf_fini(&b);
}

TEST(test_base_json__refuses)
{
	static const char *const bad[] = {
		"",
		" ",
		"1",
		"\"a\"",
		"null",
		"{",
		"{}x",
		"{} {}",
		"[1,]",
		"{\"a\":1,}",
		"{'a':1}",
		"{a:1}",
		"[01]",
		"[+1]",
		"[.5]",
		"[NaN]",
		"[Infinity]",
		"[1e999]",
		"[99999999999999999999]",
		"{\"a\":1,\"a\":2}",
		"[\"\\u0000\"]",
		"{\"\\u0000\":1}",
		"[\"\\ud800\"]",
		"[\"\xff\"]",
		"[\"\xed\xa0\x80\"]",
		"[\"\n\"]",
		"[\"\\x\"]",
		"[tru]",
		"// c\n[]",
		"\xef\xbb\xbf[]",
	};
	struct err err = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&err);
		if (parse(bad[i], &err) != NULL)
			fail_msg("accepts '%s'", bad[i]);
		assert_int_equal(err.code, ERR_INVALID_JSON);
	}
	assert_null(json_parse("[]\0", 3, &err));
	assert_null(json_parse(NULL, 0, &err));
	assert_null(json_parse("{", 1, NULL));
}

TEST(test_base_json__says_where_and_quotes_nothing)
{
	struct err err = ERR_INIT;

	assert_null(parse("{\"a\": 1,\n \"b\": secret}", &err));
	assert_non_null(strstr(err.msg, "line 2, column "));
	assert_null(strstr(err.msg, "secret"));
}

static json_t *
parse_deep(const char *open, const char *close, int depth, struct err *err)
{
	struct buf b;
	json_t *j;
	int i;

	buf_init(&b, 100000);
	for (i = 0; i < depth; i++)
		buf_append_str(&b, open);
	buf_append_str(&b, "[]");
	for (i = 0; i < depth; i++)
		buf_append_str(&b, close);
	j = json_parse(b.p, b.len, err);
	buf_fini(&b);
	return j;
}

TEST(test_base_json__bounds_the_depth)
{
	struct err err = ERR_INIT;
	json_t *j;

	j = parse_deep("[", "]", JSON_DEPTH_MAX - 1, &err);
	assert_non_null(j);
	json_decref(j);
	assert_null(parse_deep("[", "]", JSON_DEPTH_MAX, &err));
	assert_non_null(strstr(err.msg, "32 levels"));
	j = parse_deep("{\"a\":", "}", JSON_DEPTH_MAX - 1, &err);
	assert_non_null(j);
	json_decref(j);
	assert_null(parse_deep("{\"a\":", "}", JSON_DEPTH_MAX, &err));
	assert_null(parse_deep("[", "]", 10000, &err));
	/* brackets in strings do not count */
	j = parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"]", &err);
	assert_non_null(j);
	json_decref(j);
}

TEST(test_base_json__write_keeps_to_the_maximum)
{
	struct err err = ERR_INIT;
	json_t *j = parse("[1,2,3]", &err);
	struct buf b;

	buf_init(&b, 7);
	assert_int_equal(json_write(j, &b, &err), 0);
	buf_fini(&b);
	buf_init(&b, 6);
	buf_append_str(&b, "ab");
	assert_int_equal(json_write(j, &b, &err), -1);
	assert_string_equal(buf_str(&b), "ab");
	buf_fini(&b);
	json_decref(j);
}

TEST(test_base_json__repairs_strings)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "a\xff", "a\xef\xbf\xbd" },
		{ "\xc3", "\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};
	json_t *j;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		j = json_str_or_null(cases[i].in);
		assert_true(json_is_string(j));
		assert_string_equal(json_string_value(j), cases[i].out);
		json_decref(j);
	}
	j = json_str_or_null(NULL);
	assert_true(json_is_null(j));
	json_decref(j);
}

TEST(test_base_json__time_is_rfc3339)
{
	json_t *j = json_time(INT64_C(1795505400007));

	assert_string_equal(json_string_value(j), "2026-11-24T07:30:00.007Z");
	json_decref(j);
}
