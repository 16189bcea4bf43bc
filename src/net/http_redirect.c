/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "net/http_priv.h"

#define HTTPS_PORT 443

/* Host without its port; a null slice when it is none that can be named.  Its
 * characters have been checked with the head. */
static struct slice
host_of(const struct http_request *req)
{
	struct slice host = http_field(req, "host");
	const char *end;

	if (host.n == 0)
		return SLICE_NULL;
	if (host.p[0] == '[') {
		end = memchr(host.p, ']', host.n);
		return end == NULL ? SLICE_NULL
		                   : (struct slice){ host.p,
			                     (size_t)(end - host.p) + 1 };
	}
	end = memchr(host.p, ':', host.n);
	if (end != NULL)
		host.n = (size_t)(end - host.p);
	return host.n == 0 ? SLICE_NULL : host;
}

/* Where TLS is spoken. */
static uint16_t
port_of(const struct http_server *s)
{
	struct addr bound;

	return addr_of_socket(s->listen_fd, &bound, NULL) == 0
	           ? addr_port(&bound)
	           : HTTPS_PORT;
}

static void
point(struct http_exchange *x, struct slice host)
{
	const struct http_request *req = http_request(x);
	uint16_t port = port_of(x->server);
	char suffix[8] = "";

	if (port != HTTPS_PORT)
		(void)snprintf(suffix, sizeof(suffix), ":%u", (unsigned)port);
	http_status(x, 308);
	http_header(x, "Location", "https://%.*s%s%.*s", (int)host.n, host.p,
	    suffix, (int)req->target.n, req->target.p);
	http_send(x, NULL, 0);
}

/* Not of what changes something: its body would come in the clear, twice. */
static bool
is_harmless(enum http_method m)
{
	return m == HTTP_GET || m == HTTP_HEAD || m == HTTP_OPTIONS;
}

static void
refuse_method(struct http_conn *hc)
{
	const struct http_app *app = &hc->lp->server->cf.app;
	struct err err = ERR_INIT;

	(void)err_set(&err, ERR_METHOD_NOT_ALLOWED,
	    "this port only points to HTTPS: use an address that begins with "
	    "https://");
	http_close_after(hc->x);
	http_status(hc->x, 405);
	http_header(hc->x, "Allow", "GET, HEAD, OPTIONS");
	app->fail(hc->x, 405, &err, app->arg);
	http_conn_replied(hc);
}

void
http_redirect(struct http_conn *hc)
{
	struct http_exchange *x = hc->x;
	const struct http_request *req = http_request(x);
	struct slice host = host_of(req);
	struct err err = ERR_INIT;

	if (!is_harmless(req->method)) {
		refuse_method(hc);
	} else if (host.n == 0 || req->target.n == 0 ||
	           req->target.p[0] != '/') {
		(void)err_set(&err, ERR_MALFORMED_REQUEST,
		    "this port only points to HTTPS, and the request does not "
		    "say of which host and path");
		http_refuse(hc, &err);
	} else {
		point(x, host);
		http_conn_replied(hc);
	}
}
