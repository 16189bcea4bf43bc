/* SPDX-License-Identifier: MIT */
#ifndef PREVIEW_DECODE_H
#define PREVIEW_DECODE_H

/*
 * Images in, previews out.  decode_vips.c does it with libvips; the tests have
 * one of their own, which does what a decoder must not do.  One is linked.
 */

#include "base/buf.h"
#include "base/err.h"

/* Before the jail is shut: whatever needs files. */
int decode_init(const char *program, struct err *err);
/* "libvips 8.14.1"; after decode_init(). */
const char *decode_version(void);
/* The image that can be read from ${fd}, a pipe, as a JPEG: upright, at most
 * PREVIEW_SIDE a side, nothing in it but the picture.  ERR_NO_THUMBNAIL. */
int decode(int fd, struct buf *ret_jpeg, struct err *err);

#endif
