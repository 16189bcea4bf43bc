/* SPDX-License-Identifier: MIT */
#ifndef API_ARCHIVE_PARAMS_H
#define API_ARCHIVE_PARAMS_H

/* Which files an archive is to be of: a JSON body, or a query. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/http.h"

struct archive_params {
	char **names; /* each once, in the order of their first */
	size_t count;
	size_t said; /* with those that were named before */
	size_t cap;
	bool compress;
	struct map *seen;
};

/* Whose body, and how many bytes there are of all who are just read. */
struct archive_body {
	struct http_exchange *x;
	atomic_size_t *all;
};

void archive_params_init(struct archive_params *p);
void archive_params_fini(struct archive_params *p);

/* {"filenames": [...], "compress": true}: ERR_INVALID_JSON,
 * ERR_INVALID_PARAMETER, ERR_INVALID_FILENAME, ERR_SERVER_BUSY past
 * LIMIT_BATCH_BODIES, or what ends the body. */
int archive_params_body(
    struct archive_params *p, const struct archive_body *body, struct err *err);
/* file=a&file=b, or files=a,b; compress=true. */
int archive_params_query(
    struct archive_params *p, const struct http_request *req, struct err *err);

#endif
