/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "engine/picture_priv.h"

/* TIFF 6.0 section 2: a directory's entries and their types. */
#define ENTRY_SIZE 12
#define SHORT 3
#define LONG 4
#define IMAGE_WIDTH 256
#define IMAGE_LENGTH 257
#define ORIENTATION 274

/* What lies in its place, byte order included. */
struct tiff {
	struct peek *k;
	uint64_t from;
	uint64_t size;
	bool is_big_endian;
};

static const unsigned char *
look(const struct tiff *t, uint64_t offset, size_t n)
{
	if (offset > t->size || n > t->size - offset)
		return NULL;
	return peek(t->k, t->from + offset, n);
}

static uint32_t
get16(const struct tiff *t, const unsigned char *p)
{
	return t->is_big_endian ? be16(p) : le16(p);
}

static uint32_t
get32(const struct tiff *t, const unsigned char *p)
{
	return t->is_big_endian ? be32(p) : le32(p);
}

static void
take(const struct tiff *t, const unsigned char *entry, struct picture_ifd *ret)
{
	uint32_t type = get16(t, entry + 2);
	uint32_t value;

	if (type != SHORT && type != LONG)
		return;
	value = type == SHORT ? get16(t, entry + 8) : get32(t, entry + 8);
	switch (get16(t, entry)) {
	case IMAGE_WIDTH:
		ret->width = value;
		break;
	case IMAGE_LENGTH:
		ret->height = value;
		break;
	case ORIENTATION:
		ret->orientation = value;
		break;
	default:
		break;
	}
}

bool
picture_ifd(
    struct peek *k, uint64_t from, uint64_t size, struct picture_ifd *ret)
{
	struct tiff t = { k, from, size, false };
	const unsigned char *p = look(&t, 0, 8);
	uint64_t at;
	uint32_t n;

	*ret = (struct picture_ifd){ 0, 0, 0 };
	if (p == NULL)
		return false;
	t.is_big_endian = p[0] == 'M';
	if (p[0] != p[1] || (p[0] != 'I' && p[0] != 'M') ||
	    get16(&t, p + 2) != 42)
		return false;
	at = get32(&t, p + 4);
	p = look(&t, at, 2);
	if (p == NULL)
		return false;
	n = get16(&t, p);
	for (at += 2; n > 0; n--, at += ENTRY_SIZE) {
		p = look(&t, at, ENTRY_SIZE);
		if (p == NULL)
			break;
		take(&t, p, ret);
	}
	return true;
}

static void
turn(uint32_t orientation, struct picture_size *ret)
{
	uint32_t width = ret->width;

	if (orientation < 5 || orientation > 8)
		return;
	ret->width = ret->height;
	ret->height = width;
}

void
picture_turn(
    struct peek *k, uint64_t from, uint64_t size, struct picture_size *ret)
{
	static const unsigned char intro[6] = { 'E', 'x', 'i', 'f', 0, 0 };
	const unsigned char *p = peek(k, from, sizeof(intro));
	struct picture_ifd ifd;

	/* WebP files of some programs have a JPEG's introduction, too. */
	if (p != NULL && size > sizeof(intro) &&
	    memcmp(p, intro, sizeof(intro)) == 0) {
		from += sizeof(intro);
		size -= sizeof(intro);
	}
	if (picture_ifd(k, from, size, &ifd))
		turn(ifd.orientation, ret);
}

bool
picture_tiff(struct peek *k, struct picture_size *ret)
{
	struct picture_ifd ifd;

	if (!picture_ifd(k, 0, k->bytes->size, &ifd))
		return false;
	*ret = (struct picture_size){ ifd.width, ifd.height };
	turn(ifd.orientation, ret);
	return true;
}
