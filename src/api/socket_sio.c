/* SPDX-License-Identifier: MIT */

/* Socket.IO on a socket: who it is, and what it subscribes to. */

#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "api/socket.h"
#include "base/json.h"
#include "engine/feed.h"
#include "proto/filename.h"
#include "proto/limits.h"
#include "proto/sio.h"

/* Encodes ${j} (its reference is taken) into a buffer of its own. */
static struct buf
encode(json_t *j)
{
	struct buf b;

	buf_init(&b, LIMIT_SOCKET_OUT);
	(void)json_write(j, &b, NULL);
	json_decref(j);
	return b;
}

static void
send_packet(struct socket *s, struct buf *packet)
{
	socket_send(s, EIO_MESSAGE, buf_slice(packet));
	buf_fini(packet);
}

void
socket_send_error(struct socket *s, const struct err *e)
{
	struct buf json = encode(reply_error_json(e));
	struct buf packet;

	buf_init(&packet, LIMIT_SOCKET_OUT);
	(void)sio_put_event(&packet, "error", buf_slice(&json));
	buf_fini(&json);
	send_packet(s, &packet);
}

static void
acknowledge(struct socket *s, const struct sio_packet *p, const struct err *e)
{
	struct buf json, packet;

	if (!p->has_id)
		return;
	json = encode(e->code == ERR_NONE ? json_pack("{s:b}", "success", 1)
	                                  : reply_error_json(e));
	buf_init(&packet, LIMIT_SOCKET_OUT);
	(void)sio_put_ack(&packet, p->id, buf_slice(&json));
	buf_fini(&json);
	send_packet(s, &packet);
}

/* --- connecting
 * --------------------------------------------------------------- */

static void
refuse(struct socket *s, const struct sio_packet *p, const struct err *e)
{
	json_t *data = reply_error_json(e);
	json_t *message = json_incref(json_object_get(data, "error"));
	struct buf json, packet;

	/* Clients know this one by its words. */
	if (e->code == ERR_INVALID_NAMESPACE) {
		json_decref(message);
		message = json_string(e->msg);
	}
	json =
	    encode(json_pack("{s:o, s:o}", "message", message, "data", data));
	buf_init(&packet, LIMIT_SOCKET_OUT);
	(void)sio_put_connect_error(&packet, p->nsp, buf_slice(&json));
	buf_fini(&json);
	send_packet(s, &packet);
}

/* The key in ${auth}, if any, makes it somebody else. */
static int
identify(struct socket *s, const json_t *auth, struct err *err)
{
	const struct engine *e = sockets_engine(s->all);
	const json_t *key = json_object_get(auth, "apiKey");
	struct slice text = slice_str(json_string_value(key));
	struct principal who;
	struct visitor v = { .from = s->from };

	if (key != NULL && !json_is_null(key) && !json_is_string(key))
		return err_set(err, ERR_INVALID_API_KEY,
		    "the API key must be a text, in auth.apiKey");
	if (text.n == 0) {
		if (!e->settings->require_api_key || s->subscriber.has_key)
			return 0;
		return err_set(err, ERR_UNAUTHORIZED,
		    "this needs an API key: send it as auth.apiKey");
	}
	if (guard_check_key(sockets_guard(s->all), text, &v, &who, err) < 0)
		return -1;
	if (!auth_allows(&who, s->scope))
		return err_set(
		    err, ERR_FORBIDDEN, "this key lacks the scope for this");
	bus_identify(&s->subscriber, &who);
	guard_confirm(sockets_guard(s->all), e->bus, &who);
	return 0;
}

static int
accept_connect(struct socket *s, const struct sio_packet *p, struct err *err)
{
	struct err why = ERR_INIT;
	json_t *auth = NULL;
	struct buf packet;
	char sid[ID_SIZE];

	if (p->json.n > 0) {
		auth = json_parse(p->json.p, p->json.n, err);
		if (auth == NULL)
			return -1;
	}
	if (!sio_is_default(p->nsp))
		(void)err_set(&why, ERR_INVALID_NAMESPACE, "Invalid namespace");
	else if (atomic_load(&s->is_connected))
		(void)err_set(&why, ERR_INVALID_NAMESPACE,
		    "this socket is connected already");
	else
		(void)identify(s, auth, &why);
	json_decref(auth);
	if (why.code != ERR_NONE) {
		refuse(s, p, &why);
		return 0;
	}
	atomic_store(&s->is_connected, true);
	id_new(clock_wall_ms(sockets_engine(s->all)->clock), sid);
	buf_init(&packet, LIMIT_SOCKET_OUT);
	(void)sio_put_connect(&packet, sid);
	send_packet(s, &packet);
	return 0;
}

