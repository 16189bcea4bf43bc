/* SPDX-License-Identifier: MIT */
#include "base/hex.h"

#include <string.h>

#include "unit.h"

TEST(test_base_hex__both_ways)
{
	static const unsigned char bytes[] = { 0x00, 0x7f, 0x80, 0xff, 0xa5 };
	char text[11];
	unsigned char back[5];

	hex_encode(bytes, 5, text);
	assert_string_equal(text, "007f80ffa5");
	assert_true(hex_decode(slice_str(text), back, 5));
	assert_memory_equal(back, bytes, 5);
	assert_true(hex_decode(SLICE_LIT("FFaA"), back, 2));
	assert_memory_equal(back, "\xff\xaa", 2);
	hex_encode(NULL, 0, text);
	assert_string_equal(text, "");
	assert_true(hex_decode(SLICE_NULL, back, 0));
}

TEST(test_base_hex__refuses_and_leaves)
{
	static const char *const bad[] = { "", "0", "000", "00000", "0g00",
		"00:0", " 000", "0x00", "000/" };
	unsigned char ret[2] = { 1, 2 };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(hex_decode(slice_str(bad[i]), ret, 2));
		assert_memory_equal(ret, "\1\2", 2);
	}
}

/* RFC 4648, section 10 */
static const struct {
	const char *plain;
	const char *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+" },
};

TEST(test_base_hex__base64_vectors)
{
	char text[BASE64_SIZE(6)];
	char back[6];
	size_t i, n;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		base64_encode(vectors[i].plain, strlen(vectors[i].plain), text);
		assert_string_equal(text, vectors[i].text);
		assert_true(base64_decode(slice_str(text), back, 6, &n));
		assert_int_equal(n, strlen(vectors[i].plain));
		assert_memory_equal(back, vectors[i].plain, n);
	}
}

TEST(test_base_hex__base64_refuses)
{
	static const char *const bad[] = { "Zg",
		"Zg=", "Zg===", "=Zg=", "Z===", "====", "Zm9v=", "Zm 9", "Zm9-",
		"Zm9_", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n" };
	char back[16];
	size_t i, n = 77;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(
		    base64_decode(slice_str(bad[i]), back, sizeof(back), &n));
		assert_int_equal(n, 77);
	}
	assert_false(base64_decode(
	    (struct slice){ "Zm9\0", 4 }, back, sizeof(back), &n));
	assert_false(base64_decode(SLICE_LIT("Zm9vYg=="), back, 3, &n));
	assert_true(base64_decode(SLICE_LIT("Zm9vYg=="), back, 4, &n));
}
