/* SPDX-License-Identifier: MIT */
#include "net/http_parse.h"

#include <string.h>

#include "base/num.h"
#include "net/http_token.h"

#define BLANK_MAX 2

enum state { STATE_START, STATE_FIELDS, STATE_DONE };

static int
bad(struct err *err, const char *what)
{
	return err_set(err, ERR_MALFORMED_REQUEST, "%s", what);
}

void
http_parse_init(struct http_parse *p, const struct http_parse_limits *limits)
{
	memset(p, 0, offsetof(struct http_parse, fields));
	p->limits = limits;
}

static struct http_span
span(const char *head, struct slice s)
{
	return (struct http_span){ (uint32_t)(s.p - head), (uint32_t)s.n };
}

static struct slice
slice_at(const char *head, struct http_span s)
{
	return (struct slice){ head + s.at, s.n };
}

/* ${rest} up to the first ${sep}, which is dropped; null: there is none. */
static struct slice
take_until(struct slice *rest, char sep)
{
	const char *end = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
	struct slice part;

	if (end == NULL)
		return SLICE_NULL;
	part = (struct slice){ rest->p, (size_t)(end - rest->p) };
	rest->n -= part.n + 1;
	rest->p = end + 1;
	return part;
}

static enum http_method
method_of(struct slice s)
{
	int m;

	for (m = 0; m < HTTP_OTHER; m++) {
		if (slice_eq_str(s, http_method_name((enum http_method)m)))
			return (enum http_method)m;
	}
	return HTTP_OTHER;
}

/* "HTTP/1.1"; a higher minor version is read as the highest we know (RFC
 * 9110 2.5). */
static int
parse_version(struct http_parse *p, struct slice s, struct err *err)
{
	if (s.n != 8 || memcmp(s.p, "HTTP/", 5) != 0 || s.p[5] < '0' ||
	    s.p[5] > '9' || s.p[6] != '.' || s.p[7] < '0' || s.p[7] > '9')
		return bad(err, "the request line is malformed");
	if (s.p[5] != '1')
		return err_set(err, ERR_VERSION_NOT_SUPPORTED,
		    "only HTTP/1.0 and HTTP/1.1 are spoken here");
	p->minor = s.p[7] == '0' ? 0 : 1;
	return 0;
}

/* The path and query of an absolute-form target (RFC 9112 3.2.2). */
static int
cut_authority(struct slice *target, struct err *err)
{
	struct slice s = *target;
	size_t n;

	if (s.n >= 7 && slice_eq_nocase((struct slice){ s.p, 7 }, "http://"))
		n = 7;
	else if (s.n >= 8 &&
	         slice_eq_nocase((struct slice){ s.p, 8 }, "https://"))
		n = 8;
	else
		return bad(err, "the request target is malformed");
	s.p += n;
	s.n -= n;
	for (n = 0; n < s.n && s.p[n] != '/' && s.p[n] != '?'; n++)
		continue;
	if (!http_token_is_host((struct slice){ s.p, n }) || n == 0)
		return bad(err, "the request target is malformed");
	target->p = s.p + n;
	target->n = s.n - n;
	return 0;
}

static int
parse_target(struct http_parse *p, const char *head, struct slice target,
    struct err *err)
{
	struct slice path = target;
	const char *question;

	p->target = span(head, target);
	if (slice_eq_str(target, "*")) {
		if (p->method != HTTP_OPTIONS)
			return bad(err, "the request target is malformed");
		p->path = p->target;
		p->is_star = true;
		return 0;
	}
	if (!slice_starts(target, "/") && cut_authority(&path, err) < 0)
		return -1;
	question = path.n == 0 ? NULL : memchr(path.p, '?', path.n);
	if (question != NULL) {
		p->query =
		    span(head, (struct slice){ question + 1,
		                   path.n - (size_t)(question + 1 - path.p) });
		path.n = (size_t)(question - path.p);
	}
	p->path = span(head, path);
	return 0;
}

