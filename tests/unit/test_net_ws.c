/* SPDX-License-Identifier: MIT */
#include "net/ws.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MAX 300000

struct outcome {
	int code;   /* that it fails with; 0: it does not */
	unsigned n; /* messages */
	int opcode; /* of the last, as the next two */
	int close_code;
	struct buf data;
};

/* Reads ${in} in pieces of ${piece} bytes, each in memory of its own. */
static void
read_all(struct slice in, size_t piece, size_t max, struct outcome *ret)
{
	struct ws_reader r;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	buf_init(&ret->data, MAX);
	ws_reader_init(&r, max);
	for (size_t at = 0; at < in.n && rc >= 0; at += piece) {
		size_t n = in.n - at < piece ? in.n - at : piece;
		char *copy = malloc(n);
		struct slice rest = { copy, n };
		struct ws_message m;

		assert_non_null(copy);
		memcpy(copy, in.p + at, n);
		while ((rc = ws_read(&r, &rest, &m, &ret->code)) == 1) {
			ret->n++;
			ret->opcode = (int)m.opcode;
			ret->close_code = m.code;
			buf_clear(&ret->data);
			(void)buf_append_slice(&ret->data, m.data);
		}
		if (rc == 0)
			assert_int_equal(rest.n, 0);
		free(copy);
	}
	ws_reader_fini(&r);
}

#define FRAMES(bytes)                                                          \
	{                                                                      \
		bytes, sizeof(bytes) - 1                                       \
	}
#define MASK "\x01\x02\x03\x04"

TEST(test_net_ws__reads_frames_however_they_are_cut)
{
	static const struct {
		struct slice in;
		unsigned n;
		int opcode;
		int close_code;
		const char *data;
	} rows[] = {
		/* "Hello" of RFC 6455, 5.7 */
		{ FRAMES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), 1,
		    WS_TEXT, 0, "Hello" },
		{ FRAMES("\x81\x80" MASK), 1, WS_TEXT, 0, "" },
		{ FRAMES("\x82\x82" MASK "\x60\x60"), 1, WS_BINARY, 0, "ab" },
		/* in three, a ping between */
		{ FRAMES(
		      "\x01\x81" MASK "\x60"
		      "\x89\x80" MASK "\x00\x80" MASK "\x80\x81" MASK "\x63"),
		    2, WS_TEXT, 0, "ab" },
		{ FRAMES("\x89\x81" MASK "\x60"), 1, WS_PING, 0, "a" },
		{ FRAMES("\x88\x80" MASK), 1, WS_CLOSE, 0, "" },
		{ FRAMES("\x88\x83" MASK "\x02\xea\x62"), 1, WS_CLOSE, 1000,
		    "a" },
		{ FRAMES("\x81\xfe\x00\x7e" MASK), 0, 0, 0, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece <= rows[i].in.n; piece++) {
			struct outcome o;

			read_all(rows[i].in, piece, 1000, &o);
			assert_int_equal(o.code, 0);
			assert_int_equal(o.n, rows[i].n);
			assert_int_equal(o.opcode, rows[i].opcode);
			assert_int_equal(o.close_code, rows[i].close_code);
			assert_string_equal(buf_str(&o.data), rows[i].data);
			buf_fini(&o.data);
		}
	}
}

