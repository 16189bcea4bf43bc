/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <string.h>

#include "sft/http_priv.h"

static void
feed(struct http_head *head, const char *line)
{
	http_head_line(head, slice_str(line));
}

TEST(test_sft_http_head__fields)
{
	struct http_head head = { 0 };

	feed(&head, "HTTP/1.1 201 Created\r\n");
	feed(&head, "content-length:  42 \r\n");
	feed(&head, "ETag: \"abc\"\r\n");
	feed(&head, "REPR-DIGEST: sha-256=:AA==:\r\n");
	feed(&head, "Content-Type: application/json\r\n");
	feed(&head, "Location: /x\r\n");
	feed(&head, "Retry-After: 7\r\n");
	feed(&head, "X-Other: y\r\n");
	feed(&head, "\r\n");
	assert_int_equal(head.status, 201);
	assert_string_equal(head.reason, "Created");
	assert_int_equal(head.length, 42);
	assert_string_equal(head.etag, "\"abc\"");
	assert_string_equal(head.repr_digest, "sha-256=:AA==:");
	assert_string_equal(head.type, "application/json");
	assert_string_equal(head.location, "/x");
	assert_string_equal(head.retry_after, "7");
}

TEST(test_sft_http_head__a_status_line_begins_anew)
{
	struct http_head head = { 0 };

	feed(&head, "HTTP/1.1 100 Continue\r\n");
	feed(&head, "ETag: \"of nothing\"\r\n");
	feed(&head, "HTTP/1.1 413 Content Too Large\r\n");
	assert_int_equal(head.status, 413);
	assert_string_equal(head.reason, "Content Too Large");
	assert_string_equal(head.etag, "");
	assert_int_equal(head.length, HTTP_SIZE_UNKNOWN);
	feed(&head, "HTTP/2 404");
	assert_int_equal(head.status, 404);
	assert_string_equal(head.reason, "");
}

TEST(test_sft_http_head__odd_ones)
{
	struct http_head head = { 0 };
	char line[1024];

	feed(&head, "HTTP/1.1 abc No");
	assert_int_equal(head.status, 0);
	feed(&head, "HTTP/1.1 200 OK");
	feed(&head, "no colon");
	feed(&head, ": no name");
	feed(&head, "Content-Length: -5");
	assert_int_equal(head.length, HTTP_SIZE_UNKNOWN);
	feed(&head, "Content-Length: 99999999999999999999");
	assert_int_equal(head.length, HTTP_SIZE_UNKNOWN);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "ETag: ", 6);
	feed(&head, line);
	assert_string_equal(head.etag, "");
}
