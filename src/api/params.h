/* SPDX-License-Identifier: MIT */
#ifndef API_PARAMS_H
#define API_PARAMS_H

/* Parameters of requests: query strings and the options of uploads. */

#include "base/buf.h"
#include "base/err.h"
#include "engine/upload.h"
#include "net/http.h"
#include "net/multipart.h"

/* The decoded value of the first ${name} in the query, appended to ${b}: 1,
 * 0 when it is not there, -1 when it is badly encoded or too long. */
int params_query(
    const struct http_request *req, const char *name, struct buf *b);
/* 1 and the decoded value, for free(); 0 and NULL: not given, or empty; -1 with
 * ERR_INVALID_PARAMETER, also when there is a NUL in it. */
int params_query_text(const struct http_request *req, const char *name,
    char **ret, struct err *err);
/* A whole number in the query. */
struct params_uint {
	const char *name;
	uint64_t min, max;
	uint64_t otherwise; /* when it is not there */
};
int params_query_uint(const struct http_request *req,
    const struct params_uint *wanted, uint64_t *ret, struct err *err);
/* A truth value in the query. */
int params_query_bool(const struct http_request *req, const char *name,
    bool otherwise, bool *ret, struct err *err);

/* The value of `if_exists`, wherever it stands. */
int params_if_exists(
    struct slice value, bool *ret_may_replace, struct err *err);

/* Options of an upload while they are collected, with the strings they own. */
struct params_upload {
	struct upload_options options;
	char *filename;
	char *client_id;
};
void params_upload_init(struct params_upload *p);
void params_upload_fini(struct params_upload *p);

/* Is ${name} an option of uploads? */
bool params_is_upload_option(const char *name);
/* Takes one option by its name; others are ignored.  ERR_INVALID_PARAMETER,
 * ERR_INVALID_FILENAME. */
int params_upload_set(struct params_upload *p, const char *name,
    struct slice value, struct err *err);
/* Reads it from the part that ${mp} stands at.  Errors of multipart_value(),
 * too. */
int params_upload_field(struct params_upload *p, const char *name,
    struct multipart *mp, struct err *err);
/* Takes all that the query has; `filename` only with ${with_filename}. */
int params_upload_query(struct params_upload *p, const struct http_request *req,
    bool with_filename, struct err *err);

#endif
