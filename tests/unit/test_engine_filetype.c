/* SPDX-License-Identifier: MIT */
#include "engine/filetype.h"

#include "unit.h"

#define ROW(text, name, type)                                                  \
	{                                                                      \
		text, sizeof(text) - 1, name, type                             \
	}

static const struct {
	const char *head;
	size_t n;
	const char *name;
	const char *type;
} rows[] = {
	ROW("%PDF-1.7\n", "a.pdf", "application/pdf"),
	ROW("%PDF-1.7\n", "lies.jpg", "application/pdf"),
	ROW("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a", "image/png"),
	ROW("\xff\xd8\xff\xe0\0\x10JFIF", "a.jpg", "image/jpeg"),
	ROW("GIF89a\1\0\1\0", "a.gif", "image/gif"),
	ROW("RIFF\x24\0\0\0WEBPVP8 ", "a.webp", "image/webp"),
	ROW("RIFF\x24\0\0\0WAVEfmt ", "a.wav", "audio/x-wav"),
	ROW("II*\0\x08\0\0\0", "a.tif", "image/tiff"),
	ROW("\0\0\0\x1c"
	    "ftypavif\0\0\0\0",
	    "a.avif", "image/avif"),
	ROW("\0\0\0\x18"
	    "ftypisom\0\0\2\0",
	    "a.mp4", "video/mp4"),
	ROW("ID3\4\0\0\0\0\0\0", "a.mp3", "audio/mpeg"),
	ROW("fLaC\0\0\0\"", "a.flac", "audio/flac"),
	ROW("PK\3\4\x14\0\0\0\x08\0", "a.zip", "application/zip"),
	ROW("PK\3\4\x14\0\0\0\x08\0", "a.docx",
	    "application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document"),
	ROW("\x1f\x8b\x08\0\0\0\0\0", "a.gz", "application/gzip"),
	ROW("\x28\xb5\x2f\xfd\4\0", "a.zst", "application/zstd"),
	ROW("7z\xbc\xaf\x27\x1c\0\4", "a.7z", "application/x-7z-compressed"),
	ROW("\x7f"
	    "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e\0",
	    "a", "application/x-executable"),
	ROW("SQLite format 3\0", "a.db", "application/vnd.sqlite3"),
	ROW("  <!DOCTYPE HTML>\n<p>", "a.txt", "text/html"),
	ROW("<?xml version=\"1.0\"?>\n<svg xmlns=\"x\">", "a", "image/svg+xml"),
	ROW("#!/bin/sh\necho hello\n", "run", "text/x-shellscript"),
	ROW("hello\n", "a.txt", "text/plain"),
	ROW("hello\n", "a.jpg", "text/plain"),
	ROW("h\xc3\xa9llo\n", "a", "text/plain"),
	ROW("a { b: c }\n", "a.css", "text/css"),
	ROW("a,b\n1,2\n", "a.csv", "text/csv"),
	ROW("{\"a\": 1}\n", "a", "application/json"),
	ROW("\1\2\3\4\5\6\0\0", "a.jpg", "application/octet-stream"),
	ROW("a", "a.txt", "text/plain"),
	ROW("1", "a.json", "application/json"),
	ROW("\n", "a", "text/plain"),
	ROW("\1", "a.txt", "application/octet-stream"),
	ROW("\xe9", "a.txt", "application/octet-stream"),
	ROW("", "a.txt", "text/plain"),
	ROW("", "a.css", "text/css"),
	ROW("", "a.jpg", "application/octet-stream"),
};

TEST(test_engine_filetype__goes_by_content_then_by_name)
{
	struct err err = ERR_INIT;
	struct filetype *ft;

	assert_int_equal(filetype_new(&ft, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    filetype_of(ft, rows[i].head, rows[i].n, rows[i].name),
		    rows[i].type);
	filetype_free(ft);
}

TEST(test_engine_filetype__answers_stay_valid)
{
	struct err err = ERR_INIT;
	struct filetype *ft;
	const char *first;

	assert_int_equal(filetype_new(&ft, &err), 0);
	first = filetype_of(ft, "%PDF-1.7\n", 9, "a");
	(void)filetype_of(ft, "GIF89a\1\0\1\0", 10, "a");
	assert_string_equal(first, "application/pdf");
	filetype_free(ft);
}