/* --- events
 * ------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum bus_kind kind;
	bool is_in;
} events[] = {
	{ "subscribe_status", BUS_FILE, true },
	{ "subscribe_all", BUS_ALL, true },
	{ "subscribe_stats", BUS_STATS, true },
	{ "unsubscribe_status", BUS_FILE, false },
	{ "unsubscribe_all", BUS_ALL, false },
	{ "unsubscribe_stats", BUS_STATS, false },
};

/* *${ret_name} is for the caller to free. */
static int
take_filename(const json_t *payload, char **ret_name, struct err *err)
{
	const json_t *name = json_object_get(payload, "filename");

	if (!json_is_string(name))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the payload must be {\"filename\": \"name of a file\"}");
	return filename_normalise(
	    slice_str(json_string_value(name)), ret_name, err);
}

/* What a client asked to hear of. */
struct wish {
	enum bus_kind kind; /* BUS_KINDS: nothing */
	char *filename;     /* NULL: none; owned */
};

/* *${ret} is filled when its present state is due. */
static int
run_event(struct socket *s, const char *name, const json_t *payload,
    struct wish *ret, struct err *err)
{
	size_t i, n = sizeof(events) / sizeof(events[0]);
	struct bus_place place = { .seen = 0 };
	char *filename = NULL;

	for (i = 0; i < n && strcmp(events[i].name, name) != 0; i++)
		continue;
	if (i == n)
		return err_set(err, ERR_UNKNOWN_EVENT,
		    "there is no such event; there are subscribe_status, "
		    "subscribe_all, subscribe_stats, and unsubscribe_ of each");
	place.kind = events[i].kind;
	if (place.kind == BUS_FILE &&
	    take_filename(payload, &filename, err) < 0)
		return -1;
	place.filename = filename;
	if (!events[i].is_in)
		bus_unsubscribe(&s->subscriber, &place);
	else if (bus_subscribe(&s->subscriber, &place, err) == 0) {
		*ret = (struct wish){ place.kind, filename };
		return 0;
	}
	free(filename);
	return events[i].is_in ? -1 : 0;
}

static int
take_event(struct socket *s, const struct sio_packet *p, struct err *err)
{
	struct wish wish = { BUS_KINDS, NULL };
	struct err why = ERR_INIT;
	const char *name;
	json_t *args;

	args = json_parse(p->json.p, p->json.n, err);
	if (args == NULL)
		return -1;
	name = json_string_value(json_array_get(args, 0));
	if (name == NULL) {
		json_decref(args);
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "an event is a list that begins with its name");
	}
	if (p->type == SIO_BINARY_EVENT)
		(void)err_set(
		    &why, ERR_INVALID_PARAMETER, "no event takes binary data");
	else
		(void)run_event(s, name, json_array_get(args, 1), &wish, &why);
	json_decref(args);
	if (why.code != ERR_NONE)
		socket_send_error(s, &why);
	acknowledge(s, p, &why);
	if (wish.kind != BUS_KINDS)
		feed_present(
		    sockets_engine(s->all)->feed, wish.kind, wish.filename);
	free(wish.filename);
	return 0;
}

/* --- packets
 * ------------------------------------------------------------------ */

static int
take_packet(struct socket *s, const struct sio_packet *p, struct err *err)
{
	if (p->type == SIO_CONNECT)
		return accept_connect(s, p, err);
	if (!atomic_load(&s->is_connected) || !sio_is_default(p->nsp))
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "a packet is for a namespace that is not connected");
	switch (p->type) {
	case SIO_EVENT:
	case SIO_BINARY_EVENT:
		s->attachments = p->attachments;
		return take_event(s, p, err);
	case SIO_DISCONNECT:
		atomic_store(&s->is_connected, false);
		bus_unsubscribe_all(&s->subscriber);
		return 0;
	case SIO_ACK:
	case SIO_BINARY_ACK:
		/* Nothing of ours asks for one. */
		s->attachments = p->attachments;
		return 0;
	case SIO_CONNECT:
	case SIO_CONNECT_ERROR:
	case SIO_TYPES:
		break;
	}
	return err_set(err, ERR_MALFORMED_REQUEST,
	    "a Socket.IO packet is of a type that servers send");
}

int
socket_message(struct socket *s, const struct eio_packet *p, struct err *err)
{
	struct sio_packet packet;

	if (p->is_binary != (s->attachments > 0))
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "a binary message comes where none should, or none where "
		    "one should");
	if (p->is_binary) {
		s->attachments--;
		return 0;
	}
	if (sio_parse(p->data, &packet, err) < 0)
		return -1;
	return take_packet(s, &packet, err);
}
