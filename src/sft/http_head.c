/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "base/num.h"
#include "sft/http_priv.h"

/* Fields that are kept as they are. */
static const struct {
	const char *name;
	size_t offset;
	size_t size;
} fields[] = {
#define FIELD(name, member)                                                    \
	{                                                                      \
		name, offsetof(struct http_head, member),                      \
		    sizeof(((struct http_head *)NULL)->member)                 \
	}
	FIELD("Content-Range", content_range),
	FIELD("Content-Type", type),
	FIELD("ETag", etag),
	FIELD("Location", location),
	FIELD("Repr-Digest", repr_digest),
	FIELD("Retry-After", retry_after),
#undef FIELD
};

/* A value too long to be kept whole is none. */
static void
keep(char *ret, size_t size, struct slice value)
{
	if (value.n >= size)
		value.n = 0;
	memcpy(ret, value.p, value.n);
	ret[value.n] = '\0';
}

/* "HTTP/1.1 404 Not Found", "HTTP/2 404" */
static void
status_line(struct http_head *head, struct slice line)
{
	struct slice part;
	uint64_t status;

	memset(head, 0, sizeof(*head));
	head->length = HTTP_SIZE_UNKNOWN;
	if (!slice_next(&line, ' ', &part) || !slice_next(&line, ' ', &part))
		return;
	if (num_uint(part, 999, &status))
		head->status = (int)status;
	keep(head->reason, sizeof(head->reason), line);
}

void
http_head_line(struct http_head *head, struct slice line)
{
	struct slice name, value;
	uint64_t length;
	size_t i;

	while (line.n > 0 && strchr("\r\n", line.p[line.n - 1]) != NULL)
		line.n--;
	if (slice_starts(line, "HTTP/")) {
		status_line(head, line);
		return;
	}
	value = line;
	if (!slice_next(&value, ':', &name))
		return;
	value = slice_trim(value);
	if (slice_eq_nocase(name, "Content-Length") &&
	    num_uint(value, INT64_MAX, &length))
		head->length = (int64_t)length;
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (slice_eq_nocase(name, fields[i].name))
			keep((char *)head + fields[i].offset, fields[i].size,
			    value);
	}
}
