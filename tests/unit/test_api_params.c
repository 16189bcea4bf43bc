/* SPDX-License-Identifier: MIT */
#include "api/params.h"

#include <string.h>

#include "unit.h"

static enum err_code
set(struct params_upload *p, const char *name, const char *value)
{
	struct err err = ERR_INIT;

	(void)params_upload_set(p, name, slice_str(value), &err);
	return err.code;
}

TEST(test_api_params__take_the_options_of_uploads)
{
	struct params_upload p;

	params_upload_init(&p);
	assert_true(p.options.may_replace);
	assert_int_equal(set(&p, "filename", "a/b"), ERR_NONE);
	assert_int_equal(set(&p, "encryption", "Yes"), ERR_NONE);
	assert_int_equal(set(&p, "priority", "normal"), ERR_NONE);
	assert_int_equal(p.options.priority, 0);
	assert_int_equal(set(&p, "priority", "10"), ERR_NONE);
	assert_int_equal(set(&p, "client_id", "me"), ERR_NONE);
	assert_int_equal(set(&p, "if_exists", "error"), ERR_NONE);
	assert_int_equal(set(&p, "nobody's", "thing"), ERR_NONE);
	assert_string_equal(p.options.filename, "a/b");
	assert_string_equal(p.options.client_id, "me");
	assert_int_equal(p.options.priority, 10);
	assert_true(p.options.encryption);
	assert_false(p.options.may_replace);
	assert_false(p.options.has_sha256);
	params_upload_fini(&p);
}

TEST(test_api_params__refuse_bad_options)
{
	static const struct {
		const char *name, *value;
		enum err_code code;
	} rows[] = {
		{ "filename", "../x", ERR_INVALID_FILENAME },
		{ "encryption", "maybe", ERR_INVALID_PARAMETER },
		{ "encryption", "", ERR_INVALID_PARAMETER },
		{ "priority", "11", ERR_INVALID_PARAMETER },
		{ "priority", "-1", ERR_INVALID_PARAMETER },
		{ "priority", "1.5", ERR_INVALID_PARAMETER },
		{ "priority", "", ERR_INVALID_PARAMETER },
		{ "client_id", "a\nb", ERR_INVALID_PARAMETER },
		{ "sha256", "abc", ERR_INVALID_PARAMETER },
		{ "if_exists", "maybe", ERR_INVALID_PARAMETER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct params_upload p;

		params_upload_init(&p);
		assert_int_equal(
		    set(&p, rows[i].name, rows[i].value), rows[i].code);
		params_upload_fini(&p);
	}
}

TEST(test_api_params__client_ids_have_at_most_128_characters)
{
	struct params_upload p;
	char id[2 * 129 + 1];

	params_upload_init(&p);
	for (size_t i = 0; i < 129; i++)
		memcpy(id + 2 * i, "\xc3\xa9", 2);
	id[2 * 129] = '\0';
	assert_int_equal(set(&p, "client_id", id), ERR_INVALID_PARAMETER);
	id[2 * 128] = '\0';
	assert_int_equal(set(&p, "client_id", id), ERR_NONE);
	params_upload_fini(&p);
}

TEST(test_api_params__read_the_query)
{
	struct http_request req = {
		.query = SLICE_LIT("limit=5&on=true&bad=%zz&limit=6"),
	};
	static const struct params_uint limit = { "limit", 1, 10, 3 };
	static const struct params_uint offset = { "offset", 1, 10, 3 };
	static const struct params_uint high = { "limit", 6, 10, 6 };
	struct err err = ERR_INIT;
	uint64_t n;
	bool on;

	assert_int_equal(params_query_uint(&req, &limit, &n, &err), 0);
	assert_int_equal(n, 5);
	assert_int_equal(params_query_uint(&req, &offset, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(params_query_uint(&req, &high, &n, &err), -1);
	assert_int_equal(err.code, ERR_INVALID_PARAMETER);
	assert_int_equal(params_query_bool(&req, "on", false, &on, &err), 0);
	assert_true(on);
	assert_int_equal(params_query_bool(&req, "bad", false, &on, &err), -1);
	assert_int_equal(
	    params_query_bool(&req, "limit", false, &on, &err), -1);
}
