/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_KEYRING_H
#define CRYPTO_KEYRING_H

/*
 * The master keys: the current one, under which new data keys are wrapped,
 * and older ones that are still needed to read.  Each is known by its id, the
 * first half of SHA-256("sft master key id" || key), which tells nothing of it.
 *
 * Filled by one thread; constant, and for any thread, from then on.
 */

#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "crypto/eax.h"

#define KEYRING_ID_SIZE 16
#define KEYRING_ID_HEX_SIZE 33
/* Older keys; every one costs a look at each start, and none is needed after
 * a rotation. */
#define KEYRING_PREVIOUS_MAX 32

struct keyring;

struct keyring *keyring_new(const unsigned char current[EAX_KEY_SIZE]);
void keyring_free(struct keyring *ring); /* NULL is fine */
/* Adds an older key; one that is there already is left alone.  ERR_SETTING
 * when there are KEYRING_PREVIOUS_MAX. */
int keyring_add(struct keyring *ring, const unsigned char key[EAX_KEY_SIZE],
    struct err *err);

const unsigned char *keyring_current_id(const struct keyring *ring);
const struct eax_key *keyring_current(const struct keyring *ring);
/* The key of this id, or NULL. */
const struct eax_key *keyring_find(
    const struct keyring *ring, const unsigned char id[KEYRING_ID_SIZE]);
void keyring_id(
    const unsigned char key[EAX_KEY_SIZE], unsigned char ret[KEYRING_ID_SIZE]);

/* A key from its text: 16 characters (bytes), 32 hexadecimal digits, or the
 * base64 of 16 bytes.  ERR_SETTING; the message does not show the text. */
int keyring_parse(
    struct slice text, unsigned char ret[EAX_KEY_SIZE], struct err *err);

#endif
