/* SPDX-License-Identifier: MIT */
#ifndef SFT_URL_H
#define SFT_URL_H

/* Addresses: the server's, and what is asked of it. */

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

/* The longest address that is built: names have 1,024 bytes, three characters
 * each at worst. */
#define URL_MAX 8192u

/*
 * Checks and normalises what --server or SFT_SERVER says: "host:8080" is
 * "http://host:8080", slashes at the end go.  A path may follow (a proxy
 * that keeps the server in a folder); credentials, a query or a fragment
 * may not: ERR_USAGE.
 */
int url_server(const char *text, char **ret_base, struct err *err);

/* Appends ${name} percent-encoded; all but unreserved characters (RFC 3986)
 * and '/' is. */
void url_add_name(struct buf *b, const char *name);

/* Appends "?key=value", or "&key=value" after the first; nothing when
 * ${value} is NULL. */
void url_add_query(struct buf *b, const char *key, const char *value);

#endif
