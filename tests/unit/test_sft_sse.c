/* SPDX-License-Identifier: MIT */
#include "sft/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* All events as "event=data;". */
static int
collect(void *arg, const char *event, struct slice data, struct err *err)
{
	struct buf *b = arg;

	if (slice_eq_str(data, "stop"))
		return err_set(err, ERR_CLOSED, "enough");
	buf_append_str(b, event);
	buf_append_char(b, '=');
	buf_append_slice(b, data);
	buf_append_char(b, ';');
	return 0;
}

/* ${text} in pieces of ${step} bytes. */
static void
check(const char *text, size_t step, const char *events, const char *id)
{
	struct sse s;
	struct buf b;

	buf_init(&b, 10000);
	sse_init(&s, collect, &b);
	for (size_t at = 0; at < strlen(text); at += step) {
		size_t n = strlen(text) - at < step ? strlen(text) - at : step;

		assert_int_equal(sse_feed(&s, text + at, n, NULL), 0);
	}
	assert_string_equal(buf_str(&b), events);
	assert_string_equal(s.id, id);
	sse_fini(&s);
	buf_fini(&b);
}

TEST(test_sft_sse__events_however_they_come)
{
	static const struct {
		const char *text, *events, *id;
	} cases[] = {
		{ "", "", "" },
		{ "data: a\n\n", "=a;", "" },
		{ "data:a\n\n", "=a;", "" },
		{ "data:  a\n\n", "= a;", "" },
		{ "event: e\nid: 7\ndata: a\n\n", "e=a;", "7" },
		{ "event: e\r\ndata: a\r\n\r\n", "e=a;", "" },
		{ "data: a\ndata: b\n\ndata: c\n\n", "=a\nb;=c;", "" },
		/* The name of an event is its own. */
		{ "event: e\ndata: a\n\ndata: b\n\n", "e=a;=b;", "" },
		/* Comments, other fields, events without data, the unended. */
		{ ": hello\nretry: 5\ndata\nfoo: x\n\n", "=;", "" },
		{ ":\n\nevent: e\n\ndata: a", "", "" },
		{ "id: 1\n\nid: 2\ndata: x\n\nid\n\n", "=x;", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check(cases[i].text, 1, cases[i].events, cases[i].id);
		check(cases[i].text, 3, cases[i].events, cases[i].id);
		check(cases[i].text, 1000, cases[i].events, cases[i].id);
	}
}

TEST(test_sft_sse__a_new_connection_forgets_but_the_id)
{
	struct sse s;
	struct buf b;

	buf_init(&b, 10000);
	sse_init(&s, collect, &b);
	assert_int_equal(
	    sse_feed(&s, "id: 9\ndata: a\n\nevent: e\nda", 26, NULL), 0);
	sse_begin(&s);
	assert_int_equal(sse_feed(&s, "data: b\n\n", 9, NULL), 0);
	assert_string_equal(buf_str(&b), "=a;=b;");
	assert_string_equal(s.id, "9");
	sse_fini(&s);
	buf_fini(&b);
}

TEST(test_sft_sse__refuses_what_is_too_long)
{
	char *line = malloc(SSE_MAX + 1);
	struct err err = ERR_INIT;
	struct sse s;
	struct buf b;

	assert_non_null(line);
	memset(line, 'x', SSE_MAX + 1);
	buf_init(&b, 10000);
	sse_init(&s, collect, &b);
	assert_int_equal(sse_feed(&s, line, SSE_MAX, NULL), 0);
	sse_begin(&s);
	assert_int_equal(sse_feed(&s, line, SSE_MAX + 1, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	sse_begin(&s);
	err_clear(&err);
	/* Who takes the events may stop. */
	assert_int_equal(sse_feed(&s, "data: stop\n\n", 12, &err), -1);
	assert_int_equal(err.code, ERR_CLOSED);
	sse_fini(&s);
	buf_fini(&b);
	free(line);
}
