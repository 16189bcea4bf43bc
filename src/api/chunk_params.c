/* SPDX-License-Identifier: MIT */
#include "api/chunk_params.h"

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/params.h"
#include "base/hex.h"
#include "base/num.h"
#include "net/url.h"
#include "proto/filename.h"
#include "proto/limits.h"

void
chunk_params_init(struct chunk_params *p)
{
	memset(p, 0, sizeof(*p));
	p->request.total_size = REC_SIZE_UNKNOWN;
	p->request.expected = REC_SIZE_UNKNOWN;
}

void
chunk_params_fini(struct chunk_params *p)
{
	free(p->filename);
	free(p->client_id);
	memset(p, 0, sizeof(*p));
}

/* --- one field ------------------------------------------------------------ */

static int
bad(const char *name, const char *wanted, struct err *err)
{
	return err_set(
	    err, ERR_INVALID_PARAMETER, "'%s' must be %s", name, wanted);
}

/* What was said first may have been acted upon. */
static int
twice(const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID_PARAMETER,
	    "'%s' was given twice, with different values; nothing was kept",
	    name);
}

static int
set_filename(struct chunk_params *p, struct slice v, struct err *err)
{
	char *name;

	if (filename_normalise(v, &name, err) < 0)
		return -1;
	if (p->filename == NULL) {
		p->request.filename = p->filename = name;
		return 0;
	}
	if (strcmp(name, p->filename) != 0) {
		free(name);
		return twice("filename", err);
	}
	free(name);
	return 0;
}

static int
set_number(struct chunk_params *p, struct slice v, struct err *err)
{
	uint64_t n;

	if (!num_uint(v, CHUNK_COUNT_MAX - 1, &n))
		return bad("chunk_number",
		    "a whole number from 0 to total_chunks - 1", err);
	if (p->has_number && n != p->request.number)
		return twice("chunk_number", err);
	p->request.number = n;
	p->has_number = true;
	return 0;
}

static int
set_total(struct chunk_params *p, struct slice v, struct err *err)
{
	uint64_t n;

	if (!num_uint(v, CHUNK_COUNT_MAX, &n) || n == 0)
		return bad(
		    "total_chunks", "a whole number from 1 to 1000000", err);
	if (p->has_total && n != p->request.total)
		return twice("total_chunks", err);
	p->request.total = n;
	p->has_total = true;
	return 0;
}

static int
set_hash(struct chunk_params *p, struct slice v, struct err *err)
{
	unsigned char sha256[SHA256_SIZE];

	if (!hex_decode(v, sha256, sizeof(sha256)))
		return bad("chunk_hash",
		    "the chunk's SHA-256 as 64 hexadecimal digits", err);
	if (p->has_hash && memcmp(sha256, p->request.sha256, SHA256_SIZE) != 0)
		return twice("chunk_hash", err);
	memcpy(p->request.sha256, sha256, SHA256_SIZE);
	p->has_hash = true;
	return 0;
}

static int
set_total_size(struct chunk_params *p, struct slice v, struct err *err)
{
	uint64_t n;

	if (!num_uint(v, INT64_MAX, &n))
		return bad("total_size", "a whole number of bytes", err);
	if (p->request.total_size != REC_SIZE_UNKNOWN &&
	    p->request.total_size != n)
		return twice("total_size", err);
	p->request.total_size = n;
	return 0;
}

static int
set_file_hash(struct chunk_params *p, struct slice v, struct err *err)
{
	unsigned char sha256[SHA256_SIZE];

	if (!hex_decode(v, sha256, sizeof(sha256)))
		return bad("file_hash",
		    "the file's SHA-256 as 64 hexadecimal digits", err);
	if (p->request.has_file_hash &&
	    memcmp(sha256, p->request.file_hash, SHA256_SIZE) != 0)
		return twice("file_hash", err);
	memcpy(p->request.file_hash, sha256, SHA256_SIZE);
	p->request.has_file_hash = true;
	return 0;
}

