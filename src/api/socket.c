/* SPDX-License-Identifier: MIT */
#include "api/socket.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "proto/limits.h"

#define RANDOM_BYTES 16

struct sockets {
	struct engine *engine;
	struct guard *guard;
	struct beats *beats;
	pthread_mutex_t lock; /* over the following */
	struct map *by_sid;
	struct map *by_client; /* how many, as the value itself */
};

const struct err socket_gone = { ERR_CLOSED, 0, "the connection was closed" };
const struct err socket_bad_packet = { ERR_MALFORMED_REQUEST, 0,
	"the client broke the protocol" };
static const struct err silent = { ERR_TIMEOUT, 0,
	"the client did not answer a ping" };
static const struct err flooded = { ERR_TOO_SLOW, 0,
	"the client does not take the answers that it asks for" };
static const struct err ended = { ERR_SHUTTING_DOWN, 0,
	"the server is shutting down" };

/* --- the table --------------------------------------------------------------
 */

int
sockets_new(struct engine *e, struct guard *guard, struct sockets **ret_sockets,
    struct err *err)
{
	struct sockets *all = mem_calloc(1, sizeof(*all));

	all->engine = e;
	all->guard = guard;
	pthread_mutex_init(&all->lock, NULL);
	all->by_sid = map_new();
	all->by_client = map_new();
	if (beats_new(&all->beats, err) < 0) {
		sockets_free(all);
		return -1;
	}
	*ret_sockets = all;
	return 0;
}

/* One of those that are left, with a reference. */
static struct socket *
any_socket(struct sockets *all)
{
	struct socket *s;
	size_t pos = 0;

	pthread_mutex_lock(&all->lock);
	s = map_next(all->by_sid, &pos, NULL);
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&all->lock);
	return s;
}

void
sockets_free(struct sockets *all)
{
	struct socket *s;

	if (all == NULL)
		return;
	while ((s = any_socket(all)) != NULL) {
		socket_close(s, &ended);
		socket_unref(s);
	}
	beats_free(all->beats);
	map_free(all->by_sid);
	map_free(all->by_client);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct engine *
sockets_engine(const struct sockets *all)
{
	return all->engine;
}

struct guard *
sockets_guard(const struct sockets *all)
{
	return all->guard;
}

struct beats *
sockets_beats(const struct sockets *all)
{
	return all->beats;
}

/* Under the table's lock, as the next. */
static uintptr_t
count_client(const struct sockets *all, struct slice client)
{
	return (uintptr_t)map_get(all->by_client, client);
}

static void
set_client(struct sockets *all, struct slice client, uintptr_t n)
{
	if (n == 0)
		(void)map_remove(all->by_client, client);
	else
		(void)map_put(all->by_client, client, (void *)n);
}

static int
enter(struct socket *s, struct err *err)
{
	const struct settings *st = s->all->engine->settings;
	struct sockets *all = s->all;
	uintptr_t n;
	bool has_room;

	pthread_mutex_lock(&all->lock);
	n = count_client(all, addr_client_bytes(&s->from));
	has_room = (st->max_connections == 0 ||
	               map_count(all->by_sid) < st->max_connections) &&
	           (st->max_connections_per_client == 0 ||
	               n < st->max_connections_per_client);
	if (has_room) {
		set_client(all, addr_client_bytes(&s->from), n + 1);
		(void)map_put(all->by_sid, slice_str(s->sid), s);
	}
	pthread_mutex_unlock(&all->lock);
	if (has_room)
		return 0;
	return err_set(
	    err, ERR_SERVER_BUSY, "there are too many sockets; try again soon");
}

static void
leave(struct socket *s)
{
	struct sockets *all = s->all;

	pthread_mutex_lock(&all->lock);
	(void)map_remove(all->by_sid, slice_str(s->sid));
	set_client(all, addr_client_bytes(&s->from),
	    count_client(all, addr_client_bytes(&s->from)) - 1);
	pthread_mutex_unlock(&all->lock);
}

struct socket *
sockets_find(struct sockets *all, struct slice sid)
{
	struct socket *s;

	pthread_mutex_lock(&all->lock);
	s = map_get(all->by_sid, sid);
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&all->lock);
	return s;
}

/* --- its life ---------------------------------------------------------------
 */

static void
woken(void *arg)
{
	socket_wake(arg);
}

void
socket_unref(struct socket *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	bus_leave(&s->subscriber);
	buf_fini(&s->out);
	pthread_mutex_destroy(&s->input);
	pthread_mutex_destroy(&s->lock);
#ifndef __clang_analyzer__
	/* It does not count, and takes each reference for the last. */
	free(s);
#endif
}

/* False: it was closed before. */
static bool
end(struct socket *s, const struct err *why)
{
	bool was_open;

	pthread_mutex_lock(&s->lock);
	was_open = s->why == NULL;
	if (was_open)
		s->why = why;
	pthread_mutex_unlock(&s->lock);
	if (!was_open)
		return false;
	leave(s);
	bus_unsubscribe_all(&s->subscriber);
	socket_wake(s);
	return true;
}

void
socket_close(struct socket *s, const struct err *why)
{
	if (!end(s, why))
		return;
	if (beat_cancel(s->all->beats, &s->beat))
		socket_unref(s);
	socket_unref(s); /* the table's */
}

