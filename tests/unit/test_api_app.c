/* SPDX-License-Identifier: MIT */
#include "api/app.h"

#include <stdio.h>
#include <string.h>

#include "api_fixture.h"
#include "unit.h"

#define ADMIN "the-first-admin-key" /* of engine_fixture.c */

/* Before any handler: is there such a route, and may it be used so? */
TEST(test_api_app__answers_what_no_handler_sees)
{
	static const struct {
		const char *line;
		int status;
		const char *code;
	} rows[] = {
		{ "GET /", 404, "not_found" },
		{ "GET /uploads", 404, "not_found" },
		{ "GET /health/", 404, "not_found" },
		{ "GET //health", 404, "not_found" },
		{ "GET /%zz", 400, "malformed_request" },
		{ "GET /%", 400, "malformed_request" },
		{ "GET /upload", 405, "method_not_allowed" },
		{ "DELETE /health", 405, "method_not_allowed" },
		{ "BREW /health", 405, "method_not_allowed" },
		{ "GET /download/", 400, "invalid_filename" },
		{ "GET /download/..", 400, "invalid_filename" },
		{ "GET /download/a%00b", 400, "invalid_filename" },
		{ "GET /download/%2e%2e%2fetc", 400, "invalid_filename" },
		{ "GET /status/a//b", 400, "invalid_filename" },
		{ "GET /keys", 401, "unauthorized" },
		{ "GET /health", 200, NULL },
		{ "GET /he%61lth", 200, NULL },
		{ "HEAD /health", 200, NULL },
	};
	struct api_request req = { 0 };
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.line = rows[i].line;
		api_expect(&a, &req, rows[i].status, rows[i].code);
	}
	api_fini(&a);
}

TEST(test_api_app__says_which_methods_a_path_takes)
{
	static const struct {
		const char *line;
		int status;
		const char *allow;
	} rows[] = {
		{ "POST /health", 405, "Allow: GET, HEAD, OPTIONS" },
		{ "GET /upload/a", 405, "Allow: PUT, OPTIONS" },
		{ "OPTIONS /upload/a", 204, "Allow: PUT, OPTIONS" },
		{ "OPTIONS /keys", 204, "Allow: GET, HEAD, OPTIONS" },
		{ "OPTIONS *", 204, "Allow: OPTIONS" },
	};
	struct api_request req = { 0 };
	struct api_reply r;
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.line = rows[i].line;
		api_ask(&a, &req, &r);
		assert_int_equal(r.status, rows[i].status);
		if (!api_has_field(&r, rows[i].allow))
			fail_msg("'%s' lacks '%s'", r.text, rows[i].allow);
		api_reply_fini(&r);
	}
	api_fini(&a);
}

/* Which key opens what, needed or not. */
TEST(test_api_app__asks_for_keys)
{
#define KEY "X-API-Key: "
#define BEARER "Authorization: Bearer "
	static const struct {
		bool required;
		const char *line, *fields;
		int status;
		const char *code;
	} rows[] = {
		{ false, "GET /status", NULL, 200, NULL },
		{ false, "GET /status", KEY "wrong\r\n", 401,
		    "invalid_api_key" },
		{ false, "GET /status", BEARER "wrong\r\n", 401,
		    "invalid_api_key" },
		{ false, "GET /status", KEY ADMIN "\r\n", 200, NULL },
		{ false, "GET /keys", NULL, 401, "unauthorized" },
		{ false, "GET /keys", KEY ADMIN "\r\n", 200, NULL },
		{ false, "GET /keys", BEARER ADMIN "\r\n", 200, NULL },
		{ false, "GET /keys", "Authorization: bearer  " ADMIN "\r\n",
		    200, NULL },
		{ false, "GET /keys", "Authorization: Basic " ADMIN "\r\n", 401,
		    "unauthorized" },
		/* the first of two ways wins */
		{ false, "GET /keys", BEARER ADMIN "\r\n" KEY "wrong\r\n", 401,
		    "invalid_api_key" },
		{ true, "GET /status", NULL, 401, "unauthorized" },
		{ true, "GET /download/a", NULL, 401, "unauthorized" },
		{ true, "PUT /upload/a", NULL, 401, "unauthorized" },
		{ true, "GET /status", KEY ADMIN "\r\n", 200, NULL },
		/* these never need one */
		{ true, "GET /health", NULL, 200, NULL },
		{ true, "GET /health", KEY "wrong\r\n", 200, NULL },
		{ true, "OPTIONS /status", NULL, 204, NULL },
		/* before anything is said about names */
		{ true, "GET /download/..", NULL, 401, "unauthorized" },
	};
	struct api_request req = { 0 };
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a.f.settings.require_api_key = rows[i].required;
		req.line = rows[i].line;
		req.fields = rows[i].fields;
		api_expect(&a, &req, rows[i].status, rows[i].code);
	}
	api_fini(&a);
