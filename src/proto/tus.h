/* SPDX-License-Identifier: MIT */
#ifndef PROTO_TUS_H
#define PROTO_TUS_H

/*
 * The header fields of tus 1.0.0 (https://tus.io/protocols/resumable-upload),
 * as text: pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define TUS_VERSION "1.0.0"
#define TUS_EXTENSIONS                                                         \
	"creation,creation-with-upload,creation-defer-length,expiration,"      \
	"checksum,termination,concatenation"
#define TUS_ALGORITHMS "sha1,sha256"
#define TUS_CONTENT_TYPE "application/offset+octet-stream"
/* Parts of one final upload. */
#define TUS_PARTS_MAX 1000u

/* Is it a well-formed Upload-Metadata: pairs of a key and base64, no key twice?
 * ERR_INVALID_PARAMETER. */
int tus_metadata_check(struct slice metadata, struct err *err);
/* The value of ${key}, decoded and appended to ${b}: 1, 0 when it is not there,
 * -1 when it does not fit.  Of a well-formed one. */
int tus_metadata_get(struct slice metadata, const char *key, struct buf *b);

/* Upload-Checksum.  ERR_INVALID_PARAMETER. */
#define TUS_SUM_MAX 64
struct tus_sum {
	struct slice name; /* of the algorithm */
	unsigned char sum[TUS_SUM_MAX];
	size_t n;
};
int tus_checksum(struct slice field, struct tus_sum *ret, struct err *err);

/* Upload-Concat. */
enum tus_concat { TUS_WHOLE, TUS_PARTIAL, TUS_FINAL };
/* ${ret_urls}: of a final one, what tus_next_part() takes.
 * ERR_INVALID_PARAMETER. */
int tus_concat(struct slice field, enum tus_concat *ret, struct slice *ret_urls,
    struct err *err);
/* The last path segment of the next URL; false at the end. */
bool tus_next_part(struct slice *urls, struct slice *ret_id);

#endif
