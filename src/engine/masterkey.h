/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_MASTERKEY_H
#define ENGINE_MASTERKEY_H

/*
 * Where the master keys of a directory come from, and which of them its
 * containers may be wrapped under.
 *
 *   ENCRYPTION_KEY           the current key; when unset, the one in
 *   UPLOAD_DIR/encryption.key   (32 hexadecimal digits, mode 0600), which the
 *                            first start makes.  Where both are there, the
 *                            file's is an older key.
 *   ENCRYPTION_KEY_PREVIOUS  comma list of older keys
 *   UPLOAD_DIR/encryption.ids   a line for each key that containers may be
 *                            wrapped under: its id, no secret.  A server adds
 *                            its current key's before it seals; a rotation
 *                            leaves only the current one.
 *
 * By the process's main thread.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/settings.h"
#include "crypto/keyring.h"
#include "storage/home.h"

/* What loading found, for the log. */
struct masterkey_report {
	bool made;      /* a new key, in encryption.key */
	bool from_file; /* the current key is the file's */
	/* Ids without a key: files that nobody can read; hex, the first of
	 * them. */
	unsigned missing;
	char missing_id[KEYRING_ID_HEX_SIZE];
};

/* All keys, by the settings and the file; with ${may_make} a missing file is
 * made.  ERR_SETTING names the setting or the file that is no good. */
struct masterkey_config {
	const struct settings *settings;
	const struct home *home;
	bool may_make;
};
int masterkey_load(const struct masterkey_config *cf, struct keyring **ret_ring,
    struct masterkey_report *ret_report, struct err *err);

/* The current key may be used from now on: its id is among the ids, durably.
 * Also tells of ids without a key. */
int masterkey_announce(const struct home *home, const struct keyring *ring,
    struct masterkey_report *report, struct err *err);
/* Has the current key been announced? */
int masterkey_is_announced(const struct home *home, const struct keyring *ring,
    bool *ret, struct err *err);
/* No container is wrapped under any other key than the current one. */
int masterkey_settle(
    const struct home *home, const struct keyring *ring, struct err *err);

#endif
