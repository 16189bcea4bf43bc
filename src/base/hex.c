/* SPDX-License-Identifier: MIT */
#include "base/hex.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
hex_encode(const void *p, size_t n, char *ret)
{
	const unsigned char *in = p;
	size_t i;

	for (i = 0; i < n; i++) {
		ret[2 * i] = hex_digits[in[i] >> 4];
		ret[2 * i + 1] = hex_digits[in[i] & 15];
	}
	ret[2 * n] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
hex_decode(struct slice text, void *ret, size_t n)
{
	unsigned char *out = ret;
	unsigned high, low;
	size_t i;

	if (text.n % 2 != 0 || text.n / 2 != n)
		return false;
	for (i = 0; i < text.n; i++) {
		if (hex_value(text.p[i]) < 0)
			return false;
	}
	for (i = 0; i < n; i++) {
		high = (unsigned)hex_value(text.p[2 * i]);
		low = (unsigned)hex_value(text.p[2 * i + 1]);
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void
base64_encode(const void *p, size_t n, char *ret)
{
	const unsigned char *in = p;
	unsigned group;
	size_t left;

	for (left = n; left > 0; in += 3, ret += 4) {
		group = (unsigned)in[0] << 16;
		if (left > 1)
			group |= (unsigned)in[1] << 8;
		if (left > 2)
			group |= in[2];
		ret[0] = base64_digits[group >> 18];
		ret[1] = base64_digits[group >> 12 & 63];
		ret[2] = left > 1 ? base64_digits[group >> 6 & 63] : '=';
		ret[3] = left > 2 ? base64_digits[group & 63] : '=';
		left = left > 3 ? left - 3 : 0;
	}
	*ret = '\0';
}

static int
base64_value(char c)
{
	const char *at;

	if (c == '\0')
		return -1;
	at = strchr(base64_digits, c);
	return at == NULL ? -1 : (int)(at - base64_digits);
}

bool
base64_decode(struct slice text, void *ret, size_t cap, size_t *ret_n)
{
	unsigned char *out = ret;
	unsigned bits = 0;
	unsigned n_bits = 0;
	size_t pad = 0;
	size_t n, i;
	int value;

	if (text.n % 4 != 0)
		return false;
	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	if (text.n / 4 * 3 - pad > cap)
		return false;
	n = 0;
	for (i = 0; i < text.n - pad; i++) {
		value = base64_value(text.p[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (unsigned)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[n++] = (unsigned char)(bits >> n_bits & 255);
		}
	}
	/* Bits that pad the last digit must be zero (RFC 4648 3.5), or one
	 * value would have several texts. */
	if ((bits & ((1u << n_bits) - 1)) != 0)
		return false;
	*ret_n = n;
	return true;
}
