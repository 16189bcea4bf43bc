/* SPDX-License-Identifier: MIT */
#include "proto/sio.h"

#include "unit.h"

TEST(test_proto_sio__parses_packets)
{
	static const struct {
		const char *text;
		int type;
		unsigned attachments;
		const char *nsp;
		bool has_id;
		uint64_t id;
		const char *json;
	} rows[] = {
		{ "0", SIO_CONNECT, 0, "/", false, 0, "" },
		{ "0{\"a\":1}", SIO_CONNECT, 0, "/", false, 0, "{\"a\":1}" },
		{ "0/admin,{}", SIO_CONNECT, 0, "/admin", false, 0, "{}" },
		{ "0/admin", SIO_CONNECT, 0, "/admin", false, 0, "" },
		{ "0/,", SIO_CONNECT, 0, "/", false, 0, "" },
		{ "1", SIO_DISCONNECT, 0, "/", false, 0, "" },
		{ "2[\"a\"]", SIO_EVENT, 0, "/", false, 0, "[\"a\"]" },
		{ "212[\"a\"]", SIO_EVENT, 0, "/", true, 12, "[\"a\"]" },
		{ "2/x,0[]", SIO_EVENT, 0, "/x", true, 0, "[]" },
		{ "39007199254740991[]", SIO_ACK, 0, "/", true, SIO_ID_MAX,
		    "[]" },
		{ "51-[\"a\"]", SIO_BINARY_EVENT, 1, "/", false, 0, "[\"a\"]" },
		{ "516-/x,7[]", SIO_BINARY_EVENT, 16, "/x", true, 7, "[]" },
		{ "60-3[]", SIO_BINARY_ACK, 0, "/", true, 3, "[]" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sio_packet p;

		assert_int_equal(
		    sio_parse(slice_str(rows[i].text), &p, NULL), 0);
		assert_int_equal((int)p.type, rows[i].type);
		assert_int_equal(p.attachments, rows[i].attachments);
		assert_true(slice_eq_str(p.nsp, rows[i].nsp));
		assert_int_equal(p.has_id, rows[i].has_id);
		assert_int_equal(p.id, rows[i].id);
		assert_true(slice_eq_str(p.json, rows[i].json));
		assert_int_equal(sio_is_default(p.nsp), p.nsp.n == 1);
	}
}

TEST(test_proto_sio__refuses_what_is_no_packet)
{
	static const char *const rows[] = {
		"",
		"7",
		"x",
		"/",
		"5",
		"5[\"a\"]",
		"5-[\"a\"]",
		"517-[\"a\"]",
		"599999999999999999999-[]",
		"29007199254740992[]",
		"299999999999999999999999[]",
		"0/a\x1e,",
		"0/a\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct sio_packet p;

		assert_int_equal(sio_parse(slice_str(rows[i]), &p, &e), -1);
		assert_int_equal(e.code, ERR_MALFORMED_REQUEST);
	}
}

TEST(test_proto_sio__puts_packets)
{
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(sio_put_connect(&b, "abc"), 0);
	assert_string_equal(buf_str(&b), "0{\"sid\":\"abc\"}");
	buf_clear(&b);
	assert_int_equal(
	    sio_put_connect_error(&b, SLICE_LIT("/"), SLICE_LIT("{}")), 0);
	assert_string_equal(buf_str(&b), "4{}");
	buf_clear(&b);
	assert_int_equal(
	    sio_put_connect_error(&b, SLICE_LIT("/x"), SLICE_LIT("{}")), 0);
	assert_string_equal(buf_str(&b), "4/x,{}");
	buf_clear(&b);
	assert_int_equal(sio_put_event(&b, "hi", SLICE_LIT("{\"a\":1}")), 0);
	assert_string_equal(buf_str(&b), "2[\"hi\",{\"a\":1}]");
	buf_clear(&b);
	assert_int_equal(sio_put_ack(&b, 12, SLICE_LIT("{}")), 0);
	assert_string_equal(buf_str(&b), "312[{}]");
	buf_fini(&b);
}

TEST(test_proto_sio__puts_all_of_a_packet_or_nothing)
{
	struct buf b;

	buf_init(&b, 5);
	assert_int_equal(sio_put_connect(&b, "abc"), -1);
	assert_int_equal(
	    sio_put_connect_error(&b, SLICE_LIT("/x"), SLICE_LIT("{}")), -1);
	assert_int_equal(sio_put_event(&b, "hi", SLICE_LIT("{}")), -1);
	assert_int_equal(sio_put_ack(&b, 12, SLICE_LIT("{}")), -1);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}
