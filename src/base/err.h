/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The one way to fail.  A function that can fail returns 0 or -1 (or a
 * pointer or NULL) and takes a struct err last.  The lowest layer that knows
 * what happened sets it; the layers above pass it on untouched; only api/,
 * sftd/ and sft/ print it.
 *
 * The message is lower case, one line, without a full stop, and names the
 * thing in single quotes.  Codes marked public below have messages that
 * may be shown to any client; the others (ERR_IO, ERR_INTERNAL ...) may name
 * paths or SQL and are shown only in the log.
 */

#include <stdbool.h>

#define ERR_MSG_MAX 256

/*
 * Every code once: X(REST, name, is_public).  ERR_##REST is the constant,
 * "name" its stable name for machines (err_code_name()).
 */
/* clang-format off */
#define ERR_CODES(X) \
	X(NONE, none, false) \
	/* The system or the program; never shown to clients. */ \
	X(INTERNAL, internal, false)       /* cannot happen, did */ \
	X(IO, io, false)                   /* a call on a file failed */ \
	X(DATABASE, database, false)       /* the record keeper failed */ \
	X(DATABASE_BUSY, database_busy, false)       /* locked by another */ \
	X(DATABASE_DAMAGED, database_damaged, false) /* its file is broken */ \
	/* a commit whose outcome is unknown (rule 4) */ \
	X(DATABASE_UNKNOWN, database_unknown, false) \
	X(EXISTS, exists, false)           /* an object that should not be */ \
	X(ABSENT, absent, false)           /* an object that is not there */ \
	X(UNAVAILABLE, unavailable, false) /* not now; try later */ \
	/* The connection. */ \
	X(CLOSED, closed, false)           /* the peer went away */ \
	X(TIMEOUT, timeout, false)         /* nothing moved for too long */ \
	X(SHUTTING_DOWN, shutting_down, true) /* drains, and woke us */ \
	/* The request; public. */ \
	X(MALFORMED_REQUEST, malformed_request, true) \
	X(INVALID_PARAMETER, invalid_parameter, true) \
	X(INVALID_FILENAME, invalid_filename, true) \
	X(INVALID_JSON, invalid_json, true) \
	X(MISSING_FILE, missing_file, true) \
	X(UNAUTHORIZED, unauthorized, true) \
	X(INVALID_API_KEY, invalid_api_key, true) \
	X(FORBIDDEN, forbidden, true) \
	X(ORIGIN_FORBIDDEN, origin_forbidden, true) \
	X(NOT_FOUND, not_found, true)      /* no such route */ \
	X(FILE_NOT_FOUND, file_not_found, true) \
	X(NO_THUMBNAIL, no_thumbnail, true) /* no image that can be read */ \
	X(TRANSFER_NOT_FOUND, transfer_not_found, true) \
	X(KEY_NOT_FOUND, key_not_found, true) \
	X(METHOD_NOT_ALLOWED, method_not_allowed, true) \
	X(REQUEST_TIMEOUT, request_timeout, true) \
	X(FILE_EXISTS, file_exists, true) \
	X(CANCELLED, cancelled, true) \
	X(NO_ACTIVE_TRANSFER, no_active_transfer, true) \
	X(CHUNK_HASH_MISMATCH, chunk_hash_mismatch, true) \
	X(CHUNK_CONFLICT, chunk_conflict, true) \
	X(SESSION_CONFLICT, session_conflict, true) \
	/* another request goes on with the same upload */ \
	X(UPLOAD_TAKEN_OVER, upload_taken_over, true) \
	X(UPLOAD_NOT_FOUND, upload_not_found, true) \
	X(UPLOAD_EXPIRED, upload_expired, true) /* it was there once */ \
	X(OFFSET_MISMATCH, offset_mismatch, true) \
	X(CHECKSUM_MISMATCH, checksum_mismatch, true) \
	X(TUS_VERSION, tus_version, true)  /* not 1.0.0 */ \
	X(FILE_TOO_LARGE, file_too_large, true) \
	X(BODY_TOO_LARGE, body_too_large, true) \
	X(URI_TOO_LONG, uri_too_long, true) \
	X(UNSUPPORTED_MEDIA_TYPE, unsupported_media_type, true) \
	X(PRECONDITION_FAILED, precondition_failed, true) \
	X(RANGE_NOT_SATISFIABLE, range_not_satisfiable, true) \
	X(EXPECTATION_FAILED, expectation_failed, true) \
	X(HASH_MISMATCH, hash_mismatch, true) \
	X(SIZE_MISMATCH, size_mismatch, true) \
	X(HEADERS_TOO_LARGE, headers_too_large, true) \
	X(TOO_MANY_REQUESTS, too_many_requests, true) \
	X(TOO_SLOW, too_slow, true)        /* a subscriber to events */ \
	X(UNKNOWN_EVENT, unknown_event, true) /* that a client sent */ \
	X(INVALID_NAMESPACE, invalid_namespace, true) /* of Socket.IO */ \
	X(NOT_IMPLEMENTED, not_implemented, true) \
	X(VERSION_NOT_SUPPORTED, version_not_supported, true) \
	X(SERVER_BUSY, server_busy, true)  /* 503 with Retry-After */ \
	X(TOO_MANY_CONNECTIONS, too_many_connections, true) \
	X(STORAGE_FULL, storage_full, true) \
	X(FILE_DAMAGED, file_damaged, true) \
	X(DECRYPTION_FAILED, decryption_failed, true) \
	/* of a sealed file; clients see decryption_failed */ \
	X(KEY_MISSING, key_missing, false) \
	/* The start and the command line. */ \
	X(USAGE, usage, false) \
	X(UNREACHABLE, unreachable, false) /* the client found no server */ \
	X(UNTRUSTED, untrusted, false)     /* ... or one whose TLS is wrong */ \
	X(INTERRUPTED, interrupted, false) /* by Ctrl-C */ \
	X(SETTING, setting, false)
/* clang-format on */

enum err_code {
#define ERR_ENUM(rest, name, is_public) ERR_##rest,
	ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
	    ERR_CODE_COUNT
};

struct err {
	enum err_code code;
	int sys; /* errno where a system call failed, else 0 */
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT                                                               \
	{                                                                      \
		ERR_NONE, 0, ""                                                \
	}

/* Sets ${err} (which may be NULL) and returns -1.  A message too long for
 * the buffer is cut at a UTF-8 boundary.  errno is left as it was. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, remembering errno in err->sys and ending the message with its
 * text.  ENOSPC and EDQUOT turn ERR_IO into ERR_STORAGE_FULL, whose message
 * is made fit for clients (it names no path). */
int err_set_errno(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* It looks at one file at a time: tell it what these return. */
static inline int
err_minus_one(int rc)
{
	(void)rc;
	return -1;
}
#define err_set(...) err_minus_one(err_set(__VA_ARGS__))
#define err_set_errno(...) err_minus_one(err_set_errno(__VA_ARGS__))
#endif

void err_clear(struct err *err);

/* "file_not_found" for ERR_FILE_NOT_FOUND; never NULL. */
const char *err_code_name(enum err_code code);

/* The code of a stable name, ERR_NONE when there is none (the client). */
enum err_code err_code_of_name(const char *name);

/* May the message be shown to any client? */
bool err_code_is_public(enum err_code code);

#endif
