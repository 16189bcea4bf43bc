/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PICTURE_PRIV_H
#define ENGINE_PICTURE_PRIV_H

/* What the readers of headers share; for src/engine/picture*.c. */

#include <stdbool.h>
#include <stddef.h>

#include "engine/picture.h"

/* What one look shows at most, and how many reads one image is worth: enough
 * for a JPEG with a colour profile and comments of several MiB. */
#define PEEK_MAX 4096
#define PEEK_READS_MAX 256

/* A window over the bytes. */
struct peek {
	const struct picture_bytes *bytes;
	struct err *err; /* of the read that failed */
	bool has_failed;
	unsigned reads;
	uint64_t at; /* where the window lies */
	size_t n;    /* and how much it shows */
	unsigned char window[PEEK_MAX];
};

/* The ${n} (at most PEEK_MAX) bytes at ${offset}, until the next look; NULL
 * when they are not there, or too much was read already. */
const unsigned char *peek(struct peek *k, uint64_t offset, size_t n);

static inline uint32_t
be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t
be32(const unsigned char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static inline uint32_t
le16(const unsigned char *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t
le32(const unsigned char *p)
{
	return le16(p + 2) << 16 | le16(p);
}

/* The first directory of a TIFF; 0 where it says nothing. */
struct picture_ifd {
	uint32_t width;
	uint32_t height;
	uint32_t orientation; /* TIFF 6.0: 5 to 8 lie on their side */
};

/* Of the TIFF in [${from}, ${from} + ${size}): a file of its own, or Exif.
 * False: it is none. */
bool picture_ifd(
    struct peek *k, uint64_t from, uint64_t size, struct picture_ifd *ret);
/* Exif lies in the same place: as shown by its orientation. */
void picture_turn(
    struct peek *k, uint64_t from, uint64_t size, struct picture_size *ret);

bool picture_jpeg(struct peek *k, struct picture_size *ret);
bool picture_tiff(struct peek *k, struct picture_size *ret);
bool picture_bmff(struct peek *k, struct picture_size *ret);

#endif
