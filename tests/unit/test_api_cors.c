/* SPDX-License-Identifier: MIT */
#include "api/cors.h"

#include "unit.h"

static bool
allows(const char *origins, const char *own, const char *origin)
{
	struct err err = ERR_INIT;
	struct cors *c;
	bool yes;

	assert_int_equal(cors_new(origins, own, &c, &err), 0);
	yes = cors_allows(c, slice_str(origin));
	cors_free(c);
	return yes;
}

TEST(test_api_cors__allows_local_pages_by_default)
{
	static const struct {
		const char *origin;
		bool yes;
	} rows[] = {
		{ "http://localhost", true },
		{ "http://localhost:3000", true },
		{ "https://localhost:65535", true },
		{ "http://127.0.0.1:8080", true },
		{ "http://localhost:65536", false },
		{ "http://localhost:", false },
		{ "http://localhost.evil.example", false },
		{ "http://localhost:80.evil.example", false },
		{ "http://127.0.0.1.evil.example", false },
		{ "http://evil.example", false },
		{ "ftp://localhost", false },
		{ "null", false },
		{ "http://10.0.0.1:8080", true }, /* ourselves */
		{ "http://10.0.0.1", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(allows("localhost", "http://10.0.0.1:8080\n",
		                     rows[i].origin),
		    rows[i].yes);
}

TEST(test_api_cors__a_list_allows_what_it_names_and_nothing_else)
{
	const char *list = "https://a.example, https://B.example:444";

	assert_true(allows(list, "", "https://a.example"));
	assert_true(allows(list, "", "https://b.example:444"));
	assert_false(allows(list, "", "https://b.example"));
	assert_false(allows(list, "", "http://a.example"));
	assert_false(allows(list, "", "http://localhost"));
	assert_true(allows("*", "", "https://anything.example"));
	assert_true(
	    allows("localhost,https://a.example", "", "https://a.example"));
	assert_false(allows(NULL, "", "http://localhost"));
}

TEST(test_api_cors__refuses_what_is_no_origin)
{
	static const char *const bad[] = {
		"example.org",
		"https://example.org/",
		"https://example.org/path",
		"https://",
		"https://user@example.org",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		struct cors *c;

		assert_int_equal(cors_new(bad[i], "", &c, &err), -1);
		assert_int_equal(err.code, ERR_SETTING);
	}
}

static enum err_code
unsafe(enum http_method m, const char *origin, const char *site)
{
	struct http_field fields[2];
	struct http_request req = { .method = m, .fields = fields };
	struct err err = ERR_INIT;
	struct cors *c;

	if (origin != NULL)
		fields[req.field_count++] = (struct http_field){
			SLICE_LIT("Origin"),
			slice_str(origin),
		};
	if (site != NULL)
		fields[req.field_count++] = (struct http_field){
			SLICE_LIT("Sec-Fetch-Site"),
			slice_str(site),
		};
	assert_int_equal(cors_new("localhost", "", &c, &err), 0);
	(void)cors_check_unsafe(c, &req, &err);
	cors_free(c);
	return err.code;
}

TEST(test_api_cors__foreign_pages_may_not_change_things)
{
	const char *here = "http://localhost:3000";
	const char *evil = "https://evil.example";

	assert_int_equal(unsafe(HTTP_GET, evil, "cross-site"), ERR_NONE);
	assert_int_equal(unsafe(HTTP_POST, NULL, NULL), ERR_NONE);
	assert_int_equal(unsafe(HTTP_POST, here, "cross-site"), ERR_NONE);
	assert_int_equal(unsafe(HTTP_POST, NULL, "same-origin"), ERR_NONE);
	assert_int_equal(unsafe(HTTP_POST, evil, NULL), ERR_ORIGIN_FORBIDDEN);
	assert_int_equal(
	    unsafe(HTTP_DELETE, "null", NULL), ERR_ORIGIN_FORBIDDEN);
	assert_int_equal(
	    unsafe(HTTP_PUT, NULL, "cross-site"), ERR_ORIGIN_FORBIDDEN);
}
