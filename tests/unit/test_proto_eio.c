/* SPDX-License-Identifier: MIT */
#include "proto/eio.h"

#include "unit.h"

TEST(test_proto_eio__parses_packets)
{
	static const struct {
		const char *text;
		bool is_frame;
		int type; /* -1: refused */
		const char *data;
	} rows[] = {
		{ "4hello", false, EIO_MESSAGE, "hello" },
		{ "4", true, EIO_MESSAGE, "" },
		{ "2probe", true, EIO_PING, "probe" },
		{ "3", false, EIO_PONG, "" },
		{ "0{}", false, EIO_OPEN, "{}" },
		{ "6", false, EIO_NOOP, "" },
		{ "bAQID", false, EIO_MESSAGE, "AQID" },
		{ "bAQ==", false, EIO_MESSAGE, "AQ==" },
		{ "b", false, EIO_MESSAGE, "" },
		{ "bAQID", true, -1, "" },
		{ "bA=QD", false, -1, "" },
		{ "b!", false, -1, "" },
		{ "", false, -1, "" },
		{ "7", false, -1, "" },
		{ "x", false, -1, "" },
		{ "/", false, -1, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct eio_packet p;
		int rc = eio_parse(
		    slice_str(rows[i].text), rows[i].is_frame, &p, &e);

		assert_int_equal(rc, rows[i].type < 0 ? -1 : 0);
		if (rc < 0) {
			assert_int_equal(e.code, ERR_MALFORMED_REQUEST);
			continue;
		}
		assert_int_equal((int)p.type, rows[i].type);
		assert_int_equal(p.is_binary, rows[i].text[0] == 'b');
		assert_true(slice_eq_str(p.data, rows[i].data));
	}
}

TEST(test_proto_eio__walks_payloads)
{
	static const struct {
		const char *payload;
		size_t count;
		const char *last;
	} rows[] = {
		{ "", 1, "" },
		{ "4a", 1, "4a" },
		{ "4a\x1e"
		  "4b\x1e"
		  "2",
		    3, "2" },
		{ "4a\x1e", 2, "" },
		{ "\x1e", 2, "" },
		{ "\x1e\x1e"
		  "3",
		    3, "3" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice rest = slice_str(rows[i].payload);
		struct slice text = SLICE_NULL;
		bool at_end = false;
		size_t n = 0;

		while (eio_next(&rest, &at_end, &text))
			n++;
		assert_int_equal(n, rows[i].count);
		assert_true(slice_eq_str(text, rows[i].last));
	}
}

TEST(test_proto_eio__puts_packets_into_a_payload_or_not_at_all)
{
	struct buf b;

	buf_init(&b, 8);
	assert_int_equal(eio_put(&b, EIO_MESSAGE, SLICE_LIT("ab")), 0);
	assert_int_equal(eio_put(&b, EIO_PING, SLICE_NULL), 0);
	assert_string_equal(buf_str(&b), "4ab\x1e"
	                                 "2");
	assert_int_equal(eio_put(&b, EIO_MESSAGE, SLICE_LIT("cd")), -1);
	assert_string_equal(buf_str(&b), "4ab\x1e"
	                                 "2");
	assert_int_equal(eio_put(&b, EIO_MESSAGE, SLICE_LIT("c")), 0);
	buf_fini(&b);
}
