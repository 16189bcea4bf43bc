/* SPDX-License-Identifier: MIT */
#include "net/multipart_head.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "net/http_fields.h"
#include "net/multipart.h"
#include "net/url.h"

/* Browsers send two fields; more than these is a flood. */
#define FIELDS_MAX 32

static int
malformed(struct err *err, const char *what)
{
	return err_set(
	    err, ERR_MALFORMED_REQUEST, "the form is malformed: %s", what);
}

/* RFC 2046 5.1.1 has fewer characters; what cannot be mistaken for a line's
 * end is let through. */
static bool
boundary_is_valid(struct slice s)
{
	size_t i;

	if (s.n == 0 || s.n > MULTIPART_BOUNDARY_MAX || s.p[s.n - 1] == ' ')
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

int
multipart_head_boundary(
    struct slice content_type, char **ret_boundary, struct err *err)
{
	struct slice rest = content_type;
	char *boundary = NULL;
	struct slice name;
	struct buf value;
	int more;
	int rc = -1;

	buf_init(&value, content_type.n);
	if (!http_media_type_is(content_type, "multipart/form-data")) {
		rc = err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "the body is not multipart/form-data");
		goto out;
	}
	/* What http_media_type_is() has looked at. */
	while (rest.n > 0 && rest.p[0] != ';')
		rest = (struct slice){ rest.p + 1, rest.n - 1 };
	while ((more = http_param_next(&rest, &name, &value)) > 0) {
		if (!slice_eq_nocase(name, "boundary"))
			continue;
		if (boundary != NULL || !boundary_is_valid(buf_slice(&value))) {
			more = -1;
			break;
		}
		boundary = slice_dup(buf_slice(&value));
	}
	if (more < 0 || boundary == NULL) {
		rc = malformed(err, "its Content-Type has no valid boundary");
		goto out;
	}
	*ret_boundary = boundary;
	boundary = NULL;
	rc = 0;
out:
	free(boundary);
	buf_fini(&value);
	return rc;
}

/*
 * A parameter's text as clients mean it.  Browsers escape '"', CR and LF, and
 * nothing else, as %22, %0D and %0A (WHATWG HTML 4.10.21.8); others follow
 * RFC 822 with \" and \\.  Any other backslash is one of a Windows path.
 */
static char *
decode_param(struct slice raw)
{
	static const struct {
		const char *escape;
		char c;
	} escapes[] = {
		{ "%22", '"' },
		{ "%0D", '\r' },
		{ "%0A", '\n' },
		{ "\\\"", '"' },
		{ "\\\\", '\\' },
	};
	char *text = mem_alloc(raw.n + 1);
	size_t n = 0;
	size_t i, step;
	char c;

	while (raw.n > 0) {
		c = raw.p[0];
		step = 1;
		for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
			if (!slice_starts(raw, escapes[i].escape))
				continue;
			c = escapes[i].c;
			step = strlen(escapes[i].escape);
		}
		text[n++] = c;
		raw = (struct slice){ raw.p + step, raw.n - step };
	}
	text[n] = '\0';
	return text;
}

/* ISO-8859-1 in ${b} as UTF-8. */
static void
latin1_to_utf8(struct buf *b)
{
	struct buf out;
	unsigned char c;
	size_t i;

	buf_init(&out, 2 * b->len);
	for (i = 0; i < b->len; i++) {
		c = (unsigned char)b->p[i];
		if (c >= 0x80) {
			(void)buf_append_char(&out, (char)(0xc0 | c >> 6));
			c = (unsigned char)(0x80 | (c & 0x3f));
		}
		(void)buf_append_char(&out, (char)c);
	}
	buf_fini(b);
	*b = out;
}

/* Splits an ext-value (RFC 8187 3.2.1): charset'language'percent-encoded. */
static bool
split_ext(struct slice raw, struct slice *ret_charset, struct slice *ret_text)
{
	const char *first, *second;

	first = memchr(raw.p, '\'', raw.n);
	if (first == NULL)
		return false;
	*ret_charset = (struct slice){ raw.p, (size_t)(first - raw.p) };
	raw.n -= ret_charset->n + 1;
	second = memchr(first + 1, '\'', raw.n);
	if (second == NULL)
		return false;
	ret_text->p = second + 1;
	ret_text->n = raw.n - (size_t)(second + 1 - (first + 1));
	return true;
}

/* Decodes an ext-value into UTF-8 that may yet be invalid. */
static bool
decode_ext(struct slice raw, struct buf *text)
{
	struct slice charset, encoded;

	if (!split_ext(raw, &charset, &encoded) ||
	    memchr(encoded.p, '\'', encoded.n) != NULL ||
	    !url_decode(encoded, false, text))
		return false;
	if (slice_eq_nocase(charset, "UTF-8"))
		return true;
	if (!slice_eq_nocase(charset, "ISO-8859-1"))
		return false;
	latin1_to_utf8(text);
	return true;
}

static int
take_filename_ext(struct slice raw, char **ret, struct err *err)
{
	struct buf text;
	int rc = -1;

	buf_init(&text, raw.n);
	if (!decode_ext(raw, &text))
		rc = malformed(err, "a part's filename* breaks RFC 8187");
	else if (!utf8_is_valid(buf_slice(&text)) ||
	         strlen(buf_str(&text)) != text.len)
		rc = err_set(err, ERR_INVALID_FILENAME,
		    "the file name is not valid UTF-8 or contains a NUL");
	else {
		*ret = buf_take(&text);
		rc = 0;
	}
	buf_fini(&text);
	return rc;
}

/* What the fields of one part say. */
struct fields {
	char *name;
	char *filename;
	char *filename_ext;
	char *content_type;
	bool has_disposition;
	bool has_encoding;
};

