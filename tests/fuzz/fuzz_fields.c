/* SPDX-License-Identifier: MIT */

/* Every parser of a field or of a URL's part, on the same input. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/http_date.h"
#include "net/http_fields.h"
#include "net/multipart_head.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both walks see the same parameters, and nothing that ends a line. */
static void
params(struct slice in)
{
	struct slice rest = in;
	struct slice raw_rest = in;
	struct slice name, raw_name, raw;
	struct buf value;
	int more, raw_more;
	size_t i;

	buf_init(&value, in.n);
	do {
		more = http_param_next(&rest, &name, &value);
		raw_more = http_param_next_raw(&raw_rest, &raw_name, &raw);
		if (more != raw_more)
			abort();
		if (more <= 0)
			break;
		if (!slice_eq(name, raw_name) || value.len > raw.n ||
		    rest.p != raw_rest.p || http_token_length(name) != name.n)
			abort();
		for (i = 0; i < value.len; i++) {
			if (strchr("\r\n", value.p[i]) != NULL)
				abort();
		}
	} while (more > 0);
	buf_fini(&value);
}

static void
etags(struct slice in)
{
	/* what matches strongly matches weakly, too */
	if (http_etag_matches(in, "abc", false) &&
	    !http_etag_matches(in, "abc", true))
		abort();
}

static void
digests(struct slice in)
{
	unsigned char small[4], large[64];
	unsigned char before[4] = { 1, 2, 3, 4 };

	memcpy(small, before, sizeof(small));
	if (http_digest(in, "a", small, sizeof(small)) != 1 &&
	    memcmp(small, before, sizeof(small)) != 0)
		abort();
	(void)http_digest(in, "sha-512", large, sizeof(large));
}

static void
dates(struct slice in)
{
	char text[HTTP_DATE_SIZE];
	int64_t unix_s, again;

	if (!http_date_parse(in, &unix_s))
		return;
	http_date(unix_s, text);
	if (strlen(text) != HTTP_DATE_SIZE - 1 ||
	    !http_date_parse(slice_str(text), &again) || again != unix_s)
		abort();
}

/* Decoding, encoding and decoding again is decoding. */
static void
urls(struct slice in, bool plus)
{
	struct buf once, encoded, twice;
	struct slice name, value;

	buf_init(&once, in.n);
	buf_init(&encoded, 3 * in.n);
	buf_init(&twice, in.n);
	if (url_decode(in, plus, &once)) {
		if (url_encode(buf_slice(&once), !plus, &encoded) < 0 ||
		    !url_decode(buf_slice(&encoded), false, &twice) ||
		    !slice_eq(buf_slice(&once), buf_slice(&twice)))
			abort();
	}
	buf_fini(&once);
	buf_fini(&encoded);
	buf_fini(&twice);
	while (url_query_next(&in, &name, &value)) {
		if ((name.n > 0 && memchr(name.p, '=', name.n) != NULL) ||
		    (value.n > 0 && memchr(value.p, '&', value.n) != NULL))
			abort();
	}
}

/* The field stays one line and one value, whatever the name, and what
 * filename* says is the name. */
static void
attachment(struct slice in)
{
	char *name = slice_dup(in);
	struct slice rest, param;
	struct buf field, decoded, value;
	size_t i;

	buf_init(&field, 100 + 4 * in.n);
	buf_init(&value, 100 + 3 * in.n);
	buf_init(&decoded, in.n);
	if (http_disposition_attachment(name, &field) < 0)
		abort();
	for (i = 0; i < field.len; i++) {
		if (field.p[i] < ' ' || field.p[i] > '~')
			abort();
	}
	rest = (struct slice){ field.p + 10, field.len - 10 };
	if (http_param_next(&rest, &param, &value) != 1 ||
	    !slice_eq_str(param, "filename"))
		abort();
	if (name[0] != '\0') {
		if (http_param_next(&rest, &param, &value) != 1 ||
		    !slice_eq_str(param, "filename*") ||
		    !url_decode((struct slice){ value.p + 7, value.len - 7 },
		        false, &decoded) ||
		    !slice_eq_str(buf_slice(&decoded), name) ||
		    http_param_next(&rest, &param, &value) != 0)
			abort();
	}
	free(name);
	buf_fini(&field);
	buf_fini(&value);
	buf_fini(&decoded);
}

static void
form_heads(struct slice in)
{
	struct multipart_head head = { 0 };
	struct err err = ERR_INIT;
	char *boundary;

	if (multipart_head_parse(in, &head, &err) == 0) {
		if (head.name == NULL || head.name[0] == '\0')
			abort();
		multipart_head_fini(&head);
	}
	if (multipart_head_boundary(in, &boundary, &err) == 0) {
		if (boundary[0] == '\0' || strlen(boundary) > 70 ||
		    strpbrk(boundary, "\r\n") != NULL)
			abort();
		free(boundary);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };

	params(in);
	etags(in);
	digests(in);
	dates(in);
	urls(in, false);
	urls(in, true);
	attachment(in);
	form_heads(in);
	(void)http_media_type_is(in, "multipart/form-data");
	return 0;
}
