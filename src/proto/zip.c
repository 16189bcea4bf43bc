/* SPDX-License-Identifier: MIT */
#include "proto/zip.h"

#include <string.h>
#include <time.h>

#define SIG_LOCAL 0x04034b50u
#define SIG_DESCRIPTOR 0x08074b50u
#define SIG_CENTRAL 0x02014b50u
#define SIG_END64 0x06064b50u
#define SIG_LOCATOR 0x07064b50u
#define SIG_END 0x06054b50u

#define LOCAL_FIXED 30u
#define CENTRAL_FIXED 46u
#define END_FIXED 22u
#define END64_FIXED 56u
#define LOCATOR_FIXED 20u

/* Says in a field of 32 or 16 bits that the value stands elsewhere. */
#define MARK32 UINT32_MAX
#define MARK16 UINT16_MAX

#define VERSION 20u
#define VERSION_64 45u
#define MADE_BY_UNIX (3u << 8)
#define FLAG_DESCRIPTOR (1u << 3)
#define FLAG_UTF8 (1u << 11)
/* rw-r--r--, a regular file */
#define ATTRIBUTES (0100644u << 16)

#define EXTRA_64 0x0001u
#define EXTRA_TIME 0x5455u
#define EXTRA_HEAD 4u
#define TIME_SIZE 5u /* flags, seconds */
#define TIME_IS_MODIFIED 1u

static void
put(struct buf *b, uint64_t v, unsigned bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		(void)buf_append_char(b, (char)(v & 0xff));
}

/* --- times ---------------------------------------------------------------- */

static bool
has_timestamp(const struct zip_entry *e)
{
	return e->modified_ms >= 0 && e->modified_ms / 1000 <= INT32_MAX;
}

/* Date and time as DOS has them, from 1980 to 2107. */
static uint32_t
dos_time(int64_t ms)
{
	static const uint32_t first = 1u << 21 | 1u << 16;
	static const uint32_t last =
	    127u << 25 | 12u << 21 | 31u << 16 | 23u << 11 | 59u << 5 | 29u;
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 80)
		return first;
	if (tm.tm_year > 80 + 127)
		return last;
	return (uint32_t)(tm.tm_year - 80) << 25 |
	       (uint32_t)(tm.tm_mon + 1) << 21 | (uint32_t)tm.tm_mday << 16 |
	       (uint32_t)tm.tm_hour << 11 | (uint32_t)tm.tm_min << 5 |
	       (uint32_t)(tm.tm_sec / 2);
}

static size_t
timestamp_size(const struct zip_entry *e)
{
	return has_timestamp(e) ? EXTRA_HEAD + TIME_SIZE : 0;
}

static void
put_timestamp(const struct zip_entry *e, struct buf *b)
{
	if (!has_timestamp(e))
		return;
	put(b, EXTRA_TIME, 2);
	put(b, TIME_SIZE, 2);
	put(b, TIME_IS_MODIFIED, 1);
	put(b, (uint64_t)(e->modified_ms / 1000), 4);
}

/* --- local ---------------------------------------------------------------- */

bool
zip_is_large(const struct zip_entry *e)
{
	return e->size >= MARK32 || e->packed >= MARK32;
}

static unsigned
flags(const struct zip_entry *e)
{
	return FLAG_UTF8 | (e->has_descriptor ? FLAG_DESCRIPTOR : 0);
}

/* A local header has both sizes there, or none. */
static size_t
local_extra_size(const struct zip_entry *e)
{
	return timestamp_size(e) + (zip_is_large(e) ? EXTRA_HEAD + 16 : 0);
}

size_t
zip_local_size(const struct zip_entry *e)
{
	return LOCAL_FIXED + strlen(e->name) + local_extra_size(e);
}

void
zip_put_local(const struct zip_entry *e, struct buf *b)
{
	bool large = zip_is_large(e);
	uint64_t size = e->has_descriptor ? 0 : e->size;
	uint64_t packed = e->has_descriptor ? 0 : e->packed;

	put(b, SIG_LOCAL, 4);
	put(b, large ? VERSION_64 : VERSION, 2);
	put(b, flags(e), 2);
	put(b, (uint64_t)e->method, 2);
	put(b, dos_time(e->modified_ms), 4);
	put(b, e->has_descriptor ? 0 : e->crc32, 4);
	put(b, large ? MARK32 : packed, 4);
	put(b, large ? MARK32 : size, 4);
	put(b, strlen(e->name), 2);
	put(b, local_extra_size(e), 2);
	(void)buf_append_str(b, e->name);
	put_timestamp(e, b);
	if (large) {
		put(b, EXTRA_64, 2);
		put(b, 16, 2);
		put(b, size, 8);
		put(b, packed, 8);
	}
}