static int
parse_request_line(
    struct http_parse *p, const char *head, struct slice line, struct err *err)
{
	struct slice rest = line;
	struct slice method = take_until(&rest, ' ');
	struct slice target = take_until(&rest, ' ');

	if (!http_token_is_valid(method) || !http_token_is_target(target))
		return bad(err, "the request line is malformed");
	/* First the version: what follows would be judged by other rules. */
	if (parse_version(p, rest, err) < 0)
		return -1;
	p->method = method_of(method);
	return parse_target(p, head, target, err);
}

static int
see_host(struct http_parse *p, struct slice value, struct err *err)
{
	p->n_host++;
	if (!http_token_is_host(value))
		return bad(err, "the Host field is malformed");
	return 0;
}

static int
see_content_length(struct http_parse *p, struct slice value, struct err *err)
{
	p->n_length++;
	if (!num_uint(value, INT64_MAX, &p->content_length))
		return bad(err, "the Content-Length field is malformed");
	return 0;
}

static int
see_transfer_encoding(struct http_parse *p, struct slice value, struct err *err)
{
	(void)err;
	p->n_coding++;
	p->is_chunked = slice_eq_nocase(value, "chunked");
	return 0;
}

static int
see_connection(struct http_parse *p, struct slice value, struct err *err)
{
	struct slice token;

	(void)err;
	while (slice_next(&value, ',', &token)) {
		token = slice_trim(token);
		if (slice_eq_nocase(token, "close"))
			p->says_close = true;
		else if (slice_eq_nocase(token, "keep-alive"))
			p->says_keep_alive = true;
	}
	return 0;
}

static int
see_expect(struct http_parse *p, struct slice value, struct err *err)
{
	(void)err;
	if (slice_eq_nocase(value, "100-continue"))
		p->expects_continue = true;
	else
		p->expects_other = true;
	return 0;
}

/* The fields that say how a message is read. */
static const struct {
	const char *name;
	int (*see)(struct http_parse *p, struct slice value, struct err *err);
} framing[] = {
	{ "Host", see_host },
	{ "Expect", see_expect },
	{ "Connection", see_connection },
	{ "Content-Length", see_content_length },
	{ "Transfer-Encoding", see_transfer_encoding },
};

static int
parse_field(
    struct http_parse *p, const char *head, struct slice line, struct err *err)
{
	struct slice value = line;
	struct slice name = take_until(&value, ':');
	size_t i;

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return bad(err, "a header field is folded");
	if (!http_token_is_valid(name))
		return bad(err, "the name of a header field is malformed");
	if (!http_token_is_value(value))
		return bad(err, "the value of a header field is malformed");
	if (p->n_fields == p->limits->fields_max)
		return err_set(err, ERR_HEADERS_TOO_LARGE,
		    "the request has more than %zu header fields",
		    p->limits->fields_max);
	value = slice_trim(value);
	p->fields[p->n_fields].name = span(head, name);
	p->fields[p->n_fields].value = span(head, value);
	p->n_fields++;
	for (i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
		if (slice_eq_nocase(name, framing[i].name))
			return framing[i].see(p, value, err);
	}
	return 0;
}

/* What can be judged only when all fields are known. */
static int
check_head(const struct http_parse *p, struct err *err)
{
	if (p->n_host > 1 || (p->n_host == 0 && p->minor > 0))
		return bad(err, "the request needs exactly one Host field");
	if (p->n_length > 1)
		return bad(
		    err, "the request has several Content-Length fields");
	if (p->n_coding > 0 && p->n_length > 0)
		return bad(err, "the request has both Content-Length and "
		                "Transfer-Encoding");
	if (p->n_coding > 0 && p->minor == 0)
		return bad(err, "HTTP/1.0 has no Transfer-Encoding");
	if (p->n_coding > 1)
		return bad(
		    err, "the request has several Transfer-Encoding fields");
	if (p->n_coding > 0 && !p->is_chunked)
		return err_set(err, ERR_NOT_IMPLEMENTED,
		    "the only transfer coding understood here is chunked");
	if (p->expects_other)
		return err_set(err, ERR_EXPECTATION_FAILED,
		    "the only expectation understood here is 100-continue");
	return 0;
}

