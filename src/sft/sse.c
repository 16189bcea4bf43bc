/* SPDX-License-Identifier: MIT */
#include "sft/sse.h"

#include <stdio.h>
#include <string.h>

void
sse_init(struct sse *s, sse_fn fn, void *arg)
{
	*s = (struct sse){ .fn = fn, .arg = arg };
	buf_init(&s->line, SSE_MAX);
	buf_init(&s->data, SSE_MAX);
}

void
sse_fini(struct sse *s)
{
	buf_fini(&s->line);
	buf_fini(&s->data);
}

void
sse_begin(struct sse *s)
{
	buf_clear(&s->line);
	buf_clear(&s->data);
	s->event[0] = '\0';
}

static int
too_long(struct err *err)
{
	return err_set(err, ERR_IO,
	    "the server sent an event of more than %zu bytes: is it an sftd?",
	    SSE_MAX);
}

/* A name that does not fit is none of ours. */
static void
take_name(struct slice value, char ret[SSE_NAME_SIZE])
{
	size_t n = value.n < SSE_NAME_SIZE ? value.n : 0;

	memcpy(ret, value.p, n);
	ret[n] = '\0';
}

static int
add_data(struct sse *s, struct slice value, struct err *err)
{
	if (buf_append(&s->data, value.p, value.n) < 0 ||
	    buf_append(&s->data, "\n", 1) < 0)
		return too_long(err);
	return 0;
}

/* An empty line ends an event; one without data is none. */
static int
dispatch(struct sse *s, struct err *err)
{
	struct slice data = { s->data.p, s->data.len };
	int rc = 0;

	if (data.n > 0) {
		data.n--; /* the last line's end */
		rc = s->fn(s->arg, s->event, data, err);
	}
	buf_clear(&s->data);
	s->event[0] = '\0';
	return rc;
}

static int
take_line(struct sse *s, struct slice line, struct err *err)
{
	const char *colon;
	struct slice name = line, value = SLICE_LIT("");

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		name.n = --line.n;
	if (line.n == 0)
		return dispatch(s, err);
	colon = memchr(line.p, ':', line.n);
	if (colon != NULL) {
		name.n = (size_t)(colon - line.p);
		value = (struct slice){ colon + 1, line.n - name.n - 1 };
		if (value.n > 0 && value.p[0] == ' ')
			value = (struct slice){ value.p + 1, value.n - 1 };
	}
	/* Without a name it is a comment. */
	if (slice_eq_str(name, "data"))
		return add_data(s, value, err);
	if (slice_eq_str(name, "event"))
		take_name(value, s->event);
	else if (slice_eq_str(name, "id"))
		take_name(value, s->id);
	return 0;
}

int
sse_feed(struct sse *s, const char *p, size_t n, struct err *err)
{
	while (n > 0) {
		const char *end = memchr(p, '\n', n);
		size_t part = end == NULL ? n : (size_t)(end - p);

		if (buf_append(&s->line, p, part) < 0)
			return too_long(err);
		if (end == NULL)
			return 0;
		if (take_line(
		        s, (struct slice){ s->line.p, s->line.len }, err) < 0)
			return -1;
		buf_clear(&s->line);
		p += part + 1;
		n -= part + 1;
	}
	return 0;
}
