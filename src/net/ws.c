/* SPDX-License-Identifier: MIT */
#include "net/ws.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "crypto/checksum.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_BYTES 16
#define SHA1_BYTES 20
#define KEPT_BYTES 1024u /* of a message's memory, for the next one */

/* --- frames in ---------------------------------------------------------------
 */

void
ws_reader_init(struct ws_reader *r, size_t max)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->message, max);
}

void
ws_reader_fini(struct ws_reader *r)
{
	buf_fini(&r->message);
}

static bool
is_control(unsigned opcode)
{
	return opcode >= WS_CLOSE;
}

/* How long the head is, as far as what there is of it says. */
static size_t
head_size(const struct ws_reader *r)
{
	unsigned length;

	if (r->head_n < 2)
		return 2;
	length = r->head[1] & 0x7fu;
	if (length == 126)
		return 2 + 2 + 4;
	return length == 127 ? 2 + 8 + 4 : 2 + 4;
}

static uint64_t
read_number(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* The first two bytes are there: what they break, as a code; 0: nothing. */
static int
check_start(const struct ws_reader *r)
{
	unsigned opcode = r->head[0] & 0x0fu;
	bool is_final = (r->head[0] & 0x80u) != 0;
	unsigned length = r->head[1] & 0x7fu;

	if ((r->head[0] & 0x70u) != 0 || (r->head[1] & 0x80u) == 0)
		return WS_PROTOCOL_ERROR;
	switch (opcode) {
	case WS_CONTINUATION:
		return r->started == 0 ? WS_PROTOCOL_ERROR : 0;
	case WS_TEXT:
	case WS_BINARY:
		return r->started != 0 ? WS_PROTOCOL_ERROR : 0;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return !is_final || length > WS_CONTROL_MAX ? WS_PROTOCOL_ERROR
		                                            : 0;
	default:
		return WS_PROTOCOL_ERROR;
	}
}

/* The head is whole. */
static int
start_payload(struct ws_reader *r)
{
	size_t n = head_size(r);
	size_t length_n = n - 2 - 4;

	r->opcode = r->head[0] & 0x0fu;
	r->is_final = (r->head[0] & 0x80u) != 0;
	r->left = length_n == 0 ? r->head[1] & 0x7fu
	                        : read_number(r->head + 2, length_n);
	/* The shortest form, and no sign. */
	if ((length_n == 2 && r->left < 126) ||
	    (length_n == 8 && (r->left <= UINT16_MAX || r->left > INT64_MAX)))
		return WS_PROTOCOL_ERROR;
	if (!is_control(r->opcode) && r->left > r->message.max - r->message.len)
		return WS_TOO_BIG;
	memcpy(r->mask, r->head + n - 4, 4);
	r->mask_at = 0;
	r->control_n = 0;
	r->in_payload = true;
	r->head_n = 0;
	if (r->opcode == WS_TEXT || r->opcode == WS_BINARY)
		r->started = r->opcode;
	return 0;
}

/* Until the head is whole: 1, 0 when more is needed, or a code. */
static int
read_head(struct ws_reader *r, struct slice *in)
{
	int code;

	while (r->head_n < head_size(r)) {
		if (in->n == 0)
			return 0;
		r->head[r->head_n++] = (unsigned char)*in->p;
		in->p++;
		in->n--;
		if (r->head_n != 2)
			continue;
		code = check_start(r);
		if (code != 0)
			return code;
	}
	code = start_payload(r);
	return code == 0 ? 1 : code;
}

static void
unmask(struct ws_reader *r, unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= r->mask[(r->mask_at + i) & 3];
	r->mask_at = (unsigned char)((r->mask_at + n) & 3);
}

static int
read_payload(struct ws_reader *r, struct slice *in)
{
	size_t n = in->n < r->left ? in->n : (size_t)r->left;
	unsigned char *to;

	if (n == 0)
		return 0;
	if (is_control(r->opcode)) {
		to = r->control + r->control_n;
	} else {
		to = buf_reserve(&r->message, n);
		if (to == NULL)
			return WS_TOO_BIG;
	}
	memcpy(to, in->p, n);
	unmask(r, to, n);
	if (is_control(r->opcode))
		r->control_n = (unsigned char)(r->control_n + n);
	else
		buf_add(&r->message, n);
	r->left -= n;
	in->p += n;
	in->n -= n;
	return 0;
}

bool
ws_code_is_valid(int code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
	       code != 1006;
}

static int
take_control(struct ws_reader *r, struct ws_message *ret)
{
	ret->opcode = (enum ws_opcode)r->opcode;
	ret->data = (struct slice){ (const char *)r->control, r->control_n };
	if (r->opcode != WS_CLOSE || r->control_n == 0)
		return 0;
	if (r->control_n == 1)
		return WS_PROTOCOL_ERROR;
	ret->code = (int)read_number(r->control, 2);
	ret->data.p += 2;
	ret->data.n -= 2;
	if (!ws_code_is_valid(ret->code))
		return WS_PROTOCOL_ERROR;
	return utf8_is_valid(ret->data) ? 0 : WS_BAD_DATA;
}

static int
take_message(struct ws_reader *r, struct ws_message *ret)
{
	ret->opcode = (enum ws_opcode)r->started;
	ret->data = buf_slice(&r->message);
	r->started = 0;
	if (ret->opcode == WS_TEXT && !utf8_is_valid(ret->data))
		return WS_BAD_DATA;
	return 0;
}

/* The message before has been seen. */
static void
forget_message(struct ws_reader *r)
{
	if (r->started != 0)
		return;
	if (r->message.cap > KEPT_BYTES)
		buf_fini(&r->message);
	buf_clear(&r->message);
}

int
ws_read(struct ws_reader *r, struct slice *in, struct ws_message *ret,
    int *ret_code)
{
	int rc;

	forget_message(r);
	for (;;) {
		rc = r->in_payload ? 1 : read_head(r, in);
		if (rc == 0)
			return 0;
		if (rc == 1)
			rc = read_payload(r, in);
		if (rc > 1)
			break;
		if (r->left > 0)
			return 0;
		r->in_payload = false;
		if (!is_control(r->opcode) && !r->is_final)
			continue;
		*ret = (struct ws_message){ .code = 0 };
		rc = is_control(r->opcode) ? take_control(r, ret)
		                           : take_message(r, ret);
		if (rc == 0)
			return 1;
		break;
	}
	*ret_code = rc;
	return -1;
}

/* --- frames out --------------------------------------------------------------
 */

size_t
ws_head(unsigned char ret[WS_HEAD_MAX], enum ws_opcode opcode, size_t n)
{
	ret[0] = (unsigned char)(0x80u | (unsigned)opcode);
	if (n < 126) {
		ret[1] = (unsigned char)n;
		return 2;
	}
	if (n <= UINT16_MAX) {
		ret[1] = 126;
		ret[2] = (unsigned char)(n >> 8);
		ret[3] = (unsigned char)(n & 0xff);
		return 4;
	}
	ret[1] = 127;
	for (unsigned i = 0; i < 8; i++)
		ret[2 + i] =
		    (unsigned char)((uint64_t)n >> (56 - 8 * i) & 0xff);
	return 10;
}

/* --- the opening handshake
 * ----------------------------------------------------- */

/* Is it in the list that all fields ${name} are? */
static bool
has_word(const struct http_request *req, const char *name, const char *word)
{
	struct slice list, part;

	for (size_t i = 0; i < req->field_count; i++) {
		if (!slice_eq_nocase(req->fields[i].name, name))
			continue;
		list = req->fields[i].value;
		while (slice_next(&list, ',', &part))
			if (slice_eq_nocase(slice_trim(part), word))
				return true;
	}
	return false;
}

static void
accept_key(struct slice key, char ret[WS_ACCEPT_SIZE])
{
	struct checksum *c = checksum_new(CHECKSUM_SHA1);
	unsigned char sum[CHECKSUM_MAX_SIZE];

	_Static_assert(BASE64_SIZE(SHA1_BYTES) == WS_ACCEPT_SIZE, "it fits");
	checksum_add(c, key.p, key.n);
	checksum_add(c, GUID, strlen(GUID));
	checksum_final(c, sum);
	checksum_free(c);
	base64_encode(sum, SHA1_BYTES, ret);
}

int
ws_handshake(const struct http_request *req, char ret_accept[WS_ACCEPT_SIZE],
    struct err *err)
{
	struct slice key = http_field(req, "sec-websocket-key");
	unsigned char bytes[KEY_BYTES + 2];
	size_t n = 0;

	if (req->method != HTTP_GET || req->minor == 0 ||
	    !has_word(req, "upgrade", "websocket") ||
	    !has_word(req, "connection", "upgrade"))
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "this is no opening handshake of a WebSocket");
	if (!slice_eq_str(http_field(req, "sec-websocket-version"), "13"))
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "the WebSocket version must be 13");
	if (!base64_decode(key, bytes, sizeof(bytes), &n) || n != KEY_BYTES)
		return err_set(err, ERR_MALFORMED_REQUEST,
		    "the field Sec-WebSocket-Key is malformed");
	accept_key(key, ret_accept);
	return 0;
}
