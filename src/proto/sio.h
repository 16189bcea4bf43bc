/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SIO_H
#define PROTO_SIO_H

/*
 * Socket.IO 5 (https://socket.io/docs/v4/socket-io-protocol/): packets as
 * text, pure.  They are the data of Engine.IO's messages.
 *
 *	<type>[<attachments>-][<namespace>,][<id>][<json>]
 *	2["subscribe_status",{"filename":"a.txt"}]
 *	51-12["picture",{"_placeholder":true,"num":0}]
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum sio_type {
	SIO_CONNECT,
	SIO_DISCONNECT,
	SIO_EVENT,
	SIO_ACK,
	SIO_CONNECT_ERROR,
	SIO_BINARY_EVENT,
	SIO_BINARY_ACK,
	SIO_TYPES
};

#define SIO_ATTACHMENTS_MAX 16u
#define SIO_ID_MAX 9007199254740991ull /* as exact as JavaScript is */

struct sio_packet {
	enum sio_type type;
	unsigned attachments; /* binary messages that follow */
	struct slice nsp;     /* "/" when none is given */
	bool has_id;          /* an acknowledgement is asked for, or given */
	uint64_t id;
	struct slice json; /* not parsed; may be empty */
};

/* ERR_MALFORMED_REQUEST. */
int sio_parse(struct slice text, struct sio_packet *ret, struct err *err);
bool sio_is_default(struct slice nsp);

/* Each appends one packet's text; -1 when ${b} is full. */
int sio_put_connect(struct buf *b, const char *sid);
int sio_put_connect_error(struct buf *b, struct slice nsp, struct slice json);
int sio_put_event(struct buf *b, const char *name, struct slice json);
int sio_put_ack(struct buf *b, uint64_t id, struct slice json);

#endif