static int
set_encryption(struct chunk_params *p, struct slice v, struct err *err)
{
	bool encryption;

	if (!num_bool(v, &encryption))
		return bad("encryption", "true or false", err);
	if (p->request.has_encryption && p->request.encryption != encryption)
		return twice("encryption", err);
	p->request.encryption = encryption;
	p->request.has_encryption = true;
	return 0;
}

static int
set_priority(struct chunk_params *p, struct slice v, struct err *err)
{
	uint64_t n = 0;

	/* Some clients of the original say the default in a word. */
	if (!slice_eq_str(v, "normal") && !num_uint(v, LIMIT_PRIORITY, &n))
		return bad("priority", "a whole number from 0 to 10", err);
	p->request.priority = (int)n;
	p->request.has_priority = true;
	return 0;
}

static int
set_if_exists(struct chunk_params *p, struct slice v, struct err *err)
{
	bool may_replace;

	if (params_if_exists(v, &may_replace, err) < 0)
		return -1;
	if (p->has_if_exists && p->request.keep_existing == may_replace)
		return twice("if_exists", err);
	p->request.keep_existing = !may_replace;
	p->has_if_exists = true;
	return 0;
}

static int
set_client_id(struct chunk_params *p, struct slice v, struct err *err)
{
	if (call_check_client_id(v, err) < 0)
		return -1;
	if (v.n == 0)
		return 0;
	free(p->client_id);
	p->client_id = slice_dup(v);
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct chunk_params *p, struct slice v, struct err *err);
} fields[] = {
	{ "filename", set_filename },
	{ "chunk_number", set_number },
	{ "total_chunks", set_total },
	{ "chunk_hash", set_hash },
	{ "total_size", set_total_size },
	{ "file_hash", set_file_hash },
	{ "encryption", set_encryption },
	{ "priority", set_priority },
	{ "client_id", set_client_id },
	{ "if_exists", set_if_exists },
};

#define COUNT (sizeof(fields) / sizeof(fields[0]))

bool
chunk_params_knows(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(fields[i].name, name) == 0)
			return true;
	return false;
}

/* Some clients send what they leave out as an empty field. */
static bool
is_left_out(const char *name, struct slice value)
{
	static const char *const optional[] = { "total_size", "file_hash",
		"encryption", "priority", "if_exists" };

	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++)
		if (value.n == 0 && strcmp(optional[i], name) == 0)
			return true;
	return false;
}

int
chunk_params_set(struct chunk_params *p, const char *name, struct slice value,
    struct err *err)
{
	if (is_left_out(name, value))
		return 0;
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].set(p, value, err);
	return 0;
}

int
chunk_params_query(
    struct chunk_params *p, const struct http_request *req, struct err *err)
{
	struct slice rest = req->query;
	struct slice key, value;
	struct buf k, v;
	int rc = 0;

	buf_init(&k, LIMIT_REQUEST_LINE);
	buf_init(&v, LIMIT_REQUEST_LINE);
	while (rc == 0 && url_query_next(&rest, &key, &value)) {
		buf_clear(&k);
		buf_clear(&v);
		if (url_decode(key, true, &k) && url_decode(value, true, &v))
			rc = chunk_params_set(
			    p, buf_str(&k), buf_slice(&v), err);
		else
			rc = err_set(err, ERR_INVALID_PARAMETER,
			    "the query is not properly percent-encoded");
	}
	buf_fini(&k);
	buf_fini(&v);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

static const char *
missing(const struct chunk_params *p)
{
	if (p->filename == NULL)
		return "filename";
	if (!p->has_number)
		return "chunk_number";
	if (!p->has_total)
		return "total_chunks";
	return p->has_hash ? NULL : "chunk_hash";
}

bool
chunk_params_are_complete(const struct chunk_params *p)
{
	return missing(p) == NULL && p->request.number < p->request.total;
}

int
chunk_params_check(const struct chunk_params *p, struct err *err)
{
	const char *name = missing(p);

	if (name != NULL)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "the form has no field '%s'", name);
	if (p->request.number >= p->request.total)
		return bad("chunk_number",
		    "a whole number from 0 to total_chunks - 1", err);
	return 0;
}
