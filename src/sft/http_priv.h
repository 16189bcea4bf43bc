/* SPDX-License-Identifier: MIT */
#ifndef SFT_HTTP_PRIV_H
#define SFT_HTTP_PRIV_H

#include <curl/curl.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sft/http.h"

/* One request under way, on the stack of http_do(). */
struct http_call {
	struct http *h;
	const struct http_request *req;
	struct http_head head;
	bool head_is_done;
	struct buf answer;        /* what goes to no sink */
	bool answer_is_too_large; /* the rest of it was thrown away */
	struct err err;           /* why a callback ended it, if one did */
	bool is_paused;           /* the body's source has to wait */
	bool is_sending;          /* the body was asked for */
	curl_off_t moved;         /* bytes, both ways */
	int64_t moved_ms;         /* when that changed last */
	int64_t asked_ms;         /* when stands_still() was last called */
	char text[CURL_ERROR_SIZE];
};

struct http {
	CURL *easy;
	CURLM *multi;
	struct http_options options; /* its strings are copies */
	struct http_call *call;      /* NULL between requests */
	struct http_failure failure; /* of the last one */
};

/* A line of a head (http_head.c): a status line begins a new head, the empty
 * line ends it.  CR and LF at the end are ignored. */
void http_head_line(struct http_head *head, struct slice line);

/* Sets ${err} from an answer of 300 and above (http_error.c), or from what
 * libcurl says; both return -1. */
int http_error_answer(const struct http_call *c, struct err *err);
int http_error_curl(const struct http_call *c, CURLcode code, struct err *err);

/* libcurl's callbacks (http_call.c). */
size_t http_call_send(char *p, size_t size, size_t n, void *call);
int http_call_seek(void *call, curl_off_t offset, int origin);
size_t http_call_header(const char *p, size_t size, size_t n, void *call);
size_t http_call_receive(const char *p, size_t size, size_t n, void *call);
/* Closes a connection, after a last look for an answer on it. */
int http_call_close_socket(void *http, curl_socket_t fd);

#endif
