/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "crypto/secret.h"

TEST(test_crypto_secret__equal)
{
	assert_true(secret_equal("abc", "abc", 3));
	assert_false(secret_equal("abc", "abd", 3));
	assert_false(secret_equal("xbc", "abc", 3));
	assert_true(secret_equal("xbc", "abc", 0));
}

TEST(test_crypto_secret__key_has_its_form)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
	                             "pqrstuvwxyz0123456789-_";
	char key[SECRET_KEY_SIZE];
	char other[SECRET_KEY_SIZE];
	int i;

	secret_new_key(other);
	/* often enough to meet every digit */
	for (i = 0; i < 100; i++) {
		secret_new_key(key);
		assert_int_equal(strlen(key), SECRET_KEY_SIZE - 1);
		assert_memory_equal(key, "sft_", 4);
		assert_int_equal(
		    strspn(key + 4, digits), SECRET_KEY_SIZE - 1 - 4);
		assert_string_not_equal(key, other);
	}
}
