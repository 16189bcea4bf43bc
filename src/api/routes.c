/* SPDX-License-Identifier: MIT */
#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/handlers.h"
#include "proto/limits.h"

static uint64_t
form_max(const struct app *app)
{
	return app->engine->settings->max_file_size + LIMIT_FORM_OVERHEAD;
}

static uint64_t
file_max(const struct app *app)
{
	return app->engine->settings->max_file_size;
}

/* clang-format off */
const struct route routes_table[] = {
	{ HTTP_GET,    "/health",       ROUTE_EXACT, ROUTE_FREE, 0,          ROUTE_LOOP,     NULL,     h_health },
	{ HTTP_POST,   "/upload",       ROUTE_EXACT, ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, form_max, h_upload_form },
	{ HTTP_POST,   "/upload_batch", ROUTE_EXACT, ROUTE_KEY,  AUTH_WRITE, ROUTE_TRANSFER, NULL,     h_batch_upload },
	{ HTTP_PUT,    "/upload/",      ROUTE_NAME,  ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, file_max, h_upload_raw },
	{ HTTP_POST,   "/upload_chunk", ROUTE_EXACT, ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, form_max, h_upload_chunk },
	{ HTTP_GET,    "/resume_info/", ROUTE_NAME,  ROUTE_OPEN, 0,          ROUTE_SHORT,    NULL,     h_resume_info },
	{ HTTP_POST,   "/cancel/",      ROUTE_NAME,  ROUTE_KEY,  AUTH_WRITE, ROUTE_TRANSFER, NULL,     h_cancel },
	{ HTTP_OPTIONS, "/tus",         ROUTE_EXACT, ROUTE_FREE, 0,          ROUTE_LOOP,     NULL,     h_tus_options },
	{ HTTP_OPTIONS, "/tus/",        ROUTE_EXACT, ROUTE_FREE, 0,          ROUTE_LOOP,     NULL,     h_tus_options },
	{ HTTP_OPTIONS, "/tus/",        ROUTE_WORD,  ROUTE_FREE, 0,          ROUTE_LOOP,     NULL,     h_tus_options },
	{ HTTP_POST,   "/tus",          ROUTE_EXACT, ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, file_max, h_tus_create },
	{ HTTP_POST,   "/tus/",         ROUTE_EXACT, ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, file_max, h_tus_create },
	{ HTTP_HEAD,   "/tus/",         ROUTE_WORD,  ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, NULL,     h_tus_head },
	{ HTTP_PATCH,  "/tus/",         ROUTE_WORD,  ROUTE_OPEN, AUTH_WRITE, ROUTE_STREAM,   file_max, h_tus_append },
	{ HTTP_DELETE, "/tus/",         ROUTE_WORD,  ROUTE_OPEN, AUTH_WRITE, ROUTE_TRANSFER, NULL,     h_tus_remove },
	{ HTTP_GET,    "/download/",    ROUTE_NAME,  ROUTE_OPEN, AUTH_READ,  ROUTE_TRANSFER, NULL,     h_download },
	{ HTTP_GET,    "/thumbnail/",   ROUTE_IMAGE, ROUTE_OPEN, AUTH_READ,  ROUTE_TRANSFER, NULL,     h_thumbnail },
	{ HTTP_GET,    "/download_batch", ROUTE_EXACT, ROUTE_KEY, AUTH_READ, ROUTE_TRANSFER, NULL,     h_archive_get },
	{ HTTP_POST,   "/download_batch", ROUTE_EXACT, ROUTE_KEY, AUTH_READ, ROUTE_TRANSFER, NULL,     h_archive_post },
	{ HTTP_GET,    "/metadata/",    ROUTE_NAME,  ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_metadata },
	{ HTTP_GET,    "/files",        ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_files_list },
	{ HTTP_DELETE, "/files/",       ROUTE_NAME,  ROUTE_KEY,  AUTH_WRITE, ROUTE_SHORT,    NULL,     h_files_remove },
	{ HTTP_GET,    "/status",       ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_status_all },
	{ HTTP_GET,    "/status/",      ROUTE_NAME,  ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_status_one },
	{ HTTP_PATCH,  "/status/",      ROUTE_NAME,  ROUTE_KEY,  AUTH_WRITE, ROUTE_SHORT,    NULL,     h_status_change },
	{ HTTP_GET,    "/history",      ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_history },
	{ HTTP_GET,    "/stats",        ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_stats },
	{ HTTP_GET,    "/clients",      ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_clients },
	{ HTTP_GET,    "/events",       ROUTE_EXACT, ROUTE_OPEN, AUTH_READ,  ROUTE_SHORT,    NULL,     h_events },
	{ HTTP_GET,    "/socket.io/",   ROUTE_EXACT, ROUTE_LATER, AUTH_READ, ROUTE_SHORT,    NULL,     h_socket },
	{ HTTP_POST,   "/socket.io/",   ROUTE_EXACT, ROUTE_LATER, AUTH_READ, ROUTE_SHORT,    NULL,     h_socket },
	{ HTTP_POST,   "/ping",         ROUTE_EXACT, ROUTE_OPEN, 0,          ROUTE_SHORT,    NULL,     h_ping },
	{ HTTP_POST,   "/generate_key", ROUTE_EXACT, ROUTE_KEY,  AUTH_ADMIN, ROUTE_SHORT,    NULL,     h_key_new },
	{ HTTP_GET,    "/keys",         ROUTE_EXACT, ROUTE_KEY,  AUTH_ADMIN, ROUTE_SHORT,    NULL,     h_key_list },
	{ HTTP_DELETE, "/keys/",        ROUTE_WORD,  ROUTE_KEY,  AUTH_ADMIN, ROUTE_SHORT,    NULL,     h_key_revoke },
	{ HTTP_OTHER,  NULL,            ROUTE_EXACT, ROUTE_FREE, 0,          ROUTE_LOOP,     NULL,     NULL },
};
/* clang-format on */

