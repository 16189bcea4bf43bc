/* SPDX-License-Identifier: MIT */
#include "base/envfile.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct parser {
	struct slice rest;
	unsigned line; /* of the first byte of rest */
	struct buf name;
	struct buf value;
};

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next byte, -1 at the end. */
static int
peek(const struct parser *p)
{
	return p->rest.n == 0 ? -1 : (unsigned char)p->rest.p[0];
}

static int
next(struct parser *p)
{
	int c = peek(p);

	if (c < 0)
		return -1;
	if (c == '\n')
		p->line++;
	p->rest.p++;
	p->rest.n--;
	return c;
}

static void
skip_line(struct parser *p)
{
	int c;

	do {
		c = next(p);
	} while (c >= 0 && !is_newline((char)c));
}

static void
skip_blanks(struct parser *p)
{
	while (p->rest.n > 0 && is_blank(p->rest.p[0]))
		(void)next(p);
}

/* The name and the '=' behind it. */
static int
parse_name(struct parser *p, struct err *err)
{
	struct slice name = p->rest;
	size_t i;
	char c;

	for (i = 0; i < name.n && name.p[i] != '=' && !is_newline(name.p[i]);)
		i++;
	if (i == name.n || name.p[i] != '=')
		return err_set(err, ERR_SETTING,
		    "line %u: there is no '=' in it", p->line);
	name.n = i;
	p->rest.p += i + 1;
	p->rest.n -= i + 1;
	name = slice_trim(name);
	for (i = 0; i < name.n; i++) {
		c = name.p[i];
		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    c != '_' && !(i > 0 && c >= '0' && c <= '9'))
			break;
	}
	if (i < name.n || name.n == 0)
		return err_set(err, ERR_SETTING,
		    "line %u: a name is made of letters, digits and '_'",
		    p->line);
	buf_clear(&p->name);
	return buf_append_slice(&p->name, name);
}

static int
add(struct parser *p, int c)
{
	return buf_append_char(&p->value, (char)c);
}

/* Up to the quote that ends it; -1 when the file ends first. */
static int
parse_quoted(struct parser *p, int quote)
{
	int c, escaped;
	int rc = 0;

	while (rc == 0) {
		c = next(p);
		if (c < 0)
			return -1;
		if (c == quote)
			return 0;
		if (c != '\\' || quote == '\'') {
			rc = add(p, c);
			continue;
		}
		escaped = next(p);
		if (escaped < 0)
			return -1;
		if (escaped == '\n')
			continue;
		if (strchr("\"\\`$", escaped) == NULL || escaped == '\0')
			rc = add(p, '\\');
		if (rc == 0)
			rc = add(p, escaped);
	}
	return rc;
}

/* Up to the end of the line, without blanks before it, or to where a blank
 * value turns into a quoted one; quotes in the middle are as they stand. */
static int
parse_bare(struct parser *p)
{
	size_t keep = p->value.len; /* up to the last byte that is no blank */
	int c;

	while ((c = next(p)) >= 0 && !is_newline((char)c)) {
		if (c == '\\') {
			c = next(p);
			if (c < 0)
				break;
			if (c == '\n')
				continue;
			if (add(p, c) < 0)
				return -1;
			keep = p->value.len;
			continue;
		}
		if (add(p, c) < 0)
			return -1;
		if (!is_blank((char)c))
			keep = p->value.len;
	}
	p->value.len = keep;
	return 0;
}

static int
parse_value(struct parser *p, struct err *err)
{
	unsigned line = p->line;
	int c;

	buf_clear(&p->value);
	for (;;) {
		skip_blanks(p);
		c = peek(p);
		if (c != '"' && c != '\'')
			break;
		(void)next(p);
		if (parse_quoted(p, c) < 0)
			return err_set(err, ERR_SETTING,
			    "line %u: its quote does not end", line);
	}
	if (parse_bare(p) < 0)
		return err_set(
		    err, ERR_SETTING, "line %u: it is too long", line);
	if (memchr(buf_str(&p->value), '\0', p->value.len) != NULL)
		return err_set(err, ERR_SETTING,
		    "line %u: there is a NUL byte in it", line);
	return 0;
}

static int
parse_line(struct parser *p, envfile_fn fn, void *arg, struct err *err)
{
	struct envfile_line line = { .number = p->line };

	if (parse_name(p, err) < 0 || parse_value(p, err) < 0)
		return -1;
	line.name = buf_str(&p->name);
	line.value = buf_str(&p->value);
	return fn(arg, &line, err);
}

int
envfile_parse(struct slice text, envfile_fn fn, void *arg, struct err *err)
{
	struct parser p = { .rest = text, .line = 1 };
	int rc = 0;
	int c;

	buf_init(&p.name, text.n);
	buf_init(&p.value, text.n);
	/* At once: what is moved as it grows leaves secrets behind. */
	(void)buf_reserve(&p.value, text.n);
	while (rc == 0) {
		skip_blanks(&p);
		c = peek(&p);
		if (c < 0)
			break;
		if (is_newline((char)c))
			(void)next(&p);
		else if (c == '#' || c == ';')
			skip_line(&p);
		else
			rc = parse_line(&p, fn, arg, err);
	}
	buf_fini(&p.name);
	mem_wipe(p.value.p, p.value.cap);
	buf_fini(&p.value);
	return rc;
}