void
zip_put_descriptor(const struct zip_entry *e, bool is_large, struct buf *b)
{
	unsigned bytes = is_large ? 8 : 4;

	put(b, SIG_DESCRIPTOR, 4);
	put(b, e->crc32, 4);
	put(b, e->packed, bytes);
	put(b, e->size, bytes);
}

/* --- the central directory ------------------------------------------------ */

/* Its extra field has only what does not fit. */
static size_t
central_64_size(const struct zip_entry *e)
{
	return (e->size >= MARK32 ? 8u : 0u) + (e->packed >= MARK32 ? 8u : 0u) +
	       (e->offset >= MARK32 ? 8u : 0u);
}

static size_t
central_extra_size(const struct zip_entry *e)
{
	size_t n = central_64_size(e);

	return timestamp_size(e) + (n > 0 ? EXTRA_HEAD + n : 0);
}

size_t
zip_central_size(const struct zip_entry *e)
{
	return CENTRAL_FIXED + strlen(e->name) + central_extra_size(e);
}

static void
put_32(struct buf *b, uint64_t v)
{
	put(b, v >= MARK32 ? MARK32 : v, 4);
}

static void
put_64(struct buf *b, uint64_t v)
{
	if (v >= MARK32)
		put(b, v, 8);
}

static void
put_central_extra(const struct zip_entry *e, struct buf *b)
{
	size_t n = central_64_size(e);

	put_timestamp(e, b);
	if (n == 0)
		return;
	put(b, EXTRA_64, 2);
	put(b, n, 2);
	put_64(b, e->size);
	put_64(b, e->packed);
	put_64(b, e->offset);
}

void
zip_put_central(const struct zip_entry *e, struct buf *b)
{
	unsigned version = central_64_size(e) > 0 ? VERSION_64 : VERSION;

	put(b, SIG_CENTRAL, 4);
	put(b, MADE_BY_UNIX | version, 2);
	put(b, version, 2);
	put(b, flags(e), 2);
	put(b, (uint64_t)e->method, 2);
	put(b, dos_time(e->modified_ms), 4);
	put(b, e->crc32, 4);
	put_32(b, e->packed);
	put_32(b, e->size);
	put(b, strlen(e->name), 2);
	put(b, central_extra_size(e), 2);
	put(b, 0, 2); /* of a comment */
	put(b, 0, 2); /* the disk it begins on */
	put(b, 0, 2); /* internal attributes */
	put(b, ATTRIBUTES, 4);
	put_32(b, e->offset);
	(void)buf_append_str(b, e->name);
	put_central_extra(e, b);
}

/* --- the end -------------------------------------------------------------- */

static bool
end_is_large(const struct zip_end *end)
{
	return end->entries >= MARK16 || end->offset >= MARK32 ||
	       end->size >= MARK32;
}

size_t
zip_end_size(const struct zip_end *end)
{
	return END_FIXED +
	       (end_is_large(end) ? END64_FIXED + LOCATOR_FIXED : 0);
}

static void
put_end_64(const struct zip_end *end, struct buf *b)
{
	put(b, SIG_END64, 4);
	put(b, END64_FIXED - 12, 8); /* of what follows */
	put(b, MADE_BY_UNIX | VERSION_64, 2);
	put(b, VERSION_64, 2);
	put(b, 0, 4); /* this disk */
	put(b, 0, 4); /* the directory's */
	put(b, end->entries, 8);
	put(b, end->entries, 8);
	put(b, end->size, 8);
	put(b, end->offset, 8);
	put(b, SIG_LOCATOR, 4);
	put(b, 0, 4);
	put(b, end->offset + end->size, 8);
	put(b, 1, 4); /* disks */
}

void
zip_put_end(const struct zip_end *end, struct buf *b)
{
	uint64_t entries = end->entries < MARK16 ? end->entries : MARK16;

	if (end_is_large(end))
		put_end_64(end, b);
	put(b, SIG_END, 4);
	put(b, 0, 2);
	put(b, 0, 2);
	put(b, entries, 2);
	put(b, entries, 2);
	put_32(b, end->size);
	put_32(b, end->offset);
	put(b, 0, 2);
}
