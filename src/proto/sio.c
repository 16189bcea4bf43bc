/* SPDX-License-Identifier: MIT */
#include "proto/sio.h"

#include <string.h>

#include "base/num.h"

static int
bad(const char *what, struct err *err)
{
	return err_set(
	    err, ERR_MALFORMED_REQUEST, "a Socket.IO packet %s", what);
}

static size_t
count_digits(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static struct slice
skip(struct slice s, size_t n)
{
	return (struct slice){ s.p + n, s.n - n };
}

static bool
is_binary(enum sio_type type)
{
	return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

static int
take_attachments(struct slice *rest, struct sio_packet *ret, struct err *err)
{
	size_t n = count_digits(*rest);
	uint64_t count;

	if (n == rest->n || rest->p[n] != '-' ||
	    !num_uint(
	        (struct slice){ rest->p, n }, SIO_ATTACHMENTS_MAX, &count))
		return bad("has no valid number of attachments", err);
	ret->attachments = (unsigned)count;
	*rest = skip(*rest, n + 1);
	return 0;
}

static int
take_namespace(struct slice *rest, struct sio_packet *ret, struct err *err)
{
	const char *end;

	ret->nsp = SLICE_LIT("/");
	if (rest->n == 0 || rest->p[0] != '/')
		return 0;
	end = memchr(rest->p, ',', rest->n);
	ret->nsp.p = rest->p;
	ret->nsp.n = end == NULL ? rest->n : (size_t)(end - rest->p);
	for (size_t i = 0; i < ret->nsp.n; i++)
		if ((unsigned char)ret->nsp.p[i] < 0x20)
			return bad(
			    "has a control character in its namespace", err);
	*rest = skip(*rest, ret->nsp.n + (end == NULL ? 0 : 1));
	return 0;
}

static int
take_id(struct slice *rest, struct sio_packet *ret, struct err *err)
{
	size_t n = count_digits(*rest);

	if (n == 0)
		return 0;
	if (!num_uint((struct slice){ rest->p, n }, SIO_ID_MAX, &ret->id))
		return bad("has an id that is too large", err);
	ret->has_id = true;
	*rest = skip(*rest, n);
	return 0;
}

int
sio_parse(struct slice text, struct sio_packet *ret, struct err *err)
{
	struct slice rest;

	memset(ret, 0, sizeof(*ret));
	if (text.n == 0 || text.p[0] < '0' || text.p[0] >= '0' + SIO_TYPES)
		return bad("has no valid type", err);
	ret->type = (enum sio_type)(text.p[0] - '0');
	rest = skip(text, 1);
	if (is_binary(ret->type) && take_attachments(&rest, ret, err) < 0)
		return -1;
	if (take_namespace(&rest, ret, err) < 0 || take_id(&rest, ret, err) < 0)
		return -1;
	ret->json = rest;
	return 0;
}

bool
sio_is_default(struct slice nsp)
{
	return slice_eq_str(nsp, "/");
}

/* Whole, or not at all. */
static int
put(struct buf *b, const struct slice *parts, size_t n)
{
	size_t before = b->len;

	for (size_t i = 0; i < n; i++) {
		if (buf_append_slice(b, parts[i]) == 0)
			continue;
		b->len = before;
		return -1;
	}
	return 0;
}

int
sio_put_connect(struct buf *b, const char *sid)
{
	const struct slice parts[] = { SLICE_LIT("0{\"sid\":\""),
		slice_str(sid), SLICE_LIT("\"}") };

	return put(b, parts, 3);
}

int
sio_put_connect_error(struct buf *b, struct slice nsp, struct slice json)
{
	bool is_default = sio_is_default(nsp);
	const struct slice parts[] = { SLICE_LIT("4"),
		is_default ? SLICE_LIT("") : nsp,
		is_default ? SLICE_LIT("") : SLICE_LIT(","), json };

	return put(b, parts, 4);
}

int
sio_put_event(struct buf *b, const char *name, struct slice json)
{
	const struct slice parts[] = { SLICE_LIT("2[\""), slice_str(name),
		SLICE_LIT("\","), json, SLICE_LIT("]") };

	return put(b, parts, 5);
}

int
sio_put_ack(struct buf *b, uint64_t id, struct slice json)
{
	size_t before = b->len;

	if (buf_append_char(b, '3') < 0 || buf_append_uint(b, id) < 0 ||
	    buf_append_char(b, '[') < 0 || buf_append_slice(b, json) < 0 ||
	    buf_append_char(b, ']') < 0) {
		b->len = before;
		return -1;
	}
	return 0;
}
