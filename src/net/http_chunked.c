/* SPDX-License-Identifier: MIT */
#include "net/http_chunked.h"

#include <string.h>

#include "net/http_token.h"

#define DIGITS_MAX 16

void
http_chunked_init(struct http_chunked *c)
{
	*c = (struct http_chunked){ .state = HTTP_CHUNKED_SIZE };
}

static int
digit_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

/* Text of extensions and trailers: no controls but the tab. */
static bool
is_text(char ch)
{
	unsigned char u = (unsigned char)ch;

	return (u >= 0x20 && u != 0x7f) || u == '\t';
}

static enum http_chunked_state
step_size(struct http_chunked *c, char ch)
{
	int value = digit_value(ch);

	if (value >= 0) {
		if (++c->n_digits > DIGITS_MAX || c->left > INT64_MAX >> 4)
			return HTTP_CHUNKED_BAD;
		c->left = c->left << 4 | (unsigned)value;
		return HTTP_CHUNKED_DIGITS;
	}
	if (c->n_digits == 0)
		return HTTP_CHUNKED_BAD;
	if (ch == '\r')
		return HTTP_CHUNKED_SIZE_LF;
	return ch == ';' ? HTTP_CHUNKED_EXTENSION : HTTP_CHUNKED_BAD;
}

static enum http_chunked_state
step_extension(struct http_chunked *c, char ch)
{
	if (ch == '\r')
		return HTTP_CHUNKED_SIZE_LF;
	if (!is_text(ch) || ++c->n_extensions > HTTP_CHUNKED_EXTENSIONS_MAX)
		return HTTP_CHUNKED_BAD;
	return HTTP_CHUNKED_EXTENSION;
}

static enum http_chunked_state
step_trailer_name(struct http_chunked *c, char ch)
{
	if (++c->n_trailers > HTTP_CHUNKED_TRAILERS_MAX)
		return HTTP_CHUNKED_BAD;
	if (http_token_is_valid((struct slice){ &ch, 1 }))
		return HTTP_CHUNKED_TRAILER_NAME;
	return ch == ':' ? HTTP_CHUNKED_TRAILER_LINE : HTTP_CHUNKED_BAD;
}

/* At the begin of a line: a field's first byte, or the empty line. */
static enum http_chunked_state
step_trailer(struct http_chunked *c, char ch)
{
	if (ch == '\r')
		return HTTP_CHUNKED_LAST_LF;
	/* no name */
	if (ch == ':')
		return HTTP_CHUNKED_BAD;
	return step_trailer_name(c, ch);
}

static enum http_chunked_state
step_trailer_line(struct http_chunked *c, char ch)
{
	if (ch == '\r')
		return HTTP_CHUNKED_TRAILER_LF;
	if (!is_text(ch) || ++c->n_trailers > HTTP_CHUNKED_TRAILERS_MAX)
		return HTTP_CHUNKED_BAD;
	return HTTP_CHUNKED_TRAILER_LINE;
}

/* The state after the framing byte ${ch}. */
static enum http_chunked_state
step(struct http_chunked *c, char ch)
{
	switch (c->state) {
	case HTTP_CHUNKED_SIZE:
		c->left = 0;
		c->n_digits = 0;
		return step_size(c, ch);
	case HTTP_CHUNKED_DIGITS:
		return step_size(c, ch);
	case HTTP_CHUNKED_EXTENSION:
		return step_extension(c, ch);
	case HTTP_CHUNKED_SIZE_LF:
		if (ch != '\n')
			return HTTP_CHUNKED_BAD;
		return c->left > 0 ? HTTP_CHUNKED_DATA : HTTP_CHUNKED_TRAILER;
	case HTTP_CHUNKED_DATA_CR:
		return ch == '\r' ? HTTP_CHUNKED_DATA_LF : HTTP_CHUNKED_BAD;
	case HTTP_CHUNKED_DATA_LF:
		return ch == '\n' ? HTTP_CHUNKED_SIZE : HTTP_CHUNKED_BAD;
	case HTTP_CHUNKED_TRAILER:
		return step_trailer(c, ch);
	case HTTP_CHUNKED_TRAILER_NAME:
		return step_trailer_name(c, ch);
	case HTTP_CHUNKED_TRAILER_LINE:
		return step_trailer_line(c, ch);
	case HTTP_CHUNKED_TRAILER_LF:
		return ch == '\n' ? HTTP_CHUNKED_TRAILER : HTTP_CHUNKED_BAD;
	case HTTP_CHUNKED_LAST_LF:
		return ch == '\n' ? HTTP_CHUNKED_END : HTTP_CHUNKED_BAD;
	case HTTP_CHUNKED_DATA:
	case HTTP_CHUNKED_END:
	case HTTP_CHUNKED_BAD:
		break;
	}
	return HTTP_CHUNKED_BAD;
}

ptrdiff_t
http_chunked_skip(
    struct http_chunked *c, const char *p, size_t n, struct err *err)
{
	size_t i = 0;

	while (i < n && c->state != HTTP_CHUNKED_DATA &&
	       c->state != HTTP_CHUNKED_END) {
		c->state = step(c, p[i++]);
		if (c->state == HTTP_CHUNKED_BAD)
			return err_set(err, ERR_MALFORMED_REQUEST,
			    "the chunked body is malformed");
	}
	return (ptrdiff_t)i;
}

size_t
http_chunked_take(struct http_chunked *c, size_t n)
{
	if (c->state != HTTP_CHUNKED_DATA)
		return 0;
	if (n > c->left)
		n = (size_t)c->left;
	c->left -= n;
	if (c->left == 0)
		c->state = HTTP_CHUNKED_DATA_CR;
	return n;
}

ptrdiff_t
http_chunked_decode(struct http_chunked *c, char *p, size_t n, size_t *ret_used,
    struct err *err)
{
	size_t in = 0, out = 0, run;
	ptrdiff_t skipped;

	for (;;) {
		skipped = http_chunked_skip(c, p + in, n - in, err);
		if (skipped < 0)
			return -1;
		in += (size_t)skipped;
		run = http_chunked_take(c, n - in);
		if (run == 0)
			break;
		if (in != out)
			memmove(p + out, p + in, run);
		in += run;
		out += run;
	}
	*ret_used = in;
	return (ptrdiff_t)out;
}
