/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ZIP_H
#define PROTO_ZIP_H

/*
 * What stands around the files in a ZIP archive (PKWARE's APPNOTE.TXT 6.3.10),
 * written so that the place of every byte is known before the first is:
 *
 *	local header, data [, descriptor]	for each entry
 *	central header				for each entry
 *	end of the central directory		with its ZIP64 forms in front,
 *						where they are needed
 *
 * Names are UTF-8 (general purpose bit 11).  Times are UTC, to two seconds as
 * in DOS, and to the second in an extended timestamp.  Nothing but sizes,
 * names, times and CRCs goes in: the same entries give the same bytes.
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* The longest header: with a name of the longest length, and all fields. */
#define ZIP_HEADER_MAX (128u + UINT16_MAX)

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

struct zip_entry {
	const char *name; /* at most 65535 bytes */
	enum zip_method method;
	/* What is not known when the local header is written stands in a
	 * descriptor behind the data: CRC and sizes. */
	bool has_descriptor;
	uint32_t crc32;
	uint64_t size;
	uint64_t packed; /* bytes of data; of what has a descriptor: the most
	                  * that they may be, until they are known */
	int64_t modified_ms;
	uint64_t offset; /* of its local header */
};

/* The sizes depend on the name's length and on what needs 64 bits. */
size_t zip_local_size(const struct zip_entry *e);
size_t zip_central_size(const struct zip_entry *e);

void zip_put_local(const struct zip_entry *e, struct buf *b);
/* ${is_large}: as the local header was, before ${e}->packed was known. */
void zip_put_descriptor(
    const struct zip_entry *e, bool is_large, struct buf *b);
void zip_put_central(const struct zip_entry *e, struct buf *b);
/* Does its local header have sizes of 64 bits? */
bool zip_is_large(const struct zip_entry *e);

struct zip_end {
	uint64_t entries;
	uint64_t offset; /* of the central directory */
	uint64_t size;   /* of it */
};
size_t zip_end_size(const struct zip_end *end);
void zip_put_end(const struct zip_end *end, struct buf *b);

#endif