#undef KEY
#undef BEARER
}

/* A key does what its scopes say and nothing else. */
TEST(test_api_app__holds_keys_to_their_scopes)
{
	static const struct {
		unsigned scopes;
		const char *line;
		int status;
	} rows[] = {
		{ AUTH_READ, "GET /status", 200 },
		{ AUTH_READ, "GET /download/none", 404 },
		{ AUTH_READ, "PUT /upload/a", 403 },
		{ AUTH_READ, "POST /upload", 403 },
		{ AUTH_READ, "GET /keys", 403 },
		{ AUTH_WRITE, "GET /status", 403 },
		{ AUTH_WRITE, "GET /download/none", 403 },
		{ AUTH_WRITE, "PUT /upload/a", 201 },
		{ AUTH_WRITE, "POST /generate_key", 403 },
		{ AUTH_READ | AUTH_WRITE, "DELETE /keys/x", 403 },
		{ AUTH_ADMIN, "GET /status", 200 },
		{ AUTH_ADMIN, "DELETE /keys/x", 404 },
	};
	char key[AUTH_KEY_SIZE], fields[100];
	struct api_request req = { .body = "x", .fields = fields };
	struct auth_new_key nk = { .name = "k" };
	struct rec_key made;
	struct err err = ERR_INIT;
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		nk.scopes = rows[i].scopes;
		assert_int_equal(
		    auth_generate(a.f.engine->auth, &nk, key, &made, &err), 0);
		rec_key_fini(&made);
		(void)snprintf(
		    fields, sizeof(fields), "X-API-Key: %s\r\n", key);
		req.line = rows[i].line;
		api_expect(&a, &req, rows[i].status,
		    rows[i].status == 403 ? "forbidden" : NULL);
	}
	api_fini(&a);
}

/* Pages of others may look, where the browser lets them, but not touch. */
TEST(test_api_app__refuses_changes_by_foreign_pages)
{
	static const struct {
		const char *line, *fields;
		int status;
	} rows[] = {
		{ "PUT /upload/a", "Origin: https://evil.example\r\n", 403 },
		{ "PUT /upload/a", "Origin: null\r\n", 403 },
		{ "PUT /upload/a", "Sec-Fetch-Site: cross-site\r\n", 403 },
		{ "PUT /upload/a", "Sec-Fetch-Site: same-origin\r\n", 201 },
		{ "PUT /upload/a", "Origin: https://page.example\r\n", 200 },
		{ "PUT /upload/a", "Origin: http://own.example:8080\r\n", 200 },
		{ "PUT /upload/a", "Origin: http://localhost:3000\r\n", 200 },
		{ "GET /status", "Origin: https://evil.example\r\n", 200 },
	};
	struct api_request req = { .body = "x" };
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.line = rows[i].line;
		req.fields = rows[i].fields;
		api_expect(&a, &req, rows[i].status,
		    rows[i].status == 403 ? "origin_forbidden" : NULL);
	}
	api_fini(&a);
}

/* Announced lengths, before a byte of the body: a form may be a bit larger
 * than the largest file in it. */
TEST(test_api_app__refuses_what_is_announced_too_large)
{
	static const struct {
		const char *line;
		uint64_t length;
		const char *code;
	} rows[] = {
		{ "PUT /upload/a", 1000001, "file_too_large" },
		{ "PUT /upload/a", UINT64_C(1) << 62, "file_too_large" },
		{ "POST /upload", 1000000 + 65536 + 1, "file_too_large" },
		{ "POST /generate_key", 65537, "body_too_large" },
	};
	struct api_request req = {
		.fields = "X-API-Key: " ADMIN "\r\n",
	};
	struct api a;
	size_t i;

	api_init(&a);
	api_start(&a);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		req.line = rows[i].line;
		req.length = rows[i].length;
		api_expect(&a, &req, 413, rows[i].code);
	}
	api_fini(&a);
}

/* A body that breaks off or stalls; nothing of it stays. */
TEST(test_api_app__tells_who_stalls)
{
	struct api_request req = { "PUT /upload/a", NULL, "half", 100000 };
	struct api a;

	api_init(&a);
	api_start(&a);
	api_expect(&a, &req, 408, "request_timeout");
	req.length = 100;
	api_expect(&a, &req, 408, "request_timeout");
	req.line = "POST /upload";
	req.length = 100000;
	req.fields = "Content-Type: multipart/form-data; boundary=b\r\n";
	req.body = "--b\r\nContent-Disposition: form-data; name=\"file\"; "
	           "filename=\"a\"\r\n\r\nhalf";
	api_expect(&a, &req, 408, "request_timeout");
	assert_int_equal(fixture_blobs(&a.f), 0);
	assert_int_equal(buffers_taken(a.f.engine->buffers), 0);
	api_fini(&a);
}
