/* SPDX-License-Identifier: MIT */
#ifndef SFT_HTTP_H
#define SFT_HTTP_H

/*
 * One face over libcurl: a request, whose body is pulled and whose answer is
 * JSON or goes to a sink.  One request at a time; connections are kept for the
 * next.  No redirects are followed.
 *
 * An answer of 400 and above is a failure: its "code" becomes the error's code
 * and its "error" the message; what is not of this server's making (a
 * proxy's page) is reported as such.  Beside those:
 *   ERR_UNREACHABLE  no connection
 *   ERR_UNTRUSTED    none with TLS, or none that is trusted
 *   ERR_CLOSED       it broke
 *   ERR_TIMEOUT      nothing moved for timeout_ms
 *   ERR_INTERRUPTED  a signal came
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/source.h"
#include "sft/interrupt.h"

#define HTTP_SIZE_UNKNOWN (-1)

/* The longest JSON answer that is read; what is longer is refused. */
#define HTTP_ANSWER_MAX (64u * 1024 * 1024)

struct http;

struct http_options {
	const char *base; /* as url_server() gives it */
	const char *key;  /* NULL: none */
	const char *ca;   /* a file of certificates; NULL: the system's */
	bool insecure;    /* trust any certificate */
	int64_t timeout_ms;
	struct interrupt *interrupt;
	/* A line for who wants to know all; may be NULL. */
	void (*trace)(void *arg, const char *line);
	/* Called every 200 ms or more often while a request runs; may be NULL.
	 */
	void (*tick)(void *arg);
	void *arg;
};

/* What a request sends. */
struct http_body {
	struct source *source; /* stays the caller's */
	int64_t size;          /* or HTTP_SIZE_UNKNOWN */
	const char *type;      /* Content-Type; NULL: none */
	/* Readable when a source that had to wait can go on; -1: never waits.
	 */
	int wait_fd;
	/* Begins anew, for a connection that has to be made again; false when
	 * it cannot.  May be NULL. */
	bool (*rewind)(struct source *s);
};

/* The head of the final answer. */
struct http_head {
	int status;      /* 0: none yet */
	int64_t length;  /* or HTTP_SIZE_UNKNOWN */
	char reason[64]; /* "" when not given, as the fields below */
	char type[128];
	char etag[128];
	char repr_digest[256];
	char location[256];
	char retry_after[64];
	char content_range[80];
};

/* Where the body of a 2xx answer goes. */
struct http_sink {
	/* Once, before the body. */
	int (*head)(void *arg, const struct http_head *head, struct err *err);
	int (*write)(void *arg, const void *p, size_t n, struct err *err);
	void *arg;
};

struct http_request {
	const char *method;
	const char *target;           /* "/upload/a%20b?priority=3", encoded */
	const json_t *json;           /* sent as the body, or NULL */
	const struct http_body *body; /* or NULL */
	const struct http_sink *sink; /* NULL: the answer is JSON */
	const char *range;            /* "bytes=0-99", or NULL */
	const char *if_range; /* the ETag that it is a range of, or NULL */
	const char
	    *last_event_id; /* of a stream that is gone on with, or NULL */
	int64_t timeout_ms; /* 0: that of the options */
	/* Nothing has moved for two seconds, and for two more at each call:
	 * true when that is as it should be, and does not count for the
	 * time-out.  May be NULL. */
	bool (*stands_still)(void *arg);
	void *still_arg;
	/* Called every 200 ms or more often while it runs, on a connection or
	 * on the way to one; -1 with err set ends it.  May be NULL. */
	int (*tick)(void *arg, struct err *err);
	void *tick_arg;
};

struct http_reply {
	struct http_head head;
	json_t *json; /* an object; NULL with a sink or an empty answer */
};

int http_open(
    const struct http_options *o, struct http **ret_h, struct err *err);
void http_close(struct http *h); /* NULL is fine */

/* ${reply} may be NULL; the caller ends it with http_reply_fini(). */
int http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err);
void http_reply_fini(struct http_reply *reply);

/* Another way to the same server, for another thread; it calls no tick(). */
int http_clone(const struct http *h, struct http **ret_h, struct err *err);

/* "http://host:port": where it leads. */
const char *http_base(const struct http *h);

/* How the last http_do() failed, beside its err. */
struct http_failure {
	int status;            /* 0: there was no answer */
	int64_t retry_after_s; /* -1: not said */
	bool names_limit;      /* the answer named a max_file_size */
};
const struct http_failure *http_failure(const struct http *h);

#endif
