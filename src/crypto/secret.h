/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

/* Secrets: made, compared, kept out of core dumps. */

#include <stdbool.h>
#include <stddef.h>

/* Equal, in time that depends on ${n} only. */
bool secret_equal(const void *a, const void *b, size_t n);
/* A new API key: "sft_" and 32 random bytes in URL-safe base64. */
#define SECRET_KEY_SIZE 48
void secret_new_key(char ret[SECRET_KEY_SIZE]);

#endif
