/* SPDX-License-Identifier: MIT */
#include "api/params.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/url.h"
#include "proto/filename.h"
#include "proto/limits.h"

int
params_query(const struct http_request *req, const char *name, struct buf *b)
{
	struct slice rest = req->query;
	struct slice key, value;
	struct buf decoded;
	int found = 0;

	buf_init(&decoded, LIMIT_REQUEST_LINE);
	while (found == 0 && url_query_next(&rest, &key, &value)) {
		buf_clear(&decoded);
		if (!url_decode(key, true, &decoded) ||
		    !slice_eq_str(buf_slice(&decoded), name))
			continue;
		found = url_decode(value, true, b) ? 1 : -1;
	}
	buf_fini(&decoded);
	return found;
}

static int
bad(const char *name, const char *wanted, struct err *err)
{
	return err_set(
	    err, ERR_INVALID_PARAMETER, "'%s' must be %s", name, wanted);
}

int
params_query_text(const struct http_request *req, const char *name, char **ret,
    struct err *err)
{
	struct buf b;
	int found;

	*ret = NULL;
	buf_init(&b, LIMIT_FORM_FIELD);
	found = params_query(req, name, &b);
	if (found > 0 && b.len > 0) {
		if (memchr(b.p, '\0', b.len) == NULL)
			*ret = buf_take(&b);
		else
			found = -1;
	}
	buf_fini(&b);
	if (found < 0)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'%s' is not properly encoded, or too long", name);
	return *ret == NULL ? 0 : 1;
}

int
params_query_uint(const struct http_request *req,
    const struct params_uint *wanted, uint64_t *ret, struct err *err)
{
	uint64_t v = wanted->otherwise;
	struct buf b;
	int found;
	bool good;

	buf_init(&b, LIMIT_FORM_FIELD);
	found = params_query(req, wanted->name, &b);
	good = found == 0 ||
	       (found > 0 && num_uint(buf_slice(&b), wanted->max, &v) &&
	           v >= wanted->min);
	buf_fini(&b);
	if (!good)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'%s' must be a whole number from %" PRIu64 " to %" PRIu64,
		    wanted->name, wanted->min, wanted->max);
	*ret = v;
	return 0;
}

int
params_query_bool(const struct http_request *req, const char *name,
    bool otherwise, bool *ret, struct err *err)
{
	bool v = otherwise;
	struct buf b;
	int found;

	buf_init(&b, LIMIT_FORM_FIELD);
	found = params_query(req, name, &b);
	if (found < 0 || (found > 0 && !num_bool(buf_slice(&b), &v))) {
		buf_fini(&b);
		return bad(name, "true or false", err);
	}
	buf_fini(&b);
	*ret = v;
	return 0;
}

/* --- options of uploads ------------------------------------------------- */

void
params_upload_init(struct params_upload *p)
{
	memset(p, 0, sizeof(*p));
	p->options.may_replace = true;
}

void
params_upload_fini(struct params_upload *p)
{
	free(p->filename);
	free(p->client_id);
	memset(p, 0, sizeof(*p));
}

static int
set_filename(struct params_upload *p, struct slice v, struct err *err)
{
	char *name;

	if (filename_normalise(v, &name, err) < 0)
		return -1;
	free(p->filename);
	p->options.filename = p->filename = name;
	return 0;
}

static int
set_encryption(struct params_upload *p, struct slice v, struct err *err)
{
	bool encryption;

	if (!num_bool(v, &encryption))
		return bad("encryption", "true or false", err);
	/* What was said first may have been acted upon. */
	if (p->options.is_decided && p->options.encryption != encryption)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "'encryption' was given twice, as true and as false; "
		    "nothing was kept");
	p->options.encryption = encryption;
	p->options.is_decided = true;
	return 0;
}

static int
set_priority(struct params_upload *p, struct slice v, struct err *err)
{
	uint64_t n = 0;

	/* Some clients of the original say the default in a word. */
	if (!slice_eq_str(v, "normal") && !num_uint(v, LIMIT_PRIORITY, &n))
		return bad("priority", "a whole number from 0 to 10", err);
	p->options.priority = (int)n;
	return 0;
}

static int
set_client_id(struct params_upload *p, struct slice v, struct err *err)
{
	if (call_check_client_id(v, err) < 0)
		return -1;
	if (v.n == 0)
		return 0;
	free(p->client_id);
	p->options.client_id = p->client_id = slice_dup(v);
	return 0;
}

static int
set_sha256(struct params_upload *p, struct slice v, struct err *err)
{
	if (!hex_decode(v, p->options.sha256, SHA256_SIZE))
		return bad("sha256", "64 hexadecimal digits", err);
	p->options.has_sha256 = true;
	return 0;
}

int
params_if_exists(struct slice v, bool *ret_may_replace, struct err *err)
{
	*ret_may_replace = slice_eq_str(v, "replace");
	if (*ret_may_replace || slice_eq_str(v, "error"))
		return 0;
	return bad("if_exists", "'replace' or 'error'", err);
}

static int
set_if_exists(struct params_upload *p, struct slice v, struct err *err)
{
	return params_if_exists(v, &p->options.may_replace, err);
}

static const struct {
	const char *name;
	int (*set)(struct params_upload *p, struct slice v, struct err *err);
} upload_options[] = {
	{ "filename", set_filename },
	{ "encryption", set_encryption },
	{ "priority", set_priority },
	{ "client_id", set_client_id },
	{ "sha256", set_sha256 },
	{ "if_exists", set_if_exists },
};

#define COUNT (sizeof(upload_options) / sizeof(upload_options[0]))

bool
params_is_upload_option(const char *name)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(upload_options[i].name, name) == 0)
			return true;
	return false;
}

int
params_upload_set(struct params_upload *p, const char *name, struct slice value,
    struct err *err)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(upload_options[i].name, name) == 0)
			return upload_options[i].set(p, value, err);
	return 0;
}

int
params_upload_field(struct params_upload *p, const char *name,
    struct multipart *mp, struct err *err)
{
	struct buf value;
	int rc;

	buf_init(&value, LIMIT_FORM_FIELD);
	rc = multipart_value(mp, &value, err);
	if (rc == 0)
		rc = params_upload_set(p, name, buf_slice(&value), err);
	buf_fini(&value);
	return rc;
}

int
params_upload_query(struct params_upload *p, const struct http_request *req,
    bool with_filename, struct err *err)
{
	struct slice rest = req->query;
	struct slice key, value;
	struct buf k, v;
	int rc = -1;

	buf_init(&k, LIMIT_REQUEST_LINE);
	buf_init(&v, LIMIT_REQUEST_LINE);
	while (url_query_next(&rest, &key, &value)) {
		buf_clear(&k);
		buf_clear(&v);
		if (!url_decode(key, true, &k) ||
		    !url_decode(value, true, &v)) {
			err_set(err, ERR_INVALID_PARAMETER,
			    "the query is not properly percent-encoded");
			goto out;
		}
		if (!with_filename && slice_eq_str(buf_slice(&k), "filename"))
			continue;
		if (params_upload_set(p, buf_str(&k), buf_slice(&v), err) < 0)
			goto out;
	}
	rc = 0;
out:
	buf_fini(&k);
	buf_fini(&v);
	return rc;
}
