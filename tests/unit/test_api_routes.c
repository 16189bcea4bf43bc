/* SPDX-License-Identifier: MIT */
#include "api/routes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "unit.h"

#define LIST_MAX 65536

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

/* A row as tests/vectors/routes.txt has it. */
static char *
row_text(const struct route *r)
{
	static const char *const rests[] = {
		[ROUTE_EXACT] = "",
		[ROUTE_NAME] = "<name>",
		[ROUTE_IMAGE] = "<image>",
		[ROUTE_WORD] = "<id>",
	};
	static const char *const needs[] = {
		[ROUTE_FREE] = "free",
		[ROUTE_OPEN] = "open",
		[ROUTE_KEY] = "key",
		[ROUTE_LATER] = "later",
	};
	const char *scope = "any";

	for (unsigned i = 0; i < 3; i++)
		if (r->scope == 1u << i)
			scope = auth_scope_names[i];
	return mem_printf("%s %s%s %s %s", http_method_name(r->method), r->path,
	    rests[r->rest], needs[r->need], scope);
}

/* Tests walk the routes by that list: one that is not on it would be tested by
 * none of them. */
TEST(test_api_routes__are_those_of_the_list)
{
	const struct route *r = routes_table;
	struct slice rest, line;
	struct buf b;
	char *row;

	buf_init(&b, LIST_MAX);
	assert_int_equal(
	    file_read_all(AT_FDCWD, UNIT_VECTORS "/routes.txt", &b, NULL), 0);
	rest = buf_slice(&b);
	while (slice_next(&rest, '\n', &line)) {
		if (line.n == 0 || line.p[0] == '#')
			continue;
		row = r->path == NULL ? mem_strdup("no more") : row_text(r++);
		if (!slice_eq_str(line, row))
			fail_msg("tests/vectors/routes.txt has '%.*s' where "
			         "the table has '%s'",
			    (int)line.n, line.p, row);
		free(row);
	}
	if (r->path != NULL)
		fail_msg("tests/vectors/routes.txt lacks '%s'", r->path);
	buf_fini(&b);
}
