/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "engine/picture_priv.h"

/* Markers (T.81 table B.1). */
#define SOF0 0xc0
#define DHT 0xc4
#define JPG 0xc8
#define DAC 0xcc
#define SOF15 0xcf
#define RST0 0xd0
#define EOI 0xd9
#define SOS 0xda
#define APP1 0xe1
#define TEM 0x01

static const unsigned char exif[6] = { 'E', 'x', 'i', 'f', 0, 0 };

static bool
is_frame(unsigned marker)
{
	return marker >= SOF0 && marker <= SOF15 && marker != DHT &&
	       marker != JPG && marker != DAC;
}

/* Markers that no length follows. */
static bool
stands_alone(unsigned marker)
{
	return marker == TEM || (marker >= RST0 && marker < EOI);
}

/* The marker at *${at}, which moves behind it; 0: there is none. */
static unsigned
next_marker(struct peek *k, uint64_t *at)
{
	const unsigned char *p = peek(k, *at, 1);

	if (p == NULL || *p != 0xff)
		return 0;
	/* Any number of fill bytes (B.1.1.2); the budget of reads bounds it. */
	while (p != NULL && *p == 0xff)
		p = peek(k, ++*at, 1);
	++*at;
	return p == NULL ? 0 : *p;
}

bool
picture_jpeg(struct peek *k, struct picture_size *ret)
{
	uint64_t exif_at = 0;
	uint64_t exif_size = 0;
	uint64_t at = 2;
	const unsigned char *p;
	unsigned marker;
	uint32_t n;

	for (;;) {
		marker = next_marker(k, &at);
		if (marker == 0 || marker == EOI || marker == SOS)
			return false;
		if (stands_alone(marker))
			continue;
		p = peek(k, at, 2);
		if (p == NULL || be16(p) < 2)
			return false;
		n = be16(p);
		if (is_frame(marker))
			break;
		p = peek(k, at + 2, sizeof(exif));
		if (marker == APP1 && exif_size == 0 && n >= 2 + sizeof(exif) &&
		    p != NULL && memcmp(p, exif, sizeof(exif)) == 0) {
			exif_at = at + 2 + sizeof(exif);
			exif_size = n - 2 - sizeof(exif);
		}
		at += n;
	}
	p = peek(k, at, 7);
	if (p == NULL || n < 8)
		return false;
	*ret = (struct picture_size){ be16(p + 5), be16(p + 3) };
	if (exif_size > 0)
		picture_turn(k, exif_at, exif_size, ret);
	return true;
}
