/* SPDX-License-Identifier: MIT */
#include "engine/picture.h"

#include <string.h>

#include "engine/picture_priv.h"

/* What tells the kind lies within so many bytes. */
#define MAGIC_SIZE 12

const unsigned char *
peek(struct peek *k, uint64_t offset, size_t n)
{
	uint64_t size = k->bytes->size;

	if (k->has_failed || n > PEEK_MAX || offset > size || n > size - offset)
		return NULL;
	if (offset >= k->at && offset - k->at <= k->n &&
	    n <= k->n - (offset - k->at))
		return k->window + (offset - k->at);
	if (k->reads == PEEK_READS_MAX)
		return NULL;
	k->reads++;
	k->at = offset;
	k->n = size - offset < PEEK_MAX ? (size_t)(size - offset) : PEEK_MAX;
	if (k->bytes->read(k->bytes->arg, offset, k->window, k->n, k->err) <
	    0) {
		k->has_failed = true;
		return NULL;
	}
	return k->window;
}

/* --- PNG ------------------------------------------------------------------ */

/* The eXIf chunk stands before the pixels or behind them; what stands behind
 * is what few programs write and fewer heed. */
static void
turn_png(struct peek *k, struct picture_size *ret)
{
	uint64_t at = 8;
	const unsigned char *p;
	uint32_t n;

	while ((p = peek(k, at, 8)) != NULL && memcmp(p + 4, "IDAT", 4) != 0) {
		n = be32(p);
		if (memcmp(p + 4, "eXIf", 4) == 0) {
			picture_turn(k, at + 8, n, ret);
			return;
		}
		at += 12 + (uint64_t)n;
	}
}

static bool
measure_png(struct peek *k, struct picture_size *ret)
{
	const unsigned char *p = peek(k, 8, 16);

	if (p == NULL || be32(p) != 13 || memcmp(p + 4, "IHDR", 4) != 0)
		return false;
	*ret = (struct picture_size){ be32(p + 8), be32(p + 12) };
	turn_png(k, ret);
	return true;
}

/* --- GIF, BMP ---------------------------------------------------------------
 */

static bool
measure_gif(struct peek *k, struct picture_size *ret)
{
	const unsigned char *p = peek(k, 6, 4);

	if (p == NULL)
		return false;
	*ret = (struct picture_size){ le16(p), le16(p + 2) };
	return true;
}

static bool
measure_bmp(struct peek *k, struct picture_size *ret)
{
	const unsigned char *p = peek(k, 14, 12);
	uint32_t header;

	if (p == NULL)
		return false;
	header = le32(p);
	if (header == 12) {
		*ret = (struct picture_size){ le16(p + 4), le16(p + 6) };
		return true;
	}
	if (header < 40 || header > 1024)
		return false;
	*ret = (struct picture_size){ le32(p + 4), le32(p + 8) };
	/* A negative height: its rows stand from top to bottom. */
	if (ret->height > INT32_MAX)
		ret->height = 0u - ret->height;
	return true;
}

/* --- WebP -------------------------------------------------------------------
 */

#define WEBP_HAS_EXIF 0x08

static void
turn_webp(struct peek *k, struct picture_size *ret)
{
	uint64_t at = 12;
	const unsigned char *p;
	uint32_t n;

	while ((p = peek(k, at, 8)) != NULL) {
		n = le32(p + 4);
		if (memcmp(p, "EXIF", 4) == 0) {
			picture_turn(k, at + 8, n, ret);
			return;
		}
		at += 8 + (uint64_t)n + (n & 1);
	}
}

static bool
measure_webp(struct peek *k, struct picture_size *ret)
{
	const unsigned char *p = peek(k, 12, 13);
	uint32_t bits;

	if (p != NULL && memcmp(p, "VP8L", 4) == 0 && p[8] == 0x2f) {
		bits = le32(p + 9);
		*ret = (struct picture_size){
			1 + (bits & 0x3fff),
			1 + (bits >> 14 & 0x3fff),
		};
		return true;
	}
	p = peek(k, 12, 18);
	if (p == NULL)
		return false;
	if (memcmp(p, "VP8X", 4) == 0) {
		*ret = (struct picture_size){
			1 + (le32(p + 12) & 0xffffff),
			1 + (le32(p + 14) >> 8),
		};
		if ((p[8] & WEBP_HAS_EXIF) != 0)
			turn_webp(k, ret);
		return true;
	}
	if (memcmp(p, "VP8 ", 4) != 0 || memcmp(p + 11, "\x9d\x01\x2a", 3) != 0)
		return false;
	*ret = (struct picture_size){
		le16(p + 14) & 0x3fff,
		le16(p + 16) & 0x3fff,
	};
	return true;
}

/* --- all of them ------------------------------------------------------------
 */

static const struct kind {
	const char *magic;
	size_t n;
	size_t at;
	bool (*measure)(struct peek *k, struct picture_size *ret);
} kinds[] = {
	{ "\xff\xd8\xff", 3, 0, picture_jpeg },
	{ "\x89PNG\r\n\x1a\n", 8, 0, measure_png },
	{ "GIF87a", 6, 0, measure_gif },
	{ "GIF89a", 6, 0, measure_gif },
	{ "WEBP", 4, 8, measure_webp },
	{ "II*\0", 4, 0, picture_tiff },
	{ "MM\0*", 4, 0, picture_tiff },
	{ "BM", 2, 0, measure_bmp },
	{ "ftyp", 4, 4, picture_bmff },
};

static const struct kind *
kind_of(struct peek *k)
{
	const unsigned char *p = peek(k, 0, MAGIC_SIZE);

	for (size_t i = 0; p != NULL && i < sizeof(kinds) / sizeof(kinds[0]);
	     i++)
		if (memcmp(p + kinds[i].at, kinds[i].magic, kinds[i].n) == 0)
			return &kinds[i];
	return NULL;
}

int
picture_measure(const struct picture_bytes *bytes, struct picture_size *ret,
    struct err *err)
{
	struct peek k = { .bytes = bytes, .err = err };
	const struct kind *kind = kind_of(&k);
	struct picture_size size = { 0, 0 };
	bool is_known = kind != NULL && kind->measure(&k, &size);

	if (k.has_failed)
		return -1;
	if (!is_known || size.width == 0 || size.height == 0 ||
	    size.width > INT32_MAX || size.height > INT32_MAX)
		return 0;
	*ret = size;
	return 1;
}
