/* SPDX-License-Identifier: MIT */
#ifndef PROTO_EIO_H
#define PROTO_EIO_H

/*
 * Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/): packets and
 * payloads as text, pure.
 *
 *	packet:   type digit, data           "4hello"
 *	payload:  packets, 0x1e between      "4a\x1e4b\x1e2"
 *	          binary ones in base64      "bAQID"
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define EIO_VERSION "4"
#define EIO_SEPARATOR '\x1e'

enum eio_type {
	EIO_OPEN,
	EIO_CLOSE,
	EIO_PING,
	EIO_PONG,
	EIO_MESSAGE,
	EIO_UPGRADE,
	EIO_NOOP,
	EIO_TYPES
};

struct eio_packet {
	enum eio_type type;
	bool is_binary; /* of a message; its data is then of no use to us */
	struct slice data;
};

/* A packet of a payload, or (${is_frame}) a WebSocket's text.
 * ERR_MALFORMED_REQUEST. */
int eio_parse(
    struct slice text, bool is_frame, struct eio_packet *ret, struct err *err);
/* The text of the next packet; false at the end.  An empty payload has one,
 * which is empty: start with *${at_end} false. */
bool eio_next(struct slice *rest, bool *at_end, struct slice *ret_text);

/* Adds to a payload. */
int eio_put(struct buf *b, enum eio_type type, struct slice data);

#endif
