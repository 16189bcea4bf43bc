/* SPDX-License-Identifier: MIT */
#include "base/log_priv.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* By enum log_level. */
static const char *const level_names[] = {
	"debug",
	"info",
	"warning",
	"error",
};

/* Whether one of the appends to a line failed, looked at once at its end. */
struct out {
	struct buf *b;
	enum log_format format;
	int rc;
};

static void
put(struct out *o, struct slice s)
{
	if (buf_append_slice(o->b, s) < 0)
		o->rc = -1;
}

static void
put_str(struct out *o, const char *s)
{
	put(o, slice_str(s));
}

__attribute__((format(printf, 2, 3))) static void
put_fmt(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (buf_vprintf(o->b, fmt, ap) < 0)
		o->rc = -1;
	va_end(ap);
}

/* The short escapes that text and JSON share; NULL for other characters. */
static const char *
short_escape(uint32_t cp)
{
	switch (cp) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* One character, harmless; all that is unprintable lies in the BMP. */
static void
put_char(struct out *o, struct slice c, uint32_t cp)
{
	const char *escape = short_escape(cp);

	if (escape != NULL)
		put_str(o, escape);
	else if (!utf8_is_printable(cp))
		put_fmt(o, "\\u%04" PRIx32, cp);
	else
		put(o, c);
}

/* JSON cannot say bytes that are no text. */
static void
put_bad_byte(struct out *o, unsigned char c)
{
	if (o->format == LOG_JSON)
		put_str(o, "\\ufffd");
	else
		put_fmt(o, "\\x%02x", c);
}

static void
put_escaped(struct out *o, struct slice s)
{
	uint32_t cp;
	size_t n;

	while (s.n > 0) {
		n = utf8_next(s, &cp);
		if (n == 0) {
			put_bad_byte(o, (unsigned char)s.p[0]);
			n = 1;
		} else {
			put_char(o, (struct slice){ s.p, n }, cp);
		}
		s.p += n;
		s.n -= n;
	}
}

/* May the value stand without quotes? */
static bool
is_bare(struct slice s)
{
	static const char harmless[] = "0123456789-_.:/+@%"
	                               "abcdefghijklmnopqrstuvwxyz"
	                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\0' || strchr(harmless, s.p[i]) == NULL)
			return false;
	}
	return s.n > 0;
}

static void
put_value(struct out *o, struct slice s)
{
	bool is_cut = s.n > LOG_VALUE_MAX;

	if (is_cut)
		s.n = utf8_cut((struct slice){ s.p, LOG_VALUE_MAX });
	if (o->format == LOG_TEXT && !is_cut && is_bare(s)) {
		put(o, s);
		return;
	}
	put_str(o, "\"");
	put_escaped(o, s);
	put_str(o, is_cut ? "...\"" : "\"");
}

static void
put_field(struct out *o, const struct log_field *f)
{
	if (o->format == LOG_JSON)
		put_fmt(o, ",\"%s\":", f->name);
	else
		put_fmt(o, " %s=", f->name);
	switch (f->kind) {
	case LOG_KIND_STR:
		put_value(o, f->str);
		break;
	case LOG_KIND_INT:
		put_fmt(o, "%" PRId64, f->num);
		break;
	case LOG_KIND_UINT:
		put_fmt(o, "%" PRIu64, f->unum);
		break;
	}
}

static void
put_head(struct out *o, const struct log_line *line)
{
	char time[CLOCK_RFC3339_SIZE];
	const char *level = level_names[line->level];

	clock_rfc3339(line->wall_ms, time);
	if (o->format == LOG_JSON) {
		put_fmt(o,
		    "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time,
		    level);
		put_value(o, slice_str(line->message));
		return;
	}
	put_fmt(o, "%s %s ", time, level);
	put_escaped(o, slice_str(line->message));
}

int
log_line_write(
    const struct log_line *line, enum log_format format, struct buf *b)
{
	struct out o = { b, format, 0 };
	const struct log_field *f;
	struct log_field request;

	put_head(&o, line);
	for (f = line->fields; f != NULL && f->name != NULL; f++)
		put_field(&o, f);
	if (line->request != NULL) {
		request = LOG_STR("request", line->request);
		put_field(&o, &request);
	}
	put_str(&o, format == LOG_JSON ? "}\n" : "\n");
	return o.rc;
}
