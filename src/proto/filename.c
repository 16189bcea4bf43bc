/* SPDX-License-Identifier: MIT */
#include "proto/filename.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/utf8.h"

/* Composing shortens a text to a third at most, so what is longer than this
 * cannot become short enough; nor is it worth the work. */
#define INPUT_MAX (3 * FILENAME_MAX_BYTES)

/*
 * A letter takes up three combining marks at most, and the others are of two
 * bytes or more: with this many in a row a segment is too long, whatever is
 * composed.  To put marks in order takes the square of their number (4 KiB of
 * them: 20 ms), so this is found out first.
 */
#define MARKS_MAX (FILENAME_SEGMENT_MAX / 2 + 3)

/* Code points that no name may contain.  '/' is looked at as a separator. */
static const struct {
	uint32_t first;
	uint32_t last;
	const char *what;
} forbidden[] = {
	{ 0x0000, 0x001f, "a control character" },
	{ 0x005c, 0x005c, "a backslash" },
	{ 0x007f, 0x009f, "a control character" },
	{ 0x2028, 0x2029, "a line or paragraph separator" },
	{ 0x202a, 0x202e, "a bidirectional override" },
	{ 0x2066, 0x2069, "a bidirectional isolate" },
};

/* Are there more than MARKS_MAX marks in a row, once decomposed? */
static bool
is_flooded(struct slice name)
{
	utf8proc_int32_t parts[4]; /* the longest canonical decomposition */
	utf8proc_ssize_t count, i;
	size_t marks = 0;
	int boundary = 0;
	uint32_t cp = 0;
	size_t n;

	for (; name.n > 0; name.p += n, name.n -= n) {
		n = utf8_next(name, &cp);
		count = utf8proc_decompose_char((utf8proc_int32_t)cp, parts, 4,
		    UTF8PROC_DECOMPOSE, &boundary);
		for (i = 0; i < count && i < 4; i++) {
			if (utf8proc_get_property(parts[i])->combining_class ==
			    0)
				marks = 0;
			else if (++marks > MARKS_MAX)
				return true;
		}
	}
	return false;
}

static int
check_characters(struct slice name, struct err *err)
{
	uint32_t cp;
	size_t i, n;

	while (name.n > 0) {
		n = utf8_next(name, &cp);
		for (i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
			if (cp >= forbidden[i].first && cp <= forbidden[i].last)
				return err_set(err, ERR_INVALID_FILENAME,
				    "the file name contains %s",
				    forbidden[i].what);
		}
		name.p += n;
		name.n -= n;
	}
	return 0;
}

static int
segment_too_long(struct err *err)
{
	return err_set(err, ERR_INVALID_FILENAME,
	    "the file name has a segment longer than %d bytes",
	    FILENAME_SEGMENT_MAX);
}

static int
check_segment(struct slice segment, struct err *err)
{
	if (segment.n == 0)
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file name begins or ends with '/' or has an empty "
		    "segment");
	if (slice_eq_str(segment, ".") || slice_eq_str(segment, ".."))
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file name has a segment '.' or '..'");
	if (segment.n > FILENAME_SEGMENT_MAX)
		return segment_too_long(err);
	return 0;
}

static int
check_segments(const char *name, struct err *err)
{
	struct slice segment;

	for (;;) {
		segment.p = name;
		segment.n = strcspn(name, "/");
		if (check_segment(segment, err) < 0)
			return -1;
		name += segment.n;
		if (*name == '\0')
			return 0;
		name++;
	}
}

static int
too_long(struct err *err)
{
	return err_set(err, ERR_INVALID_FILENAME,
	    "the file name is longer than %d bytes", FILENAME_MAX_BYTES);
}

/* A new NUL-terminated string in NFC, *${ret_n} bytes long. */
static int
compose(struct slice name, char **ret, size_t *ret_n, struct err *err)
{
	utf8proc_uint8_t *out = NULL;
	utf8proc_ssize_t n;

	n = utf8proc_map((const utf8proc_uint8_t *)name.p,
	    (utf8proc_ssize_t)name.n, &out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n == UTF8PROC_ERROR_NOMEM)
		return err_set(err, ERR_INTERNAL, "no memory for a file name");
	if (n < 0)
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file name cannot be normalised");
	*ret = (char *)out;
	*ret_n = (size_t)n;
	return 0;
}

int
filename_normalise(struct slice name, char **ret_name, struct err *err)
{
	char *nfc = NULL;
	size_t n = 0;
	int rc = -1;

	if (name.n == 0)
		return err_set(
		    err, ERR_INVALID_FILENAME, "the file name is empty");
	if (name.n > INPUT_MAX)
		return too_long(err);
	if (!utf8_is_valid(name))
		return err_set(err, ERR_INVALID_FILENAME,
		    "the file name is not valid UTF-8");
	if (is_flooded(name))
		return segment_too_long(err);
	if (compose(name, &nfc, &n, err) < 0)
		goto out;
	/* All else after composing, which may make and move characters. */
	if (n > FILENAME_MAX_BYTES) {
		rc = too_long(err);
		goto out;
	}
	if (check_characters((struct slice){ nfc, n }, err) < 0 ||
	    check_segments(nfc, err) < 0)
		goto out;
	*ret_name = nfc;
	nfc = NULL;
	rc = 0;
out:
	free(nfc);
	return rc;
}

struct slice
filename_reduce(struct slice name)
{
	size_t at = name.n;

	while (at > 0 && name.p[at - 1] != '/' && name.p[at - 1] != '\\')
		at--;
	/* an offset to a null slice is not defined, not even 0 */
	if (at == 0)
		return name;
	return (struct slice){ name.p + at, name.n - at };
}

const char *
filename_last(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash == NULL ? name : slash + 1;
}

void
filename_extension(const char *name, char ret[FILENAME_EXTENSION_SIZE])
{
	const char *last = filename_last(name);
	const char *dot;
	size_t i;

	ret[0] = '\0';
	/* ".profile" and "..x" are names, not extensions. */
	last += strspn(last, ".");
	dot = strrchr(last, '.');
	if (dot == NULL || dot[1] == '\0' ||
	    strlen(dot) >= FILENAME_EXTENSION_SIZE)
		return;
	for (i = 0; dot[i] != '\0'; i++) {
		ret[i] = dot[i];
		if (ret[i] >= 'A' && ret[i] <= 'Z')
			ret[i] = (char)(ret[i] - 'A' + 'a');
	}
	ret[i] = '\0';
}