static int
take_param(
    struct fields *f, struct slice name, struct slice raw, struct err *err)
{
	char **where = NULL;

	if (slice_eq_nocase(name, "name"))
		where = &f->name;
	else if (slice_eq_nocase(name, "filename"))
		where = &f->filename;
	else if (slice_eq_nocase(name, "filename*"))
		where = &f->filename_ext;
	else
		return 0;
	/* Which of two would be meant is anybody's guess. */
	if (*where != NULL)
		return malformed(err, "a part has a parameter twice");
	if (where == &f->filename_ext)
		return take_filename_ext(raw, where, err);
	*where = decode_param(raw);
	return 0;
}

static int
content_disposition(struct fields *f, struct slice value, struct err *err)
{
	struct slice rest = value;
	struct slice name, raw;
	size_t n;
	int more;

	if (f->has_disposition)
		return malformed(err, "a part has two Content-Dispositions");
	f->has_disposition = true;
	n = http_token_length(value);
	if (!slice_eq_nocase((struct slice){ value.p, n }, "form-data"))
		return malformed(err, "a part is not form-data");
	rest = (struct slice){ value.p + n, value.n - n };
	while ((more = http_param_next_raw(&rest, &name, &raw)) > 0) {
		if (take_param(f, name, raw, err) < 0)
			return -1;
	}
	if (more < 0)
		return malformed(err, "a part's Content-Disposition");
	return 0;
}

static int
content_type(struct fields *f, struct slice value, struct err *err)
{
	if (f->content_type != NULL)
		return malformed(err, "a part has two Content-Types");
	f->content_type = slice_dup(value);
	return 0;
}

/* RFC 7578 4.7 has done away with it; decoding would be guesswork, not
 * decoding would store something else than was meant. */
static int
content_transfer_encoding(struct fields *f, struct slice value, struct err *err)
{
	static const char *const identities[] = { "binary", "8bit", "7bit" };
	size_t i;

	if (f->has_encoding)
		return malformed(
		    err, "a part has two Content-Transfer-Encodings");
	f->has_encoding = true;
	for (i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		if (slice_eq_nocase(value, identities[i]))
			return 0;
	}
	return malformed(err, "a part has a Content-Transfer-Encoding");
}

static const struct {
	const char *name;
	int (*take)(struct fields *f, struct slice value, struct err *err);
} known[] = {
	{ "Content-Disposition", content_disposition },
	{ "Content-Type", content_type },
	{ "Content-Transfer-Encoding", content_transfer_encoding },
};

static bool
has_control(struct slice s)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/* One line.  A folded one (it begins with a space) has no name, either. */
static int
take_field(struct fields *f, struct slice line, struct err *err)
{
	struct slice name, value;
	size_t i;

	name = (struct slice){ line.p, http_token_length(line) };
	if (name.n == 0 || name.n == line.n || line.p[name.n] != ':')
		return malformed(err, "a part's head has a line that is no "
		                      "field");
	value = (struct slice){ line.p + name.n + 1, line.n - name.n - 1 };
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_eq_nocase(name, known[i].name))
			return known[i].take(f, slice_trim(value), err);
	}
	return 0;
}

/* As take_field(), of a line with control characters.  In a file's name they
 * are the name's fault, not the form's: a tab stands for them there, which is
 * one that no name may have, either. */
static int
take_odd_field(struct fields *f, struct slice line, struct err *err)
{
	static const char why[] = "a part's head has a control character";
	bool had_filename = f->filename != NULL;
	char *masked;
	int rc;

	if (memchr(line.p, '\r', line.n) != NULL ||
	    memchr(line.p, '\n', line.n) != NULL)
		return malformed(err, why);
	masked = slice_dup(line);
	for (size_t i = 0; i < line.n; i++)
		if (has_control((struct slice){ line.p + i, 1 }))
			masked[i] = '\t';
	rc = take_field(f, (struct slice){ masked, line.n }, err);
	free(masked);
	if (rc == 0 && (had_filename || f->filename == NULL ||
	                   strchr(f->filename, '\t') == NULL))
		rc = malformed(err, why);
	return rc;
}

/* Takes the text before the first CRLF off ${rest}. */
static struct slice
take_line(struct slice *rest)
{
	const char *end = memmem(rest->p, rest->n, "\r\n", 2);
	struct slice line = *rest;

	if (end == NULL) {
		*rest = SLICE_NULL;
		return line;
	}
	line.n = (size_t)(end - line.p);
	*rest = (struct slice){ end + 2, rest->n - line.n - 2 };
	return line;
}

int
multipart_head_parse(
    struct slice text, struct multipart_head *ret_head, struct err *err)
{
	struct fields f = { 0 };
	struct slice line;
	size_t count = 0;
	int rc = -1;

	while (text.n > 0) {
		if (count++ == FIELDS_MAX) {
			rc = malformed(err, "a part has too many fields");
			goto out;
		}
		line = take_line(&text);
		if ((has_control(line) ? take_odd_field : take_field)(
		        &f, line, err) < 0)
			goto out;
	}
	if (f.name == NULL || f.name[0] == '\0') {
		rc = malformed(err, "a part has no name");
		goto out;
	}
	ret_head->name = f.name;
	ret_head->filename =
	    f.filename_ext != NULL ? f.filename_ext : f.filename;
	ret_head->content_type = f.content_type;
	if (f.filename_ext == NULL)
		f.filename = NULL;
	f.name = f.filename_ext = f.content_type = NULL;
	rc = 0;
out:
	free(f.name);
	free(f.filename);
	free(f.filename_ext);
	free(f.content_type);
	return rc;
}

void
multipart_head_fini(struct multipart_head *head)
{
	free(head->name);
	free(head->filename);
	free(head->content_type);
	*head = (struct multipart_head){ 0 };
}
