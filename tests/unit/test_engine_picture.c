/* SPDX-License-Identifier: MIT */
#include "engine/picture.h"

#include <string.h>

#include "unit.h"

#define ROW(text, w, h)                                                        \
	{                                                                      \
		(const unsigned char *)(text), sizeof(text) - 1,               \
		{                                                              \
			w, h                                                   \
		}                                                              \
	}

#define IHDR "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\x2c\0\0\0\xc8\x08\2\0\0\0crcc"
/* A directory of one entry: orientation 6. */
#define EXIF_BE "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"
#define EXIF_LE "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"
#define SOF0 "\xff\xc0\0\x11\x08\0\xc8\1\x2c\3\1\x22\0\2\x11\1\3\x11\1"

/* Boxes of a HEIF file: two items, of which the second is the primary. */
#define FTYP                                                                   \
	"\0\0\0\x10"                                                           \
	"ftypavif\0\0\0\0"
#define PITM                                                                   \
	"\0\0\0\x0e"                                                           \
	"pitm\0\0\0\0\0\2"
#define ISPE(w, h)                                                             \
	"\0\0\0\x14"                                                           \
	"ispe\0\0\0\0\0\0\0" w "\0\0\0" h
#define IROT                                                                   \
	"\0\0\0\x09"                                                           \
	"irot\1"
#define IPCO                                                                   \
	"\0\0\0\x39"                                                           \
	"ipco" ISPE("\x40", "\x20") IROT ISPE("\x08", "\x04")
#define IPMA                                                                   \
	"\0\0\0\x17"                                                           \
	"ipma\0\0\0\0\0\0\0\2\0\1\1\x81\0\2\2\x81\x02"

/* clang-format off */
static const struct {
	const unsigned char *p;
	size_t n;
	struct picture_size size;
} rows[] = {
	ROW(IHDR, 300, 200),
	ROW(IHDR "\0\0\0\4gAMA\0\0\0\0crcc" "\0\0\0\x16" "eXIf" EXIF_BE "crcc",
	    200, 300),
	ROW(IHDR "\0\0\0\0IDATcrcc" "\0\0\0\x16" "eXIf" EXIF_BE "crcc",
	    300, 200),
	ROW("GIF89a\x2c\1\xc8\0\0\0\0", 300, 200),
	ROW("GIF87a\1\0\1\0\0\0", 1, 1),
	ROW("BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\x2c\1\0\0\x38\xff\xff\xff",
	    300, 200),
	ROW("BM\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\0\0\x2c\1\xc8\0\1\0\1\0", 300, 200),
	ROW("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x2b\1\0\xc7\0\0", 300, 200),
	ROW("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x2b\1\0\xc7\0\0"
	    "ANMF\3\0\0\0xyz\0" "EXIF\x16\0\0\0" EXIF_LE, 200, 300),
	ROW("RIFF\0\0\0\0WEBPVP8L\x0a\0\0\0\x2f\x2b\xc1\x31\0\0\0\0\0", 300, 200),
	ROW("RIFF\0\0\0\0WEBPVP8 \x0a\0\0\0\x10\2\0\x9d\1\x2a\x2c\1\xc8\0",
	    300, 200),
	ROW("\xff\xd8" SOF0, 300, 200),
	ROW("\xff\xd8\xff\xff\xff\xe0\0\4ab\xff\1" SOF0, 300, 200),
	ROW("\xff\xd8\xff\xe1\0\x1e" "Exif\0\0" EXIF_BE SOF0, 200, 300),
	ROW("\xff\xd8\xff\xe1\0\x1e" "Exif\0\0" EXIF_LE SOF0, 200, 300),
	ROW("II*\0\x08\0\0\0\2\0" "\0\1\3\0\1\0\0\0\x2c\1\0\0"
	    "\1\1\4\0\1\0\0\0\xc8\0\0\0", 300, 200),
	ROW("MM\0*\0\0\0\x08\0\3" "\1\0\0\3\0\0\0\1\1\x2c\0\0"
	    "\1\1\0\4\0\0\0\1\0\0\0\xc8" "\1\x12\0\3\0\0\0\1\0\x08\0\0",
	    200, 300),
	ROW(FTYP "\0\0\0\x72" "meta\0\0\0\0" PITM "\0\0\0\x58" "iprp" IPCO IPMA,
	    32, 64),
};

