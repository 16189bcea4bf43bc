/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "unit.h"

TEST(test_base_err__sets_and_returns_minus_one)
{
	struct err err = ERR_INIT;

	err.sys = 7;
	assert_int_equal(
	    err_set(&err, ERR_FILE_EXISTS, "'%s' exists", "a"), -1);
	assert_int_equal(err.code, ERR_FILE_EXISTS);
	assert_int_equal(err.sys, 0);
	assert_string_equal(err.msg, "'a' exists");
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.msg, "");
}

TEST(test_base_err__takes_null)
{
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_set_errno(NULL, ERR_IO, "x"), -1);
	err_clear(NULL);
}

TEST(test_base_err__names_the_failed_call)
{
	struct err err = ERR_INIT;

	errno = EACCES;
	assert_int_equal(
	    err_set_errno(&err, ERR_IO, "cannot open '%s'", "f"), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(err.sys, EACCES);
	assert_int_equal(errno, EACCES);
	assert_string_equal(err.msg, "cannot open 'f': Permission denied");
}

TEST(test_base_err__full_disk_is_public_and_names_no_path)
{
	static const int errors[] = { ENOSPC, EDQUOT };
	struct err err = ERR_INIT;
	size_t i;

	for (i = 0; i < 2; i++) {
		errno = errors[i];
		err_set_errno(&err, ERR_IO, "cannot write '/secret/path'");
		assert_int_equal(err.code, ERR_STORAGE_FULL);
		assert_int_equal(err.sys, errors[i]);
		assert_null(strstr(err.msg, "secret"));
		assert_true(err_code_is_public(err.code));
	}
	/* Only what is an I/O error by itself. */
	errno = ENOSPC;
	err_set_errno(&err, ERR_DATABASE, "x");
	assert_int_equal(err.code, ERR_DATABASE);
}

TEST(test_base_err__cuts_between_characters)
{
	char text[ERR_MSG_MAX * 2];
	struct err err = ERR_INIT;
	size_t i, shift;

	/* U+00E9, two bytes, at both parities */
	for (shift = 0; shift < 2; shift++) {
		memset(text, 'x', sizeof(text));
		for (i = shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa9", 2);
		text[sizeof(text) - 1] = '\0';
		err_set(&err, ERR_IO, "%s", text);
		i = strlen(err.msg);
		assert_true(i >= ERR_MSG_MAX - 2);
		assert_int_equal((i - shift) % 2, 0);
	}
}

TEST(test_base_err__cuts_the_systems_text_too)
{
	char text[ERR_MSG_MAX];
	struct err err = ERR_INIT;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 5] = '\0';
	errno = EIO;
	err_set_errno(&err, ERR_IO, "%s", text);
	assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
	assert_string_equal(err.msg + ERR_MSG_MAX - 5, ": In");
}

TEST(test_base_err__names_are_the_codes_in_lower_case)
{
	static const char *const codes[] = {
#define CODE_NAME(rest, name, is_public) #rest,
		ERR_CODES(CODE_NAME)
#undef CODE_NAME
	};
	const char *name;
	size_t i, k;

	for (i = 0; i < ERR_CODE_COUNT; i++) {
		name = err_code_name((enum err_code)i);
		assert_int_equal(strlen(name), strlen(codes[i]));
		for (k = 0; name[k] != '\0'; k++)
			assert_int_equal(name[k], tolower(codes[i][k]));
		assert_int_equal(err_code_of_name(name), i);
	}
	assert_string_equal(
	    err_code_name(ERR_FILE_NOT_FOUND), "file_not_found");
	assert_int_equal(err_code_of_name("no_such_code"), ERR_NONE);
	assert_string_equal(err_code_name(ERR_CODE_COUNT), "internal");
}

TEST(test_base_err__hides_what_may_name_paths)
{
	static const enum err_code hidden[] = { ERR_INTERNAL, ERR_IO,
		ERR_DATABASE, ERR_DATABASE_UNKNOWN, ERR_EXISTS, ERR_ABSENT,
		ERR_UNAVAILABLE, ERR_SETTING, ERR_CODE_COUNT };
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_false(err_code_is_public(hidden[i]));
	assert_true(err_code_is_public(ERR_INVALID_FILENAME));
	assert_true(err_code_is_public(ERR_FILE_DAMAGED));
}
