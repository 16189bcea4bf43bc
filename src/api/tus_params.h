/* SPDX-License-Identifier: MIT */
#ifndef API_TUS_PARAMS_H
#define API_TUS_PARAMS_H

/* What the requests of tus say in their header fields. */

#include "api/call.h"
#include "base/err.h"
#include "engine/append.h"
#include "net/http.h"
#include "proto/tus.h"

struct tus_checksum {
	enum checksum_kind kind;
	unsigned char sum[CHECKSUM_MAX_SIZE];
};

/* A POST, with the strings that it owns. */
struct tus_params {
	struct append_new request;
	enum tus_concat concat;
	struct slice urls; /* of a final one */
	size_t url_count;
	char **ids;    /* of those */
	bool has_body; /* creation-with-upload */
	struct tus_checksum checksum;
	struct client client;
	char *filename;
	char *metadata;
	char *client_id;
};

void tus_params_init(struct tus_params *p);
void tus_params_fini(struct tus_params *p);
/* ERR_INVALID_PARAMETER, ERR_INVALID_FILENAME, ERR_UNSUPPORTED_MEDIA_TYPE. */
int tus_params_read(struct tus_params *p, struct call *c, struct err *err);
/* The ids of a final one's parts, for the caller to free() (the list). */
const char **tus_params_urls(const struct tus_params *p);

/* A PATCH: offset, length, checksum.  The same errors. */
int tus_params_patch(const struct http_request *req, struct append_request *ret,
    struct tus_checksum *ret_sum, struct err *err);

/* REC_SIZE_UNKNOWN when it is not announced. */
uint64_t tus_body_length(const struct http_request *req);

#endif
