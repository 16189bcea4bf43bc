/* SPDX-License-Identifier: MIT */

/*
 * The digest fields are dictionaries of structured fields (RFC 8941): every
 * member is walked over, so that a field is either right to its end or
 * malformed; only byte sequences are looked into.
 */

#include <string.h>

#include "base/hex.h"
#include "net/http_fields.h"

#define DIGEST_MAX 64 /* SHA-512 */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";

static bool
is_in(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void
skip(struct slice *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static bool
take(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	skip(s, 1);
	return true;
}

static void
skip_sp(struct slice *s)
{
	while (take(s, ' '))
		continue;
}

static void
skip_ows(struct slice *s)
{
	while (take(s, ' ') || take(s, '\t'))
		continue;
}

/* key, RFC 8941 3.1.2 */
static bool
take_key(struct slice *s, struct slice *ret)
{
	size_t n = 0;

	if (s->n == 0 || (s->p[0] != '*' && !is_in(lower, s->p[0])))
		return false;
	while (n < s->n && (is_in(lower, s->p[n]) || is_in(digits, s->p[n]) ||
	                       is_in("_-.*", s->p[n])))
		n++;
	*ret = (struct slice){ s->p, n };
	skip(s, n);
	return true;
}

/* sf-string, without its value */
static bool
skip_string(struct slice *s)
{
	char c;

	skip(s, 1);
	while (s->n > 0) {
		c = s->p[0];
		skip(s, 1);
		if (c == '"')
			return true;
		if (c == '\\' && !take(s, '"') && !take(s, '\\'))
			return false;
		if ((unsigned char)c < 0x20 || (unsigned char)c > 0x7e)
			return false;
	}
	return false;
}

/* sf-integer or sf-decimal, without its value */
static bool
skip_number(struct slice *s)
{
	size_t whole = 0;
	size_t fraction = 0;

	(void)take(s, '-');
	for (; s->n > 0 && is_in(digits, s->p[0]); skip(s, 1))
		whole++;
	if (!take(s, '.'))
		return whole >= 1 && whole <= 15;
	for (; s->n > 0 && is_in(digits, s->p[0]); skip(s, 1))
		fraction++;
	return whole >= 1 && whole <= 12 && fraction >= 1 && fraction <= 3;
}

/* sf-token, without its value */
static bool
skip_token(struct slice *s)
{
	size_t n;

	do {
		n = http_token_length(*s);
		skip(s, n);
	} while (take(s, ':') || take(s, '/'));
	return true;
}

/* sf-binary; ${ret} is its base64 */
static bool
take_bytes(struct slice *s, struct slice *ret)
{
	const char *end;

	skip(s, 1);
	end = s->n == 0 ? NULL : memchr(s->p, ':', s->n);
	if (end == NULL)
		return false;
	*ret = (struct slice){ s->p, (size_t)(end - s->p) };
	skip(s, ret->n + 1);
	return true;
}

/* bare-item; ${ret} is the text of a byte sequence, else null */
static bool
take_bare_item(struct slice *s, struct slice *ret)
{
	char c = s->n > 0 ? s->p[0] : '\0';

	*ret = SLICE_NULL;
	if (c == ':')
		return take_bytes(s, ret);
	if (c == '"')
		return skip_string(s);
	if (c == '-' || is_in(digits, c))
		return skip_number(s);
	if (c == '?') {
		skip(s, 1);
		return take(s, '0') || take(s, '1');
	}
	if (c == '*' || is_in(lower, c) || (c >= 'A' && c <= 'Z'))
		return skip_token(s);
	return false;
}

/* parameters, RFC 8941 3.1.2, without their values */
static bool
skip_params(struct slice *s)
{
	struct slice key, bytes;

	while (take(s, ';')) {
		skip_sp(s);
		if (!take_key(s, &key))
			return false;
		if (take(s, '=') && !take_bare_item(s, &bytes))
			return false;
	}
	return true;
}

/* The rest of an inner-list whose '(' was taken, without its values. */
static bool
skip_inner_list(struct slice *s)
{
	struct slice bytes;

	for (;;) {
		skip_sp(s);
		if (take(s, ')'))
			return true;
		if (!take_bare_item(s, &bytes) || !skip_params(s))
			return false;
		if (s->n == 0 || (s->p[0] != ' ' && s->p[0] != ')'))
			return false;
	}
}

/* dict-member; ${ret} as in take_bare_item() */
static bool
take_member(struct slice *s, struct slice *ret_key, struct slice *ret)
{
	*ret = SLICE_NULL;
	if (!take_key(s, ret_key))
		return false;
	if (take(s, '=')) {
		if (take(s, '(')) {
			if (!skip_inner_list(s))
				return false;
		} else if (!take_bare_item(s, ret)) {
			return false;
		}
	}
	return skip_params(s);
}

/* Base64 whose padding may be missing (RFC 8941 4.2.7), of ${n} bytes. */
static bool
decode(struct slice text, void *ret, size_t n)
{
	char padded[BASE64_SIZE(DIGEST_MAX)];
	unsigned char bytes[DIGEST_MAX];
	size_t got;

	if (text.p == NULL || text.n > sizeof(padded) - 1 || n > DIGEST_MAX)
		return false;
	memcpy(padded, text.p, text.n);
	while (text.n % 4 != 0)
		padded[text.n++] = '=';
	text.p = padded;
	if (!base64_decode(text, bytes, sizeof(bytes), &got) || got != n)
		return false;
	memcpy(ret, bytes, n);
	return true;
}

int
http_digest(struct slice value, const char *algorithm, void *ret, size_t n)
{
	struct slice s = slice_trim(value);
	struct slice found = SLICE_NULL;
	struct slice key, bytes;
	bool is_there = false;

	while (s.n > 0) {
		if (!take_member(&s, &key, &bytes))
			return -1;
		/* Of members with one key the last counts (3.2). */
		if (slice_eq_str(key, algorithm)) {
			is_there = true;
			found = bytes;
		}
		skip_ows(&s);
		if (s.n == 0)
			break;
		if (!take(&s, ','))
			return -1;
		skip_ows(&s);
		if (s.n == 0)
			return -1;
	}
	if (!is_there)
		return 0;
	return decode(found, ret, n) ? 1 : -1;
}
