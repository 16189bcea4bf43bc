/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "net/http_date.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

TEST(test_net_http_date__writes_the_fixed_form)
{
	static const struct {
		int64_t unix_s;
		const char *text;
	} cases[] = {
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 4102444800, "Fri, 01 Jan 2100 00:00:00 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
	};
	char text[HTTP_DATE_SIZE];
	int64_t back;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		http_date(cases[i].unix_s, text);
		assert_string_equal(text, cases[i].text);
		assert_true(http_date_parse(slice_str(text), &back));
		http_date(back, text);
		assert_string_equal(text, cases[i].text);
	}
}

TEST(test_net_http_date__reads_three_forms)
{
	static const struct {
		const char *text;
		int64_t unix_s;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Wed Nov 16 08:49:37 1994", 784975777 },
		{ "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
		/* a leap second */
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		/* the weekday tells the century */
		{ "Thursday, 01-Jan-70 00:00:00 GMT", 0 },
		{ "Wednesday, 01-Jan-70 00:00:00 GMT", 3155760000 },
		{ "Tuesday, 24-Nov-26 00:00:00 GMT", 1795478400 },
	};
	int64_t unix_s;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		if (!http_date_parse(slice_str(cases[i].text), &unix_s))
			fail_msg("'%s' was refused", cases[i].text);
		assert_int_equal(unix_s, cases[i].unix_s);
	}
}

TEST(test_net_http_date__refuses_all_else)
{
	static const char *const cases[] = {
		"",
		"0",
		"784111777",
		"Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		" Sun, 06 Nov 1994 08:49:37 GMT",
		"sun, 06 nov 1994 08:49:37 gmt",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06  Nov 1994 08:49:37 GMT",
		"Sun 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Wed, 30 Feb 1994 08:49:37 GMT",
		"Thu, 31 Apr 2026 00:00:00 GMT",
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT",
		"Thu, 29 Feb 1900 00:00:00 GMT",
		"Sun, -6 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"Monday, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sun Nov 06 08:49:37 1994 GMT",
		"Sun Nov 6 08:49:37 1994",
		"Mon Nov  6 08:49:37 1994",
	};
	int64_t unix_s;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		if (http_date_parse(slice_str(cases[i]), &unix_s))
			fail_msg("'%s' was taken", cases[i]);
	}
}
