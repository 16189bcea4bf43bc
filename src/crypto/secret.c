/* SPDX-License-Identifier: MIT */
#include "crypto/secret.h"

#include <string.h>

#include <openssl/crypto.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/rand.h"

#define KEY_BYTES 32
#define PREFIX "sft_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

bool
secret_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* RFC 4648, section 5: base64 that may stand in a URL, without padding. */
static void
make_url_safe(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '+')
			*text = '-';
		else if (*text == '/')
			*text = '_';
		else if (*text == '=')
			*text = '\0';
		if (*text == '\0')
			break;
	}
}

void
secret_new_key(char ret[SECRET_KEY_SIZE])
{
	unsigned char bytes[KEY_BYTES];
	char text[BASE64_SIZE(KEY_BYTES)];

	rand_bytes(bytes, sizeof(bytes));
	base64_encode(bytes, sizeof(bytes), text);
	make_url_safe(text);
	memcpy(ret, PREFIX, PREFIX_LEN);
	/* 43 digits and the NUL */
	memcpy(ret + PREFIX_LEN, text, SECRET_KEY_SIZE - PREFIX_LEN);
	mem_wipe(bytes, sizeof(bytes));
	mem_wipe(text, sizeof(text));
}
