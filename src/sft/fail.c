/* SPDX-License-Identifier: MIT */
#include "sft/fail.h"

#include <stddef.h>

/* What is not here is a failure without advice. */
static const struct {
	enum err_code code;
	enum fail_exit exit;
	const char *advice;
} rows[] = {
	{ ERR_NONE, FAIL_NONE, NULL },
	{ ERR_USAGE, FAIL_USAGE, NULL },
	{ ERR_UNREACHABLE, FAIL_UNREACHABLE,
	    "start a server with 'script/server' or 'sftd', or say where one "
	    "is with --server URL or SFT_SERVER" },
	/* It says what to do itself. */
	{ ERR_UNTRUSTED, FAIL_UNREACHABLE, NULL },
	{ ERR_FILE_NOT_FOUND, FAIL_NOT_FOUND, NULL },
	{ ERR_NO_THUMBNAIL, FAIL_NOT_FOUND, NULL },
	{ ERR_TRANSFER_NOT_FOUND, FAIL_NOT_FOUND, NULL },
	{ ERR_NO_ACTIVE_TRANSFER, FAIL_NOT_FOUND, NULL },
	{ ERR_SESSION_CONFLICT, FAIL_FAILED,
	    "'sft cancel NAME' ends the other upload; it needs a key that may "
	    "write" },
	{ ERR_CHUNK_CONFLICT, FAIL_FAILED,
	    "'sft cancel NAME' ends the other upload; it needs a key that may "
	    "write" },
	{ ERR_KEY_NOT_FOUND, FAIL_NOT_FOUND, NULL },
	{ ERR_UNAUTHORIZED, FAIL_NOT_ALLOWED,
	    "give a key: where the server runs, export "
	    "SFT_API_KEY=\"$(cat storage/admin.key)\"; elsewhere ask its "
	    "keeper for one, and see --key-file" },
	{ ERR_INVALID_API_KEY, FAIL_NOT_ALLOWED,
	    "the key may be mistyped, expired or revoked; the server's own is "
	    "in its storage/admin.key: export "
	    "SFT_API_KEY=\"$(cat storage/admin.key)\"" },
	{ ERR_FORBIDDEN, FAIL_NOT_ALLOWED,
	    "another key is needed, in SFT_API_KEY or with --key-file; 'sft "
	    "key new --scopes ...' makes one" },
	{ ERR_ORIGIN_FORBIDDEN, FAIL_NOT_ALLOWED, NULL },
	{ ERR_INTERRUPTED, FAIL_INTERRUPTED, NULL },
	{ ERR_TIMEOUT, FAIL_FAILED,
	    "--timeout SECONDS waits longer where nothing moves" },
	{ ERR_FILE_EXISTS, FAIL_FAILED,
	    "without --if-exists error it would be replaced" },
};

enum fail_exit
fail_exit_of(enum err_code code)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code == code)
			return rows[i].exit;
	}
	return FAIL_FAILED;
}

const char *
fail_advice(enum err_code code)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code == code)
			return rows[i].advice;
	}
	return NULL;
}
