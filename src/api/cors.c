/* SPDX-License-Identifier: MIT */
#include "api/cors.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "proto/limits.h"

#define ORIGIN_MAX 512
#define EXPOSED                                                                \
	"Accept-Ranges, Allow, Content-Disposition, Content-Length, "          \
	"Content-Range, ETag, Last-Modified, Location, Repr-Digest, "          \
	"Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, "   \
	"Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, "     \
	"Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, "      \
	"WWW-Authenticate, X-Request-Id"

struct cors {
	bool any;       /* "*" */
	bool local;     /* localhost and 127.0.0.1 on any port */
	char **origins; /* lower case, as browsers send them */
	size_t count;
};

/* Of no use in a list: "*" only stands alone. */
static bool
is_origin(struct slice s)
{
	struct slice rest;

	if (slice_starts(s, "http://"))
		rest = (struct slice){ s.p + 7, s.n - 7 };
	else if (slice_starts(s, "https://"))
		rest = (struct slice){ s.p + 8, s.n - 8 };
	else
		return slice_eq_str(s, "null");
	return rest.n > 0 && rest.n < ORIGIN_MAX &&
	       memchr(rest.p, '/', rest.n) == NULL &&
	       memchr(rest.p, '@', rest.n) == NULL;
}

static void
add(struct cors *c, struct slice origin)
{
	char *s = slice_dup(origin);

	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	c->origins =
	    mem_realloc(c->origins, (c->count + 1) * sizeof(*c->origins));
	c->origins[c->count++] = s;
}

static int
add_list(struct cors *c, const char *list, struct err *err)
{
	struct slice rest = slice_str(list);
	struct slice part;

	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		if (part.n == 0)
			continue;
		if (slice_eq_str(part, "*"))
			c->any = true;
		else if (slice_eq_str(part, "localhost"))
			c->local = true;
		else if (is_origin(part))
			add(c, part);
		else
			return err_set(err, ERR_SETTING,
			    "CORS_ORIGINS has '%.*s': each must be '*', "
			    "'localhost' or an origin such as "
			    "https://files.example.org, "
			    "without a path",
			    (int)(part.n > 100 ? 100 : part.n), part.p);
	}
	return 0;
}

int
cors_new(const char *origins, const char *own, struct cors **ret_cors,
    struct err *err)
{
	struct cors *c = mem_calloc(1, sizeof(*c));
	struct slice rest = slice_str(own);
	struct slice line;

	if (origins != NULL && add_list(c, origins, err) < 0) {
		cors_free(c);
		return -1;
	}
	while (slice_next(&rest, '\n', &line))
		if (is_origin(line))
			add(c, line);
	*ret_cors = c;
	return 0;
}

void
cors_free(struct cors *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		free(c->origins[i]);
	free(c->origins);
	free(c);
}

/* ":PORT" or nothing. */
static bool
is_port(struct slice s)
{
	uint64_t port;

	if (s.n == 0)
		return true;
	return s.p[0] == ':' &&
	       num_uint((struct slice){ s.p + 1, s.n - 1 }, 65535, &port);
}

static bool
is_local(struct slice origin)
{
	static const char *const hosts[] = {
		"http://localhost",
		"https://localhost",
		"http://127.0.0.1",
		"https://127.0.0.1",
	};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t n = strlen(hosts[i]);

		if (slice_starts(origin, hosts[i]) &&
		    is_port((struct slice){ origin.p + n, origin.n - n }))
			return true;
	}
	return false;
}

bool
cors_allows(const struct cors *c, struct slice origin)
{
	if (c->any)
		return true;
	if (c->local && is_local(origin))
		return true;
	for (size_t i = 0; i < c->count; i++)
		if (slice_eq_str(origin, c->origins[i]))
			return true;
	return false;
}

/* What may be put back into a header field. */
static bool
is_sendable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x21 || s.p[i] > 0x7e)
			return false;
	return s.n > 0 && s.n <= ORIGIN_MAX;
}

void
cors_headers(const struct cors *c, struct http_exchange *x)
{
	struct slice origin = http_field(http_request(x), "origin");

	/* Of a request that could not be read the origin is not known. */
	if (c->any) {
		http_header(x, "Access-Control-Allow-Origin", "*");
		http_header(x, "Access-Control-Expose-Headers", EXPOSED);
		return;
	}
	http_header(x, "Vary", "Origin");
	if (origin.n == 0 || !is_sendable(origin) || !cors_allows(c, origin))
		return;
	http_header(
	    x, "Access-Control-Allow-Origin", "%.*s", (int)origin.n, origin.p);
	http_header(x, "Access-Control-Expose-Headers", EXPOSED);
}

/* A list of field names, as a browser asks for them. */
static bool
is_field_list(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		        (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' ||
		        ch == ',' || ch == ' '))
			return false;
	}
	return s.n > 0 && s.n <= 1024;
}

void
cors_preflight_headers(
    const struct cors *c, struct http_exchange *x, const char *methods)
{
	const struct http_request *req = http_request(x);
	struct slice origin = http_field(req, "origin");
	struct slice asked;
	struct buf b;

	if (origin.n == 0 || !cors_allows(c, origin))
		return;
	buf_init(&b, LIMIT_HEAD);
	asked = http_field_list(req, "access-control-request-headers", &b);
	http_header(x, "Access-Control-Allow-Methods", "%s", methods);
	/* No route takes cookies, so any field may come. */
	if (is_field_list(asked))
		http_header(x, "Access-Control-Allow-Headers", "%.*s",
		    (int)asked.n, asked.p);
	http_header(x, "Access-Control-Max-Age", "600");
	buf_fini(&b);
}

int
cors_check_unsafe(
    const struct cors *c, const struct http_request *req, struct err *err)
{
	struct slice origin = http_field(req, "origin");
	struct slice site = http_field(req, "sec-fetch-site");

	if (req->method == HTTP_GET || req->method == HTTP_HEAD ||
	    req->method == HTTP_OPTIONS)
		return 0;
	if (origin.p != NULL ? !cors_allows(c, origin)
	                     : slice_eq_nocase(site, "cross-site"))
		return err_set(err, ERR_ORIGIN_FORBIDDEN,
		    "a page of another origin may not change things here; "
		    "CORS_ORIGINS says which may");
	return 0;
}
