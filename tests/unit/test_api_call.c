/* SPDX-License-Identifier: MIT */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

#include "api_fixture.h"
#include "unit.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONGEST HUNDRED TEN TEN "01234567" /* 128 */

#define BYTES(s)                                                               \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}

TEST(test_api_call__client_id_is_printable_and_bounded)
{
	static const struct {
		struct slice id;
		bool ok;
	} rows[] = {
		{ BYTES(""), true }, { BYTES("a"), true },
		{ BYTES("a b"), true }, { BYTES("\xc3\xa9\xe2\x82\xac"), true },
		{ BYTES(LONGEST), true }, { BYTES(LONGEST "x"), false },
		{ BYTES("a\tb"), false }, { BYTES("a\nb"), false },
		{ BYTES("a\0b"), false }, { BYTES("\x7f"), false },
		{ BYTES("\xc2\x85"), false },           /* C1 */
		{ BYTES("\xe2\x80\xae"), false },       /* override */
		{ BYTES("\xff"), false },               /* no UTF-8 */
		{ BYTES("\xc3"), false },               /* cut short */
		{ BYTES("\xf0\x9f\x98\x80 :)"), true }, /* outside the BMP */
	};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&err);
		assert_int_equal(call_check_client_id(rows[i].id, &err),
		    rows[i].ok ? 0 : -1);
		assert_int_equal(
		    err.code, rows[i].ok ? ERR_NONE : ERR_INVALID_PARAMETER);
	}
}

/* 128 characters, not bytes. */
TEST(test_api_call__client_id_counts_characters)
{
	char id[2 * 129 + 1];
	struct err err = ERR_INIT;
	size_t i;

	for (i = 0; i < 129; i++)
		memcpy(id + 2 * i, "\xc3\xa9", 3);
	assert_int_equal(
	    call_check_client_id((struct slice){ id, 2 * 128 }, &err), 0);
	assert_int_equal(
	    call_check_client_id((struct slice){ id, 2 * 129 }, &err), -1);
}

/* Who it was, as the record keeps it: NULL for what is null. */
TEST(test_api_call__takes_the_client_from_query_or_field)
{
	static const struct {
		const char *query, *fields, *id;
	} rows[] = {
		{ "", NULL, NULL },
		{ "", "X-Client-Id: me\r\n", "me" },
		{ "?client_id=you", NULL, "you" },
		{ "?client_id=you", "X-Client-Id: me\r\n", "you" },
		{ "?client_id=", "X-Client-Id: me\r\n", NULL },
		{ "?client_id=a%20b%C3%A9", NULL, "a b\xc3\xa9" },
		{ "?client_id=a+b", NULL, "a b" },
		{ "?x=1&client_id=2&y=3", NULL, "2" },
	};
	const struct api_request status = { "GET /status/a", NULL, NULL, 0 };
	struct api_request put = { NULL, NULL, "x", 0 };
	struct api_reply r;
	struct api a;
	char line[200];
	json_t *id;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(
		    line, sizeof(line), "PUT /upload/a%s", rows[i].query);
		put.line = line;
		put.fields = rows[i].fields;
		clock_manual_advance(&a.f.clock, 10);
		api_expect(&a, &put, i == 0 ? 201 : 200, NULL);
		api_ask(&a, &status, &r);
		assert_string_equal(api_text(&r, "client_ip"), "127.0.0.1");
		id = json_object_get(r.json, "client_id");
		if (rows[i].id == NULL)
			assert_true(json_is_null(id));
		else
			assert_string_equal(
			    api_text(&r, "client_id"), rows[i].id);
		api_reply_fini(&r);
	}
	api_fini(&a);
}

TEST(test_api_call__refuses_a_bad_client_id_before_anything_is_done)
{
	static const struct {
		const char *line, *fields;
	} rows[] = {
		{ "PUT /upload/a?client_id=%0A", NULL },
		{ "PUT /upload/a?client_id=%FF", NULL },
		{ "PUT /upload/a?client_id=%4", NULL },
		{ "PUT /upload/a?client_id=" LONGEST "x", NULL },
		{ "PUT /upload/a", "X-Client-Id: " LONGEST "x\r\n" },
		{ "PUT /upload/a", "X-Client-Id: \xff\r\n" },
		{ "GET /status?client_id=%0A", NULL },
	};
	struct api_request req = { NULL, NULL, "x", 0 };
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.line = rows[i].line;
		req.fields = rows[i].fields;
		api_expect(&a, &req, 400, "invalid_parameter");
	}
	assert_int_equal(fixture_blobs(&a.f), 0);
	api_fini(&a);
}
