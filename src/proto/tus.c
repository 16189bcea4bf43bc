/* SPDX-License-Identifier: MIT */
#include "proto/tus.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"

/* --- Upload-Metadata ------------------------------------------------------ */

struct pair {
	struct slice key;
	struct slice value; /* base64; empty: none */
};

/* false at the end. */
static bool
next_pair(struct slice *rest, struct pair *ret)
{
	struct slice text;

	if (!slice_next(rest, ',', &text))
		return false;
	text = slice_trim(text);
	*ret = (struct pair){ text, SLICE_NULL };
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != ' ')
			continue;
		ret->key.n = i;
		ret->value = slice_trim(
		    (struct slice){ text.p + i + 1, text.n - i - 1 });
		break;
	}
	return true;
}

static bool
is_key(struct slice key)
{
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] < 0x21 || key.p[i] > 0x7e || key.p[i] == ',')
			return false;
	return key.n > 0;
}

static bool
decode(struct slice value, struct buf *b)
{
	size_t n = 0;
	void *p;

	if (value.n == 0)
		return true;
	p = buf_reserve(b, value.n);
	if (p == NULL || !base64_decode(value, p, value.n, &n))
		return false;
	buf_add(b, n);
	return true;
}

static bool
is_repeated(struct slice metadata, const struct pair *one)
{
	struct slice rest = metadata;
	struct pair other;

	while (next_pair(&rest, &other) && other.key.p != one->key.p)
		if (slice_eq(other.key, one->key))
			return true;
	return false;
}

int
tus_metadata_check(struct slice metadata, struct err *err)
{
	struct slice rest = metadata;
	struct pair one;
	struct buf b;
	bool good = true;

	buf_init(&b, metadata.n + 1);
	while (good && next_pair(&rest, &one)) {
		buf_clear(&b);
		good = is_key(one.key) && decode(one.value, &b) &&
		       !is_repeated(metadata, &one);
	}
	buf_fini(&b);
	return good ? 0
	            : err_set(err, ERR_INVALID_PARAMETER,
	                  "Upload-Metadata must be pairs of a key and a value "
	                  "in base64, separated by commas, no key twice");
}

int
tus_metadata_get(struct slice metadata, const char *key, struct buf *b)
{
	struct pair one;

	while (next_pair(&metadata, &one))
		if (slice_eq_str(one.key, key))
			return decode(one.value, b) ? 1 : -1;
	return 0;
}

/* --- Upload-Checksum ------------------------------------------------------ */

int
tus_checksum(struct slice field, struct tus_sum *ret, struct err *err)
{
	struct slice rest = field;

	if (!slice_next(&rest, ' ', &ret->name) || ret->name.n == 0 ||
	    rest.n == 0 ||
	    !base64_decode(
	        slice_trim(rest), ret->sum, sizeof(ret->sum), &ret->n))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "Upload-Checksum must be the name of an algorithm "
		    "(" TUS_ALGORITHMS ") and a sum in base64");
	return 0;
}

/* --- Upload-Concat -------------------------------------------------------- */

int
tus_concat(struct slice field, enum tus_concat *ret, struct slice *ret_urls,
    struct err *err)
{
	static const char final[] = "final;";
	size_t n = sizeof(final) - 1;

	*ret_urls = SLICE_NULL;
	if (field.p == NULL) {
		*ret = TUS_WHOLE;
		return 0;
	}
	if (slice_eq_str(field, "partial")) {
		*ret = TUS_PARTIAL;
		return 0;
	}
	if (!slice_starts(field, final))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "Upload-Concat must be 'partial', or 'final;' and the "
		    "URLs of the partial uploads");
	*ret = TUS_FINAL;
	*ret_urls = slice_trim((struct slice){ field.p + n, field.n - n });
	return 0;
}

bool
tus_next_part(struct slice *urls, struct slice *ret_id)
{
	struct slice url;

	do {
		if (!slice_next(urls, ' ', &url))
			return false;
	} while (url.n == 0);
	for (size_t i = url.n; i > 0; i--) {
		if (url.p[i - 1] != '/')
			continue;
		url = (struct slice){ url.p + i, url.n - i };
		break;
	}
	*ret_id = url;
	return true;
}
