/* SPDX-License-Identifier: MIT */
#ifndef NET_WS_H
#define NET_WS_H

/*
 * WebSocket frames (RFC 6455), a server's side: pure, no sockets.  Extensions
 * are not negotiated, so none of the reserved bits may be set.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "net/http.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

/* Why it ends (7.4.1). */
#define WS_NORMAL 1000
#define WS_GOING_AWAY 1001
#define WS_PROTOCOL_ERROR 1002
#define WS_BAD_DATA 1007
#define WS_POLICY 1008
#define WS_TOO_BIG 1009
#define WS_TRY_LATER 1013

#define WS_CONTROL_MAX 125 /* bytes in a control frame */
#define WS_HEAD_MAX 14

/*
 * Frames of a client to whole messages.  Control frames may come between the
 * frames of a message.  Masks are taken off, text is checked to be UTF-8.
 */
struct ws_reader {
	struct buf message; /* what came of it so far */
	uint64_t left;      /* of the frame's payload */
	unsigned char head[WS_HEAD_MAX];
	unsigned char mask[4];
	unsigned char control[WS_CONTROL_MAX];
	unsigned char head_n;
	unsigned char control_n;
	unsigned char mask_at;
	unsigned char opcode;  /* of the frame */
	unsigned char started; /* opcode of the message; 0: none under way */
	bool is_final;
	bool in_payload;
};

struct ws_message {
	enum ws_opcode opcode; /* WS_TEXT, WS_BINARY, or of control */
	struct slice data; /* until the next call; of WS_CLOSE: the reason */
	int code;          /* of WS_CLOSE; 0: it gave none */
};

/* ${max}: bytes in a message. */
void ws_reader_init(struct ws_reader *r, size_t max);
void ws_reader_fini(struct ws_reader *r);
/*
 * Takes bytes off the front of ${in}: 1 when they completed ${ret}, 0 when
 * they are used up, -1 when they break the rules: *${ret_code} is the code to
 * close with.
 */
int ws_read(struct ws_reader *r, struct slice *in, struct ws_message *ret,
    int *ret_code);

/* The head of an unfragmented frame of ${n} bytes; its length. */
size_t ws_head(unsigned char ret[WS_HEAD_MAX], enum ws_opcode opcode, size_t n);

/* May a peer close with this code? */
bool ws_code_is_valid(int code);

#define WS_ACCEPT_SIZE 29
/*
 * Is it an opening handshake (4.2.1)?  ${ret_accept} is for
 * Sec-WebSocket-Accept.  ERR_MALFORMED_REQUEST.
 */
int ws_handshake(const struct http_request *req,
    char ret_accept[WS_ACCEPT_SIZE], struct err *err);

#endif
