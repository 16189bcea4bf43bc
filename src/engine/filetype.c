/* SPDX-License-Identifier: MIT */
#include "engine/filetype.h"

#include <magic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/filetype_magic.h"
#include "proto/filename.h"

#define UNKNOWN "application/octet-stream"

/* Looks no further than the tests that our magic file has. */
#define FLAGS                                                                  \
	(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR |      \
	    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_TOKENS |  \
	    MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_CSV)

/* A type whose content is told more exactly by the name. */
struct refinement {
	const char *type; /* by content */
	const char *extension;
	const char *refined;
};

#define OOXML "application/vnd.openxmlformats-officedocument."

/* clang-format off */
static const struct refinement refinements[] = {
	{ "text/plain", ".css", "text/css" },
	{ "text/plain", ".csv", "text/csv" },
	{ "text/plain", ".htm", "text/html" },
	{ "text/plain", ".html", "text/html" },
	{ "text/plain", ".ics", "text/calendar" },
	{ "text/plain", ".js", "text/javascript" },
	{ "text/plain", ".json", "application/json" },
	{ "text/plain", ".md", "text/markdown" },
	{ "text/plain", ".mjs", "text/javascript" },
	{ "text/plain", ".py", "text/x-script.python" },
	{ "text/plain", ".sh", "text/x-shellscript" },
	{ "text/plain", ".svg", "image/svg+xml" },
	{ "text/plain", ".toml", "application/toml" },
	{ "text/plain", ".tsv", "text/tab-separated-values" },
	{ "text/plain", ".vcf", "text/vcard" },
	{ "text/plain", ".xhtml", "application/xhtml+xml" },
	{ "text/plain", ".xml", "text/xml" },
	{ "text/plain", ".yaml", "application/yaml" },
	{ "text/plain", ".yml", "application/yaml" },
	{ "text/xml", ".svg", "image/svg+xml" },
	{ "text/xml", ".xhtml", "application/xhtml+xml" },
	{ "application/zip", ".apk", "application/vnd.android.package-archive" },
	{ "application/zip", ".docx", OOXML "wordprocessingml.document" },
	{ "application/zip", ".jar", "application/java-archive" },
	{ "application/zip", ".pptx", OOXML "presentationml.presentation" },
	{ "application/zip", ".xlsx", OOXML "spreadsheetml.sheet" },
	{ "application/x-ole-storage", ".doc", "application/msword" },
	{ "application/x-ole-storage", ".msg", "application/vnd.ms-outlook" },
	{ "application/x-ole-storage", ".ppt", "application/vnd.ms-powerpoint" },
	{ "application/x-ole-storage", ".xls", "application/vnd.ms-excel" },
	{ "application/postscript", ".ai", "application/illustrator" },
	{ "video/x-ms-asf", ".wma", "audio/x-ms-wma" },
	{ "video/x-ms-asf", ".wmv", "video/x-ms-wmv" },
};
/* clang-format on */

/* libmagic's handle may be used by one thread at a time; a look costs some
 * microseconds, so one handle under a lock serves all. */
struct filetype {
	pthread_mutex_t lock;
	magic_t magic; /* under lock */
	/* Types that libmagic named, kept so that answers are constant
	 * strings; at most as many as the magic file has.  Under lock. */
	char *seen[160];
	size_t seen_count;
};

/* libmagic reads files only: ours lies in memory. */
static int
load(magic_t m, struct err *err)
{
	char path[32];
	int fd = memfd_create("magic", MFD_CLOEXEC);
	int rc = -1;

	if (fd < 0)
		return err_set_errno(err, ERR_IO, "memfd_create");
	for (const char *const *p = filetype_magic; *p != NULL; p++)
		if (file_write_all(fd, *p, strlen(*p), err) < 0)
			goto out;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (magic_load(m, path) != 0) {
		err_set(err, ERR_INTERNAL, "libmagic refused its magic: %s",
		    magic_error(m));
		goto out;
	}
	rc = 0;
out:
	file_close(fd);
	return rc;
}

int
filetype_new(struct filetype **ret_ft, struct err *err)
{
	struct filetype *ft = mem_calloc(1, sizeof(*ft));

	pthread_mutex_init(&ft->lock, NULL);
	ft->magic = magic_open(FLAGS);
	if (ft->magic == NULL) {
		filetype_free(ft);
		return err_set_errno(err, ERR_INTERNAL, "libmagic");
	}
	if (load(ft->magic, err) < 0) {
		filetype_free(ft);
		return -1;
	}
	*ret_ft = ft;
	return 0;
}

void
filetype_free(struct filetype *ft)
{
	if (ft == NULL)
		return;
	for (size_t i = 0; i < ft->seen_count; i++)
		free(ft->seen[i]);
	if (ft->magic != NULL)
		magic_close(ft->magic);
	pthread_mutex_destroy(&ft->lock);
	free(ft);
}

/* Under the lock: ${type} as a string that stays. */
static const char *
intern(struct filetype *ft, const char *type)
{
	for (size_t i = 0; i < ft->seen_count; i++)
		if (strcmp(ft->seen[i], type) == 0)
			return ft->seen[i];
	if (ft->seen_count == sizeof(ft->seen) / sizeof(ft->seen[0]))
		return UNKNOWN;
	return ft->seen[ft->seen_count++] = mem_strdup(type);
}

/* libmagic says nothing of a single byte. */
static bool
is_one_letter(const unsigned char *head, size_t n)
{
	return n == 1 && head[0] < 0x7f &&
	       (head[0] >= ' ' || head[0] == '\t' || head[0] == '\n' ||
	           head[0] == '\r');
}

static const char *
by_content(struct filetype *ft, const void *head, size_t n)
{
	const char *type;

	if (is_one_letter(head, n))
		return "text/plain";
	pthread_mutex_lock(&ft->lock);
	type = magic_buffer(ft->magic, head, n);
	type = type == NULL ? UNKNOWN : intern(ft, type);
	pthread_mutex_unlock(&ft->lock);
	return type;
}

const char *
filetype_of(
    struct filetype *ft, const void *head, size_t n, const char *filename)
{
	const size_t count = sizeof(refinements) / sizeof(refinements[0]);
	/* An empty file is an empty text, if its name says text. */
	const char *type = n == 0 ? "text/plain" : by_content(ft, head, n);
	char ext[32];

	filename_extension(filename, ext);
	for (size_t i = 0; i < count; i++)
		if (strcmp(refinements[i].type, type) == 0 &&
		    strcmp(refinements[i].extension, ext) == 0)
			return refinements[i].refined;
	if (n == 0 && strcmp(ext, ".txt") != 0)
		return UNKNOWN;
	return type;
}