/* Images that say no size, or say it wrongly. */
static const struct {
	const unsigned char *p;
	size_t n;
	struct picture_size unused;
} none[] = {
	ROW("", 0, 0),
	ROW("just some text, long enough", 0, 0),
	ROW("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\1\x2c\0\0\0\xc8\x08", 0, 0),
	ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\xc8\x08", 0, 0),
	ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\0\0\0\xc8", 0, 0),
	ROW("RIFF\0\0\0\0WEBPVP8 \x0a\0\0\0\x10\2\0\0\0\0\x2c\1\xc8\0", 0, 0),
	ROW("BM\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x2c\1\0\0\1\0\0\0", 0, 0),
	ROW("\xff\xd8\xff\xda\0\2" SOF0, 0, 0),
	ROW("\xff\xd8\xff\xd9" SOF0, 0, 0),
	ROW("\xff\xd8\xff\xe0\0\1" SOF0, 0, 0),
	ROW("\xff\xd8\xff\xc4\0\x08\0\0\1\0\0\1", 0, 0),
	/* not a JPEG's only in its second frame of markers */
	ROW("\xff\xd8\xff\xe0\0\4abx" SOF0, 0, 0),
	ROW("II*\0\xff\xff\xff\xff\0\0\0\0", 0, 0),
	ROW("II*\0\x08\0\0\0\0\0\0\0", 0, 0),
	ROW(FTYP "\0\0\0\x07" "meta", 0, 0),
	ROW(FTYP "\0\0\0\1" "meta\xff\xff\xff\xff\xff\xff\xff\xff", 0, 0),
};
/* clang-format on */

struct bytes {
	const unsigned char *p;
	unsigned reads;
	bool fails;
};

static int
read_at(void *arg, uint64_t offset, void *p, size_t n, struct err *err)
{
	struct bytes *b = arg;

	b->reads++;
	if (b->fails)
		return err_set(err, ERR_IO, "the disk is broken");
	memcpy(p, b->p + offset, n);
	return 0;
}

static int
measure(struct bytes *b, size_t n, struct picture_size *ret)
{
	const struct picture_bytes bytes = { read_at, b, n };
	struct err e = ERR_INIT;

	return picture_measure(&bytes, ret, &e);
}

TEST(test_engine_picture__reads_the_size_from_headers)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = { rows[i].p, 0, false };
		struct picture_size got = { 0, 0 };

		print_message("row %zu\n", i);
		assert_int_equal(measure(&b, rows[i].n, &got), 1);
		assert_int_equal(got.width, rows[i].size.width);
		assert_int_equal(got.height, rows[i].size.height);
		assert_int_equal(b.reads, 1);
	}
}

TEST(test_engine_picture__does_not_guess)
{
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct bytes b = { none[i].p, 0, false };
		struct picture_size got;

		print_message("row %zu\n", i);
		assert_int_equal(measure(&b, none[i].n, &got), 0);
	}
}

/* In memory of just that size, so that the sanitizer sees a byte too far. */
TEST(test_engine_picture__bears_every_cut)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t n = 0; n < rows[i].n; n++) {
			unsigned char *p = test_malloc(n + 1);
			struct bytes b = { p, 0, false };
			struct picture_size got;

			memcpy(p, rows[i].p, n);
			assert_true(measure(&b, n, &got) >= 0);
			test_free(p);
		}
	}
}

TEST(test_engine_picture__says_when_bytes_cannot_be_read)
{
	struct bytes b = { rows[0].p, 0, true };
	struct picture_size got;

	assert_int_equal(measure(&b, rows[0].n, &got), -1);
	assert_int_equal(b.reads, 1);
}

/* A file that is one pattern again and again, as long as nobody could read. */
struct endless {
	const char *head;
	size_t head_n;
	const char *pattern;
	size_t pattern_n;
	unsigned reads;
};

static int
read_endless(void *arg, uint64_t offset, void *p, size_t n, struct err *err)
{
	struct endless *e = arg;
	unsigned char *q = p;

	(void)err;
	e->reads++;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = offset + i;

		q[i] = (unsigned char)(at < e->head_n
		                           ? e->head[at]
		                           : e->pattern[(at - e->head_n) %
		                                        e->pattern_n]);
	}
	return 0;
}

TEST(test_engine_picture__reads_no_more_than_is_worth_it)
{
	struct endless all[] = {
		{ "\xff\xd8", 2, "\xff\xe0\0\2", 4, 0 },
		{ "\xff\xd8", 2, "\xff", 1, 0 },
		{ IHDR, sizeof(IHDR) - 1, "\0\0\0\0tEXtcrcc", 12, 0 },
		{ "RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x2b\1\0\xc7\0\0",
		    30, "ICCP\0\0\0\0", 8, 0 },
		{ FTYP, 16,
		    "\0\0\0\x08"
		    "free",
		    8, 0 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct picture_bytes bytes = { read_endless, &all[i],
			(uint64_t)1 << 50 };
		struct err e = ERR_INIT;
		struct picture_size got;

		assert_true(picture_measure(&bytes, &got, &e) >= 0);
		assert_in_range(all[i].reads, 1, 256);
	}
}
