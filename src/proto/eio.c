/* SPDX-License-Identifier: MIT */
#include "proto/eio.h"

#include <string.h>

static bool
is_base64(struct slice s)
{
	size_t n = s.n;

	while (n > 0 && s.n - n < 2 && s.p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		        (c >= '0' && c <= '9') || c == '+' || c == '/'))
			return false;
	}
	return true;
}

int
eio_parse(
    struct slice text, bool is_frame, struct eio_packet *ret, struct err *err)
{
	struct slice data;

	if (text.n == 0)
		return err_set(
		    err, ERR_MALFORMED_REQUEST, "an Engine.IO packet is empty");
	data = (struct slice){ text.p + 1, text.n - 1 };
	if (text.p[0] == 'b' && !is_frame && is_base64(data)) {
		*ret = (struct eio_packet){ EIO_MESSAGE, true, data };
		return 0;
	}
	if (text.p[0] < '0' || text.p[0] >= '0' + EIO_TYPES)
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "an Engine.IO packet has no valid type");
	*ret = (struct eio_packet){
		.type = (enum eio_type)(text.p[0] - '0'),
		.data = data,
	};
	return 0;
}

bool
eio_next(struct slice *rest, bool *at_end, struct slice *ret_text)
{
	const char *end;

	if (*at_end)
		return false;
	end = rest->n == 0 ? NULL : memchr(rest->p, EIO_SEPARATOR, rest->n);
	if (end == NULL) {
		*ret_text = *rest;
		*at_end = true;
		return true;
	}
	*ret_text = (struct slice){ rest->p, (size_t)(end - rest->p) };
	rest->n -= ret_text->n + 1;
	rest->p = end + 1;
	return true;
}

int
eio_put(struct buf *b, enum eio_type type, struct slice data)
{
	size_t before = b->len;

	if ((before > 0 && buf_append_char(b, EIO_SEPARATOR) < 0) ||
	    buf_append_char(b, (char)('0' + type)) < 0 ||
	    buf_append_slice(b, data) < 0) {
		b->len = before;
		return -1;
	}
	return 0;
}
