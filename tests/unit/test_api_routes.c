/* SPDX-License-Identifier: MIT */
#include "api/routes.h"

#include <string.h>

#include "unit.h"

TEST(test_api_routes__match_method_and_path)
{
	static const struct {
		enum http_method method;
		const char *path;
		const char *route; /* NULL: none for the method */
		const char *rest;
		const char *allow; /* "": no such path */
	} rows[] = {
		{ HTTP_GET, "/health", "/health", "", "GET, HEAD, OPTIONS" },
		{ HTTP_HEAD, "/health", "/health", "", "GET, HEAD, OPTIONS" },
		{ HTTP_POST, "/health", NULL, "", "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/health/", NULL, "", "" },
		{ HTTP_GET, "/", NULL, "", "" },
		{ HTTP_GET, "/download/a/b", "/download/", "a/b",
		    "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/download/", "/download/", "",
		    "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/download", NULL, "", "" },
		{ HTTP_POST, "/upload", "/upload", "", "POST, OPTIONS" },
		{ HTTP_PUT, "/upload/x", "/upload/", "x", "PUT, OPTIONS" },
		{ HTTP_POST, "/upload/x", NULL, "", "PUT, OPTIONS" },
		{ HTTP_DELETE, "/keys/abc", "/keys/", "abc",
		    "DELETE, OPTIONS" },
		{ HTTP_DELETE, "/keys/a/b", NULL, "", "" },
		{ HTTP_DELETE, "/keys/", NULL, "", "" },
		{ HTTP_GET, "/files", "/files", "", "GET, HEAD, OPTIONS" },
		{ HTTP_DELETE, "/files/a/b", "/files/", "a/b",
		    "DELETE, OPTIONS" },
		{ HTTP_GET, "/files/a", NULL, "", "DELETE, OPTIONS" },
		{ HTTP_OTHER, "/health", NULL, "", "GET, HEAD, OPTIONS" },
	};
	char allow[ROUTES_ALLOW_SIZE];
	struct route_match m;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		routes_match(rows[i].method, slice_str(rows[i].path), &m);
		assert_int_equal(m.path_known, rows[i].allow[0] != '\0');
		if (m.path_known) {
			routes_allow(slice_str(rows[i].path), allow);
			assert_string_equal(allow, rows[i].allow);
		}
		if (rows[i].route == NULL) {
			assert_null(m.route);
			continue;
		}
		assert_string_equal(m.route->path, rows[i].route);
		assert_true(slice_eq_str(m.rest, rows[i].rest));
	}
}

/* What the table must never say. */
TEST(test_api_routes__what_changes_keys_needs_an_admin)
{
	for (const struct route *r = routes_table; r->path != NULL; r++) {
		if (strstr(r->path, "key") == NULL)
			continue;
		assert_int_equal(r->need, ROUTE_KEY);
		assert_int_equal(r->scope, AUTH_ADMIN);
	}
}

TEST(test_api_routes__every_row_is_complete)
{
	for (const struct route *r = routes_table; r->path != NULL; r++) {
		size_t n = strlen(r->path);

		assert_non_null(r->handle);
		/* tus and Socket.IO call a place by a folder's name. */
		if (strcmp(r->path, "/tus/") != 0 &&
		    strcmp(r->path, "/socket.io/") != 0)
			assert_int_equal(
			    r->path[n - 1] == '/', r->rest != ROUTE_EXACT);
		/* Without a scope any key will do: the state of an upload
		 * and of the network are for who reads and who writes. */
		if (r->need != ROUTE_FREE &&
		    strcmp(r->path, "/resume_info/") != 0 &&
		    strcmp(r->path, "/ping") != 0)
			assert_int_not_equal(r->scope, 0);
	}
}