static int
append(struct socket *s, enum eio_type type, struct slice data)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = eio_put(&s->out, type, data);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* The beat's reference goes when it is not due any more. */
static int64_t
beat(void *arg)
{
	struct socket *s = arg;
	bool lives;

	pthread_mutex_lock(&s->lock);
	lives = s->why == NULL && (!s->is_pinged || s->has_pong);
	if (lives && !s->is_pinged)
		s->has_pong = false;
	pthread_mutex_unlock(&s->lock);
	/* Nobody is kept who never connects to a namespace. */
	if (s->is_pinged && !atomic_load(&s->is_connected))
		lives = false;
	s->is_pinged = !s->is_pinged;
	if (lives && s->is_pinged)
		lives = append(s, EIO_PING, SLICE_NULL) == 0;
	if (!lives) {
		if (end(s, &silent))
			socket_unref(s); /* the table's */
		socket_unref(s);
		return 0;
	}
	if (!s->is_pinged)
		return SOCKET_PING_INTERVAL_MS - SOCKET_PING_TIMEOUT_MS;
	socket_wake(s);
	return SOCKET_PING_TIMEOUT_MS;
}

static void
new_sid(char ret[SOCKET_SID_SIZE])
{
	unsigned char bytes[RANDOM_BYTES];

	rand_bytes(bytes, sizeof(bytes));
	hex_encode(bytes, sizeof(bytes), ret);
}

int
socket_open(struct sockets *all, const struct socket_start *start,
    struct socket **ret_socket, struct err *err)
{
	struct socket *s = mem_calloc(1, sizeof(*s));

	/* the caller's, the table's, the beat's */
	atomic_init(&s->refs, 3);
	s->all = all;
	s->scope = start->scope;
	s->transport = start->transport;
	s->from = *start->from;
	new_sid(s->sid);
	buf_init(&s->out, LIMIT_SOCKET_OUT);
	pthread_mutex_init(&s->input, NULL);
	pthread_mutex_init(&s->lock, NULL);
	beat_init(&s->beat, beat, s);
	bus_join(all->engine->bus, &s->subscriber, start->who, woken, s);
	if (enter(s, err) < 0) {
		atomic_store(&s->refs, 1);
		socket_unref(s);
		return -1;
	}
	beat_start(all->beats, &s->beat, SOCKET_PING_INTERVAL_MS);
	guard_confirm(all->guard, all->engine->bus, start->who);
	*ret_socket = s;
	return 0;
}

int
socket_put_open(const struct socket *s, struct buf *b)
{
	return buf_printf(b,
	    "{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%d,"
	    "\"pingTimeout\":%d,\"maxPayload\":%u}",
	    s->sid, s->transport == SOCKET_POLLING ? "\"websocket\"" : "",
	    SOCKET_PING_INTERVAL_MS, SOCKET_PING_TIMEOUT_MS, LIMIT_SMALL_BODY);
}

/* --- out --------------------------------------------------------------------
 */

void
socket_wake(struct socket *s)
{
	pthread_mutex_lock(&s->lock);
	if (s->live != NULL) {
		http_live_wake(s->live);
	} else if (s->poll != NULL) {
		http_unpark(s->poll);
		s->poll = NULL;
	}
	pthread_mutex_unlock(&s->lock);
}

void
socket_send(struct socket *s, enum eio_type type, struct slice data)
{
	if (append(s, type, data) < 0)
		socket_close(s, &flooded);
	else
		socket_wake(s);
}

bool
socket_has_some(struct socket *s)
{
	bool has;

	pthread_mutex_lock(&s->lock);
	has = s->out.len > 0 || s->why != NULL || s->is_upgrading;
	pthread_mutex_unlock(&s->lock);
	return has || bus_has_some(&s->subscriber);
}

void
socket_take_out(struct socket *s, struct buf *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = s->out;
	buf_init(&s->out, LIMIT_SOCKET_OUT);
	pthread_mutex_unlock(&s->lock);
}

const struct err *
socket_check(struct socket *s)
{
	const struct err *why;

	pthread_mutex_lock(&s->lock);
	why = s->why;
	pthread_mutex_unlock(&s->lock);
	if (why != NULL)
		return why;
	why = bus_closed(&s->subscriber);
	if (why != NULL) {
		socket_send_error(s, why);
		socket_close(s, why);
	}
	return why;
}

/* --- in ---------------------------------------------------------------------
 */

static int
take(struct socket *s, const struct eio_packet *p, struct err *err)
{
	switch (p->type) {
	case EIO_MESSAGE:
		return socket_message(s, p, err);
	case EIO_PONG:
		pthread_mutex_lock(&s->lock);
		s->has_pong = true;
		pthread_mutex_unlock(&s->lock);
		return 0;
	case EIO_CLOSE:
		socket_close(s, &socket_gone);
		return 0;
	case EIO_OPEN:
	case EIO_PING:
	case EIO_UPGRADE:
	case EIO_NOOP:
	case EIO_TYPES:
		break;
	}
	return err_set(err, ERR_MALFORMED_REQUEST,
	    "an Engine.IO packet is of a type that servers send");
}

int
socket_input(struct socket *s, const struct eio_packet *p, struct err *err)
{
	int rc;

	pthread_mutex_lock(&s->input);
	rc = take(s, p, err);
	pthread_mutex_unlock(&s->input);
	return rc;
}
