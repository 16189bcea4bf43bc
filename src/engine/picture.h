/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_PICTURE_H
#define ENGINE_PICTURE_H

/*
 * How large an image is, read from its headers; nothing is decoded.
 *
 *   JPEG   ITU T.81 B.2.2 (frame header), orientation from Exif
 *   PNG    PNG 3rd edition 11.2.1 (IHDR), 11.3.3 (eXIf)
 *   GIF    GIF89a 18 (logical screen)
 *   WebP   RFC 9649
 *   TIFF   TIFF 6.0 section 2, first directory
 *   BMP    BITMAPCOREHEADER, BITMAPINFOHEADER
 *   AVIF, HEIF   ISO/IEC 23008-12 (primary item: ispe, irot)
 *
 * The bytes come from strangers: reads are bounded in size and number whatever
 * they say.  Any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The bytes of a file, wherever they lie. */
struct picture_bytes {
	/* ${n} bytes from ${offset}, which lie within the size. */
	int (*read)(
	    void *arg, uint64_t offset, void *p, size_t n, struct err *err);
	void *arg;
	uint64_t size;
};

/* In pixels, as it is shown: after its orientation was applied. */
struct picture_size {
	uint32_t width;
	uint32_t height;
};

/* 1: ${ret} is set; 0: no image of these kinds, or its headers say no size;
 * -1: errors of ${bytes}. */
int picture_measure(const struct picture_bytes *bytes, struct picture_size *ret,
    struct err *err);

#endif
