/* SPDX-License-Identifier: MIT */
#ifndef API_CHUNK_PARAMS_H
#define API_CHUNK_PARAMS_H

/* The fields of POST /upload_chunk while they are collected. */

#include "base/err.h"
#include "engine/chunk.h"
#include "net/http.h"

struct chunk_params {
	struct chunk_request request; /* without who, client, mover, ... */
	char *filename;               /* owned; NULL: not given yet */
	char *client_id;              /* owned; NULL: not given */
	bool has_number;
	bool has_total;
	bool has_hash;
	bool has_if_exists;
};

void chunk_params_init(struct chunk_params *p);
void chunk_params_fini(struct chunk_params *p);

bool chunk_params_knows(const char *name);
/* ERR_INVALID_PARAMETER, ERR_INVALID_FILENAME; also when a field that was given
 * is given again with another value. */
int chunk_params_set(struct chunk_params *p, const char *name,
    struct slice value, struct err *err);
/* Takes all that the query has. */
int chunk_params_query(
    struct chunk_params *p, const struct http_request *req, struct err *err);
/* Are all fields there that must be? */
bool chunk_params_are_complete(const struct chunk_params *p);
/* The same; the error names the one that is missing. */
int chunk_params_check(const struct chunk_params *p, struct err *err);

#endif