static int
parse_line(
    struct http_parse *p, const char *head, struct slice line, struct err *err)
{
	if (p->state == STATE_START) {
		if (line.n == 0) {
			if (++p->n_blank > BLANK_MAX)
				return bad(err, "the request line is empty");
			return 0;
		}
		p->state = STATE_FIELDS;
		return parse_request_line(p, head, line, err);
	}
	if (line.n > 0)
		return parse_field(p, head, line, err);
	p->state = STATE_DONE;
	return check_head(p, err);
}

/* ${end}: of the line, without CR LF; ${n}: of all that has come of the head.
 */
static int
check_limits(const struct http_parse *p, size_t end, size_t n, struct err *err)
{
	if (p->state == STATE_START && end - p->line > p->limits->line_max)
		return err_set(err, ERR_URI_TOO_LONG,
		    "the request line is longer than %zu bytes",
		    p->limits->line_max);
	if (n > p->limits->head_max)
		return err_set(err, ERR_HEADERS_TOO_LARGE,
		    "the request head is larger than %zu bytes",
		    p->limits->head_max);
	return 0;
}

/* What has come of an unfinished line: a client that speaks something else
 * (TLS, say) is told at once, not when its time has run out. */
static int
see_unfinished(
    struct http_parse *p, const char *head, size_t n, struct err *err)
{
	size_t end = n;
	size_t i;

	/* a CR that may be half of the line's end: seen again */
	if (end > p->line && head[end - 1] == '\r')
		end--;
	if (p->state == STATE_START) {
		for (i = p->scanned; i < end; i++) {
			if ((unsigned char)head[i] < ' ')
				return bad(
				    err, "the request line is malformed");
		}
	}
	p->scanned = end;
	return check_limits(p, end, n, err);
}

ptrdiff_t
http_parse_feed(
    struct http_parse *p, const char *head, size_t n, struct err *err)
{
	const char *lf;
	struct slice line;

	while (p->state != STATE_DONE) {
		lf = p->scanned == n
		         ? NULL
		         : memchr(head + p->scanned, '\n', n - p->scanned);
		if (lf == NULL)
			return see_unfinished(p, head, n, err);
		line.p = head + p->line;
		line.n = (size_t)(lf - line.p);
		if (line.n == 0 || line.p[line.n - 1] != '\r')
			return bad(err, "a line of the head ends without CR");
		line.n--;
		if (check_limits(p, (size_t)(lf - head) - 1,
		        (size_t)(lf - head) + 1, err) < 0)
			return -1;
		if (parse_line(p, head, line, err) < 0)
			return -1;
		p->line = (size_t)(lf - head) + 1;
		p->scanned = p->line;
	}
	return (ptrdiff_t)p->line;
}

void
http_parse_request(const struct http_parse *p, const char *head,
    struct http_field *fields, struct http_request *ret)
{
	uint32_t i;

	for (i = 0; i < p->n_fields; i++) {
		fields[i].name = slice_at(head, p->fields[i].name);
		fields[i].value = slice_at(head, p->fields[i].value);
	}
	*ret = (struct http_request){
		.method = p->method,
		.minor = p->minor,
		.target = slice_at(head, p->target),
		.path = slice_at(head, p->path),
		.query = slice_at(head, p->query),
		.fields = fields,
		.field_count = p->n_fields,
		.content_length = p->content_length,
		.has_body = p->n_coding > 0 || p->content_length > 0,
		.chunked = p->n_coding > 0,
	};
	if (ret->chunked)
		ret->content_length = HTTP_LENGTH_UNKNOWN;
	/* absolute-form without a path */
	if (ret->path.n == 0)
		ret->path = SLICE_LIT("/");
	if (p->query.n == 0)
		ret->query = SLICE_NULL;
	/* An HTTP/1.0 client does not wait (RFC 9110 10.1.1). */
	ret->expects_continue =
	    p->expects_continue && p->minor > 0 && ret->has_body;
	ret->keep_alive =
	    !p->says_close && (p->minor > 0 || p->says_keep_alive);
}