TEST(test_net_ws__refuses_what_breaks_the_rules)
{
	static const struct {
		struct slice in;
		int code;
	} rows[] = {
		{ FRAMES("\x81\x00"), WS_PROTOCOL_ERROR }, /* no mask */
		{ FRAMES("\xc1\x80"), WS_PROTOCOL_ERROR }, /* reserved bit */
		{ FRAMES("\x83\x80"), WS_PROTOCOL_ERROR }, /* opcodes */
		{ FRAMES("\x8b\x80"), WS_PROTOCOL_ERROR },
		{ FRAMES("\x80\x80"), WS_PROTOCOL_ERROR }, /* of nothing */
		{ FRAMES("\x01\x80" MASK "\x81\x80"), WS_PROTOCOL_ERROR },
		{ FRAMES("\x09\x80"), WS_PROTOCOL_ERROR }, /* ping in pieces */
		{ FRAMES("\x89\xfe"), WS_PROTOCOL_ERROR }, /* long ping */
		{ FRAMES("\x81\xfe\x00\x7d" MASK), WS_PROTOCOL_ERROR },
		{ FRAMES("\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff" MASK),
		    WS_PROTOCOL_ERROR },
		{ FRAMES("\x81\xff\x80\x00\x00\x00\x00\x01\x00\x00" MASK),
		    WS_PROTOCOL_ERROR },
		{ FRAMES("\x88\x81" MASK "\x00"), WS_PROTOCOL_ERROR },
		{ FRAMES("\x88\x82" MASK "\x02\xef"), WS_PROTOCOL_ERROR },
		{ FRAMES("\x88\x83" MASK "\x02\xea\xfc"), WS_BAD_DATA },
		{ FRAMES("\x81\x81" MASK "\xfe"), WS_BAD_DATA },
		{ FRAMES("\x82\xfe\x03\xe9" MASK), WS_TOO_BIG },
		{ FRAMES("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK),
		    WS_TOO_BIG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece <= rows[i].in.n; piece++) {
			struct outcome o;

			read_all(rows[i].in, piece, 1000, &o);
			assert_int_equal(o.code, rows[i].code);
			assert_int_equal(o.n, 0);
			buf_fini(&o.data);
		}
	}
}

/* A character may be cut by frames, and not by the end of the message. */
TEST(test_net_ws__text_is_whole_at_its_end)
{
	static const char good[] = "\x01\x81" MASK "\xc2"
	                           "\x80\x81" MASK "\xa8";
	static const char bad[] = "\x81\x81" MASK "\xc2";
	struct outcome o;

	read_all((struct slice){ good, sizeof(good) - 1 }, 3, 100, &o);
	assert_int_equal(o.code, 0);
	assert_string_equal(buf_str(&o.data), "\xc3\xa9");
	buf_fini(&o.data);
	read_all((struct slice){ bad, sizeof(bad) - 1 }, 3, 100, &o);
	assert_int_equal(o.code, WS_BAD_DATA);
	buf_fini(&o.data);
}

TEST(test_net_ws__a_message_has_a_limit_over_all_its_frames)
{
	struct outcome o;
	struct buf in;

	for (size_t max = 9; max <= 10; max++) {
		buf_init(&in, 1000);
		(void)buf_append(&in, "\x02\x85" MASK "aaaaa", 11);
		(void)buf_append(&in, "\x80\x85" MASK "aaaaa", 11);
		read_all(buf_slice(&in), 1000, max, &o);
		assert_int_equal(o.code, max == 10 ? 0 : WS_TOO_BIG);
		buf_fini(&o.data);
		buf_fini(&in);
	}
}

/* What is written as a server, and masked, is read. */
TEST(test_net_ws__lengths_have_three_forms)
{
	static const struct {
		size_t n, head;
	} rows[] = {
		{ 0, 2 },
		{ 125, 2 },
		{ 126, 4 },
		{ 65535, 4 },
		{ 65536, 10 },
		{ 200000, 10 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char head[WS_HEAD_MAX];
		size_t n = ws_head(head, WS_BINARY, rows[i].n);
		struct outcome o;
		struct buf in;

		assert_int_equal(n, rows[i].head);
		assert_int_equal(head[0], 0x82);
		assert_int_equal(head[1] & 0x80, 0);
		head[1] |= 0x80;
		buf_init(&in, MAX);
		(void)buf_append(&in, head, n);
		(void)buf_append(&in, "\0\0\0\0", 4);
		for (size_t j = 0; j < rows[i].n; j++)
			(void)buf_append_char(&in, (char)j);
		read_all(buf_slice(&in), 10000, MAX, &o);
		assert_int_equal(o.code, 0);
		assert_int_equal(o.n, 1);
		assert_int_equal(o.data.len, rows[i].n);
		if (rows[i].n > 0)
			assert_memory_equal(
			    o.data.p, in.p + in.len - rows[i].n, rows[i].n);
		buf_fini(&o.data);
		buf_fini(&in);
	}
}

static struct http_field fields[] = {
	{ { "Upgrade", 7 }, { "websocket", 9 } },
	{ { "Connection", 10 }, { "keep-alive, Upgrade", 19 } },
	{ { "Sec-WebSocket-Version", 21 }, { "13", 2 } },
	{ { "Sec-WebSocket-Key", 17 }, { "dGhlIHNhbXBsZSBub25jZQ==", 24 } },
};

TEST(test_net_ws__answers_the_handshake_of_the_rfc)
{
	struct http_request req = {
		.method = HTTP_GET,
		.minor = 1,
		.fields = fields,
		.field_count = 4,
	};
	char accept[WS_ACCEPT_SIZE];
	struct err e = ERR_INIT;

	assert_int_equal(ws_handshake(&req, accept, &e), 0);
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	req.method = HTTP_POST;
	assert_int_equal(ws_handshake(&req, accept, &e), -1);
	req.method = HTTP_GET;
	req.minor = 0;
	assert_int_equal(ws_handshake(&req, accept, &e), -1);
	req.minor = 1;
	for (req.field_count = 0; req.field_count < 4; req.field_count++)
		assert_int_equal(ws_handshake(&req, accept, &e), -1);
}
