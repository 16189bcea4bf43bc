/* SPDX-License-Identifier: MIT */

/*
 * A head must be judged the same whether it comes at once, in pieces or byte
 * by byte; and what is accepted must keep the promises that everything
 * behind the parser relies on.  (Which of several faults is named may depend
 * on the pieces.)  The first input byte is the size of the pieces.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_parse.h"
#include "net/http_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_parse_limits limits = { 300, 900, 12 };

static void
check(bool ok)
{
	if (!ok)
		abort();
}

/* Feeds it in steps of ${step} bytes, each from memory of its own that is
 * exactly as large. */
static ptrdiff_t
feed(struct http_parse *p, const char *head, size_t n, size_t step)
{
	struct err err = ERR_INIT;
	ptrdiff_t len = 0;
	size_t have = 0;
	char *copy;

	http_parse_init(p, &limits);
	while (have < n && len == 0) {
		have = n - have < step ? n : have + step;
		copy = mem_dup(head, have);
		len = http_parse_feed(p, copy, have, &err);
		free(copy);
	}
	check((len < 0) == (err.code != ERR_NONE));
	return len;
}

static bool
is_inside(struct slice s, const char *head, ptrdiff_t len)
{
	return s.n == 0 || (s.p >= head && s.p + s.n <= head + len);
}

static void
check_request(const struct http_parse *p, const char *head, ptrdiff_t len)
{
	struct http_field fields[HTTP_PARSE_FIELDS_MAX];
	struct http_request r;
	size_t i;

	http_parse_request(p, head, fields, &r);
	check(len <= (ptrdiff_t)limits.head_max);
	check(head[len - 1] == '\n' && head[len - 2] == '\r');
	check(r.field_count <= limits.fields_max);
	check(r.method < HTTP_METHOD_COUNT);
	check(r.minor == 0 || r.minor == 1);
	check(is_inside(r.target, head, len));
	check(http_token_is_target(r.target));
	check(r.path.n > 0 && (r.path.p[0] == '/' || r.path.p[0] == '*'));
	check(is_inside(r.query, head, len));
	for (i = 0; i < r.field_count; i++) {
		check(is_inside(r.fields[i].name, head, len));
		check(is_inside(r.fields[i].value, head, len));
		check(http_token_is_valid(r.fields[i].name));
		check(http_token_is_value(r.fields[i].value));
	}
	check(r.minor == 0 || http_field(&r, "Host").p != NULL);
	check(!r.chunked || http_field(&r, "Content-Length").p == NULL);
	check(!r.chunked || r.minor == 1);
	check(r.chunked || r.content_length <= INT64_MAX);
	check(r.has_body || !r.expects_continue);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *head = (const char *)data + 1;
	struct http_parse p;
	ptrdiff_t len;
	size_t n;

	if (size < 2)
		return 0;
	n = size - 1;
	len = feed(&p, head, n, n);
	if (len > 0)
		check_request(&p, head, len);
	check(feed(&p, head, n, 1) == len);
	check(feed(&p, head, n, (size_t)data[0] + 1) == len);
	return 0;
}
