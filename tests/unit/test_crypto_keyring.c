/* SPDX-License-Identifier: MIT */
#include "crypto/keyring.h"

#include <string.h>

#include "base/hex.h"
#include "unit.h"

static const unsigned char raw[EAX_KEY_SIZE] = { 0x00, 0x11, 0x22, 0x33, 0x44,
	0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

TEST(test_crypto_keyring__reads_a_key_in_three_forms)
{
	static const char *const texts[] = {
		"00112233445566778899aabbccddeeff",
		"00112233445566778899AABBCCDDEEFF",
		"ABEiM0RVZneImaq7zN3u/w==",
	};
	unsigned char got[EAX_KEY_SIZE];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memset(got, 0, sizeof(got));
		assert_int_equal(
		    keyring_parse(slice_str(texts[i]), got, &err), 0);
		assert_memory_equal(got, raw, sizeof(raw));
	}
	assert_int_equal(
	    keyring_parse(slice_str("sixteen letters!"), got, &err), 0);
	assert_memory_equal(got, "sixteen letters!", sizeof(got));
	/* sixteen digits are characters, too */
	assert_int_equal(
	    keyring_parse(slice_str("0123456789abcdef"), got, &err), 0);
	assert_memory_equal(got, "0123456789abcdef", sizeof(got));
}

TEST(test_crypto_keyring__refuses_what_is_no_key)
{
	static const char *const texts[] = { "", "x", "fifteen letters",
		"seventeen letters", "0011223344556677889900112233445",
		"001122334455667788990011223344556",
		"0011223344556677889900112233445g", "ABEiM0RVZneImaq7zN3u",
		"ABEiM0RVZneImaq7zN3u/wAA", "!!!!!!!!!!!!!!!!!!!!!!==" };
	unsigned char got[EAX_KEY_SIZE];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
		    keyring_parse(slice_str(texts[i]), got, &err), -1);
		assert_int_equal(err.code, ERR_SETTING);
		if (strlen(texts[i]) > 2)
			assert_null(strstr(err.msg, texts[i]));
	}
}

TEST(test_crypto_keyring__finds_keys_by_their_ids)
{
	unsigned char first[KEYRING_ID_SIZE], second[KEYRING_ID_SIZE];
	struct keyring *ring = keyring_new(raw);
	const unsigned char *other = (const unsigned char *)"another key 1234";
	struct err err = ERR_INIT;
	char hex[KEYRING_ID_HEX_SIZE];
	static const unsigned char counting[EAX_KEY_SIZE] = { 0, 1, 2, 3, 4, 5,
		6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	/* docs/format.md has this one */
	keyring_id(counting, first);
	hex_encode(first, sizeof(first), hex);
	assert_string_equal(hex, "9903b7b057c6d92c9c2f96dfd8cc3930");
	keyring_id(raw, first);
	keyring_id(other, second);
	assert_memory_equal(keyring_current_id(ring), first, sizeof(first));
	assert_ptr_equal(keyring_find(ring, first), keyring_current(ring));
	assert_null(keyring_find(ring, second));
	assert_int_equal(keyring_add(ring, other, &err), 0);
	assert_int_equal(keyring_add(ring, other, &err), 0);
	assert_int_equal(keyring_add(ring, raw, &err), 0);
	assert_non_null(keyring_find(ring, second));
	assert_ptr_not_equal(keyring_find(ring, second), keyring_current(ring));
	keyring_free(ring);
	keyring_free(NULL);
}

TEST(test_crypto_keyring__holds_so_many_and_no_more)
{
	struct keyring *ring = keyring_new(raw);
	unsigned char key[EAX_KEY_SIZE] = { 0 };
	struct err err = ERR_INIT;

	for (int i = 0; i < KEYRING_PREVIOUS_MAX; i++) {
		key[0] = (unsigned char)(i + 1);
		assert_int_equal(keyring_add(ring, key, &err), 0);
	}
	key[0] = 200;
	assert_int_equal(keyring_add(ring, key, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	key[0] = 1;
	assert_int_equal(keyring_add(ring, key, &err), 0);
	keyring_free(ring);
}