static bool
fits(const struct route *r, struct slice path, struct slice *ret_rest)
{
	size_t n = strlen(r->path);

	*ret_rest = SLICE_NULL;
	if (r->rest == ROUTE_EXACT)
		return slice_eq_str(path, r->path);
	if (!slice_starts(path, r->path))
		return false;
	*ret_rest = (struct slice){ path.p + n, path.n - n };
	return r->rest == ROUTE_NAME || r->rest == ROUTE_IMAGE ||
	       (ret_rest->n > 0 &&
	           memchr(ret_rest->p, '/', ret_rest->n) == NULL);
}

void
routes_match(
    enum http_method method, struct slice path, struct route_match *ret)
{
	struct slice rest;

	*ret = (struct route_match){ .route = NULL };
	for (const struct route *r = routes_table; r->path != NULL; r++) {
		if (!fits(r, path, &rest))
			continue;
		ret->path_known = true;
		if (r->method == method ||
		    (r->method == HTTP_GET && method == HTTP_HEAD)) {
			ret->route = r;
			ret->rest = rest;
			return;
		}
	}
}

static void
allow(char ret[ROUTES_ALLOW_SIZE], const char *method)
{
	size_t n = strlen(ret);

	(void)snprintf(
	    ret + n, ROUTES_ALLOW_SIZE - n, "%s%s", n == 0 ? "" : ", ", method);
}

void
routes_allow(struct slice path, char ret[ROUTES_ALLOW_SIZE])
{
	struct slice rest;

	ret[0] = '\0';
	for (const struct route *r = routes_table; r->path != NULL; r++) {
		/* It is said of every path below. */
		if (!fits(r, path, &rest) || r->method == HTTP_OPTIONS)
			continue;
		allow(ret, http_method_name(r->method));
		if (r->method == HTTP_GET)
			allow(ret, "HEAD");
	}
	allow(ret, "OPTIONS");
}
