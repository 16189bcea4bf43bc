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
 * thing in single quotes.  Codes marked public in err.c have messages that
 * may be shown to any client; the others (ERR_IO, ERR_INTERNAL ...) may name
 * paths or SQL and are shown only in the log.
 */

#include <stdbool.h>

#define ERR_MSG_MAX 256

/* ERR_X's stable name for machines is its lower-case rest: err_code_name(). */
enum err_code {
	ERR_NONE,
	/* The system or the program; never shown to clients. */
	ERR_INTERNAL,   /* cannot happen, did */
	ERR_IO,         /* a system call on a file failed */
	ERR_DATABASE,   /* the record keeper failed */
	ERR_DATABASE_UNKNOWN, /* a commit whose outcome is unknown (rule 4) */
	ERR_EXISTS,     /* an object or directory that should not be there */
	ERR_ABSENT,     /* an object or record that is not there */
	ERR_UNAVAILABLE, /* cannot be had now; try later */
	/* The connection. */
	ERR_CLOSED,     /* the peer went away */
	ERR_TIMEOUT,    /* nothing came, or went, for too long */
	ERR_SHUTTING_DOWN, /* the server drains and woke us */
	/* The request; public. */
	ERR_MALFORMED_REQUEST,
	ERR_INVALID_PARAMETER,
	ERR_INVALID_FILENAME,
	ERR_INVALID_CLIENT_ID,
	ERR_INVALID_JSON,
	ERR_MISSING_FILE,
	ERR_UNAUTHORIZED,
	ERR_INVALID_API_KEY,
	ERR_FORBIDDEN,
	ERR_ORIGIN_FORBIDDEN,
	ERR_NOT_FOUND,          /* no such route */
	ERR_FILE_NOT_FOUND,
	ERR_TRANSFER_NOT_FOUND,
	ERR_KEY_NOT_FOUND,
	ERR_METHOD_NOT_ALLOWED,
	ERR_REQUEST_TIMEOUT,
	ERR_FILE_EXISTS,
	ERR_CANCELLED,
	ERR_LENGTH_REQUIRED,
	ERR_FILE_TOO_LARGE,
	ERR_BODY_TOO_LARGE,
	ERR_URI_TOO_LONG,
	ERR_UNSUPPORTED_MEDIA_TYPE,
	ERR_RANGE_NOT_SATISFIABLE,
	ERR_EXPECTATION_FAILED,
	ERR_HASH_MISMATCH,
	ERR_SIZE_MISMATCH,
	ERR_HEADERS_TOO_LARGE,
	ERR_TOO_MANY_REQUESTS,
	ERR_NOT_IMPLEMENTED,
	ERR_VERSION_NOT_SUPPORTED,
	ERR_SERVER_BUSY,        /* 503 with Retry-After */
	ERR_TOO_MANY_CONNECTIONS,
	ERR_STORAGE_FULL,
	ERR_FILE_DAMAGED,
	/* The start and the command line. */
	ERR_USAGE,
	ERR_SETTING,
	ERR_CODE_COUNT
};

struct err {
	enum err_code code;
	int sys; /* errno where a system call failed, else 0 */
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT { ERR_NONE, 0, "" }

/* Sets ${err} (which may be NULL) and returns -1.  A message too long for
 * the buffer is cut at a UTF-8 boundary. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, remembering errno in err->sys and ending the message with its
 * text.  ENOSPC and EDQUOT turn ERR_IO into ERR_STORAGE_FULL, whose message
 * is made fit for clients (it names no path). */
int err_set_errno(struct err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void err_clear(struct err *err);

/* "file_not_found" for ERR_FILE_NOT_FOUND; never NULL. */
const char *err_code_name(enum err_code code);

/* The code of a stable name, ERR_NONE when there is none (the client). */
enum err_code err_code_of_name(const char *name);

/* May the message be shown to any client? */
bool err_code_is_public(enum err_code code);

#endif
