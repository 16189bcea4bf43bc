/* SPDX-License-Identifier: MIT */
#include "sft/url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What may stand in an address as it is; curl encodes nothing. */
static bool
is_plain(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

/* One that libcurl would ask: with a host and, if any, a port below 65536. */
static bool
is_address(const char *url)
{
	CURLU *u = curl_url();
	bool is =
	    u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;

	curl_url_cleanup(u);
	return is;
}

static int
no_address(const char *text, struct err *err)
{
	return err_set(err, ERR_USAGE,
	    "the server '%s' is no address; it looks like "
	    "http://localhost:8080",
	    text);
}

int
url_server(const char *text, char **ret_base, struct err *err)
{
	struct slice rest = slice_str(text);
	struct slice host;
	const char *scheme = "http";
	char *base;

	if (slice_starts(rest, "http://")) {
		rest.p += 7;
		rest.n -= 7;
	} else if (slice_starts(rest, "https://")) {
		scheme = "https";
		rest.p += 8;
		rest.n -= 8;
	} else if (strstr(text, "://") != NULL) {
		return err_set(err, ERR_USAGE,
		    "the server '%s' must begin with http:// or https://",
		    text);
	}
	while (rest.n > 0 && rest.p[rest.n - 1] == '/')
		rest.n--;
	host = rest;
	if (!slice_next(&rest, '/', &host) || host.n == 0 || host.p[0] == ':' ||
	    strlen(text) > URL_MAX / 2 || !is_plain(slice_str(text)))
		return no_address(text, err);
	if (memchr(host.p, '@', host.n) != NULL)
		return err_set(err, ERR_USAGE,
		    "the server's address must not hold a name or password; "
		    "a key is given with --key-file or SFT_API_KEY");
	if (strpbrk(text, "?#") != NULL)
		return err_set(err, ERR_USAGE,
		    "the server '%s' must not have a '?' or '#'", text);
	base = rest.n == 0
	           ? mem_printf("%s://%.*s", scheme, (int)host.n, host.p)
	           : mem_printf("%s://%.*s/%.*s", scheme, (int)host.n, host.p,
	                 (int)rest.n, rest.p);
	if (!is_address(base)) {
		free(base);
		return no_address(text, err);
	}
	*ret_base = base;
	return 0;
}

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c) != NULL);
}

static void
encode(struct buf *b, const char *text, bool keep_slash)
{
	const char *p;

	for (p = text; *p != '\0'; p++) {
		if (is_unreserved(*p) || (keep_slash && *p == '/'))
			buf_append_char(b, *p);
		else
			buf_printf(b, "%%%02X", (unsigned)(unsigned char)*p);
	}
}

void
url_add_name(struct buf *b, const char *name)
{
	encode(b, name, true);
}

void
url_add_query(struct buf *b, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_append_char(
	    b, b->len > 0 && memchr(b->p, '?', b->len) != NULL ? '&' : '?');
	encode(b, key, false);
	buf_append_char(b, '=');
	encode(b, value, false);
}
