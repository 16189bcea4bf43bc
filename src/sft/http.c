/* SPDX-License-Identifier: MIT */
#include "sft/http.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sft/http_priv.h"
#include "sft/text.h"

#define TICK_MS 200
/* Nothing has moved for so long: stands_still() is asked. */
#define STILL_MS 2000
#define BUFFER_SIZE (512L * 1024) /* the most that libcurl 7.88 takes */
#define KEY_HEADER "X-API-Key: "

int
http_open(const struct http_options *o, struct http **ret_h, struct err *err)
{
	struct http *h = mem_calloc(1, sizeof(*h));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(h);
		return err_set(err, ERR_INTERNAL, "cannot set libcurl up");
	}
	h->options = *o;
	h->options.base = mem_strdup(o->base);
	h->options.key = mem_strdup(o->key);
	h->options.ca = mem_strdup(o->ca);
	h->easy = curl_easy_init();
	h->multi = curl_multi_init();
	if (h->easy == NULL || h->multi == NULL) {
		http_close(h);
		return err_set(err, ERR_INTERNAL, "cannot set libcurl up");
	}
	*ret_h = h;
	return 0;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->easy);
	(void)curl_multi_cleanup(h->multi);
	if (h->options.key != NULL)
		mem_wipe((char *)h->options.key, strlen(h->options.key));
	free((char *)h->options.key);
	free((char *)h->options.base);
	free((char *)h->options.ca);
	free(h);
	curl_global_cleanup();
}

int
http_clone(const struct http *h, struct http **ret_h, struct err *err)
{
	struct http_options o = h->options;

	o.tick = NULL;
	return http_open(&o, ret_h, err);
}

const char *
http_base(const struct http *h)
{
	return h->options.base;
}

const struct http_failure *
http_failure(const struct http *h)
{
	return &h->failure;
}

static void trace(const struct http_call *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
trace(const struct http_call *c, const char *fmt, ...)
{
	const struct http_options *o = &c->h->options;
	struct buf b;
	va_list ap;

	if (o->trace == NULL)
		return;
	buf_init(&b, 16 * 1024);
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	o->trace(o->arg, buf_str(&b));
	buf_fini(&b);
}

/* What is the same for all requests. */
static void
set_common(struct http_call *c)
{
	const struct http_options *o = &c->h->options;
	CURL *e = c->h->easy;

	curl_easy_reset(e);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->text);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	/* a proxy's word that there is a tunnel is not the answer */
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "sft/" SFT_VERSION);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->timeout_ms);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_SIZE);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, http_call_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, http_call_receive);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(
	    e, CURLOPT_CLOSESOCKETFUNCTION, http_call_close_socket);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, c->h);
	if (o->ca != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, o->ca);
	if (o->insecure) {
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static int
set_body(struct http_call *c, struct err *err)
{
	const struct http_request *req = c->req;
	CURL *e = c->h->easy;
	struct buf text;
	int rc = 0;

	if (req->body != NULL) {
		curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, http_call_send);
		curl_easy_setopt(e, CURLOPT_READDATA, c);
		curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, http_call_seek);
		curl_easy_setopt(e, CURLOPT_SEEKDATA, c);
		curl_easy_setopt(
		    e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->body->size);
	} else if (req->json != NULL) {
		buf_init(&text, HTTP_ANSWER_MAX);
		rc = json_write(req->json, &text, err);
		curl_easy_setopt(
		    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)text.len);
		curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, buf_str(&text));
		buf_fini(&text);
	}
	curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
	/* Its answer has a length, but no bytes. */
	if (strcmp(req->method, "HEAD") == 0)
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	return rc;
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *name, const char *value)
{
	char *line;

	if (value == NULL)
		return list;
	line = mem_printf("%s: %s", name, value);
	list = curl_slist_append(list, line);
	free(line);
	return list;
}

static struct curl_slist *
header_list(const struct http_call *c)
{
	const char *key = c->h->options.key;
	struct curl_slist *list = NULL;
	char *line;

	if (key != NULL) {
		line = mem_printf(KEY_HEADER "%s", key);
		list = curl_slist_append(list, line);
		mem_wipe(line, strlen(line));
		free(line);
	}
	if (c->req->json != NULL)
		list =
		    curl_slist_append(list, "Content-Type: application/json");
	if (c->req->body != NULL)
		list = add_header(list, "Content-Type", c->req->body->type);
	list = add_header(list, "Range", c->req->range);
	list = add_header(list, "If-Range", c->req->if_range);
	return add_header(list, "Last-Event-ID", c->req->last_event_id);
}

static void
free_header_list(struct curl_slist *list)
{
	struct curl_slist *l;

	for (l = list; l != NULL; l = l->next)
		mem_wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

/* Nothing has moved for a while: is that as it should be? */
static bool
is_meant_to(struct http_call *c, int64_t now)
{
	int64_t since = c->asked_ms > c->moved_ms ? c->asked_ms : c->moved_ms;
	bool is;

	if (c->req->stands_still == NULL || c->head_is_done ||
	    now - since < STILL_MS)
		return false;
	is = c->req->stands_still(c->req->still_arg);
	c->asked_ms = clock_mono_ms(clock_system());
	return is;
}

/* Has nothing moved for too long?  The time until there is a connection is
 * bounded by libcurl, and what our own input takes does not count. */
static bool
is_stalled(struct http_call *c)
{
	int64_t now = clock_mono_ms(clock_system());
	curl_off_t up = 0, down = 0, connected = 0;
	long head = 0;
	CURL *e = c->h->easy;

	(void)curl_easy_getinfo(e, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(e, CURLINFO_SIZE_DOWNLOAD_T, &down);
	(void)curl_easy_getinfo(e, CURLINFO_HEADER_SIZE, &head);
	(void)curl_easy_getinfo(e, CURLINFO_PRETRANSFER_TIME_T, &connected);
	if (up + down + head != c->moved || connected == 0 ||
	    (c->is_paused && !c->head_is_done)) {
		c->moved = up + down + head;
		c->moved_ms = now;
	}
	if (is_meant_to(c, now))
		c->moved_ms = now;
	return now - c->moved_ms >= (c->req->timeout_ms > 0
	                                    ? c->req->timeout_ms
	                                    : c->h->options.timeout_ms);
}

/* Waits until the connection, our own input or a signal has something. */
static int
wait_for_more(struct http_call *c, struct err *err)
{
	struct curl_waitfd fds[] = {
		{ interrupt_fd(c->h->options.interrupt), CURL_WAIT_POLLIN, 0 },
		{ -1, CURL_WAIT_POLLIN, 0 },
	};
	unsigned n = 1;

	if (c->is_paused && c->req->body->wait_fd >= 0)
		fds[n++].fd = c->req->body->wait_fd;
	if (curl_multi_poll(c->h->multi, fds, n, TICK_MS, NULL) != CURLM_OK)
		return err_set(err, ERR_INTERNAL, "libcurl cannot wait");
	if (interrupt_check(c->h->options.interrupt, err) < 0)
		return -1;
	if (c->is_paused && (n == 1 || fds[1].revents != 0)) {
		c->is_paused = false;
		curl_easy_pause(c->h->easy, CURLPAUSE_CONT);
	}
	if (c->h->options.tick != NULL)
		c->h->options.tick(c->h->options.arg);
	if (c->req->tick != NULL)
		return c->req->tick(c->req->tick_arg, err);
	return 0;
}

/* Is a refusal there, while the body waits for our own input?  libcurl would
 * wait for the input, too. */
static bool
is_refused(const struct http_call *c)
{
	return c->is_paused && c->head_is_done && c->head.status >= 300 &&
	       (int64_t)c->answer.len >= c->head.length &&
	       c->head.length != HTTP_SIZE_UNKNOWN;
}

/* Drives the request to its end. */
static int
drive(struct http_call *c, CURLcode *ret_code, struct err *err)
{
	int running = 1;
	int left;
	CURLMsg *msg;

	c->moved_ms = clock_mono_ms(clock_system());
	for (;;) {
		if (curl_multi_perform(c->h->multi, &running) != CURLM_OK)
			return err_set(
			    err, ERR_INTERNAL, "libcurl cannot go on");
		if (running == 0)
			break;
		if (is_refused(c)) {
			*ret_code = CURLE_OK;
			return 0;
		}
		if (wait_for_more(c, err) < 0)
			return -1;
		if (is_stalled(c)) {
			*ret_code = CURLE_OPERATION_TIMEDOUT;
			return 0;
		}
	}
	msg = curl_multi_info_read(c->h->multi, &left);
	if (msg == NULL || msg->msg != CURLMSG_DONE)
		return err_set(err, ERR_INTERNAL, "libcurl lost the request");
	*ret_code = msg->data.result;
	return 0;
}

static int
perform(struct http_call *c, CURLcode *ret_code, struct err *err)
{
	struct curl_slist *headers = header_list(c);
	char *url = mem_printf("%s%s", c->h->options.base, c->req->target);
	int rc = -1;

	set_common(c);
	if (set_body(c, err) < 0)
		goto out;
	curl_easy_setopt(c->h->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->h->easy, CURLOPT_HTTPHEADER, headers);
	trace(c, "> %s %s", c->req->method, url);
	c->h->call = c;
	if (curl_multi_add_handle(c->h->multi, c->h->easy) != CURLM_OK) {
		err_set(err, ERR_INTERNAL, "libcurl refuses the request");
		goto out;
	}
	rc = drive(c, ret_code, err);
	curl_multi_remove_handle(c->h->multi, c->h->easy);
out:
	c->h->call = NULL;
	curl_easy_setopt(c->h->easy, CURLOPT_HTTPHEADER, NULL);
	free_header_list(headers);
	free(url);
	return rc;
}

/* The JSON object of a good answer; an empty one has none. */
static int
read_answer(struct http_call *c, json_t **ret_json, struct err *err)
{
	json_t *j;

	if (c->answer.len == 0) {
		*ret_json = NULL;
		return 0;
	}
	if (c->answer_is_too_large)
		return err_set(err, ERR_IO, "the server's answer is too long");
	j = json_parse(c->answer.p, c->answer.len, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		return err_set(err, ERR_IO,
		    "what answers at %s is not sftd: its answer is no JSON%s%s",
		    c->h->options.base, c->head.type[0] == '\0' ? "" : " but ",
		    c->head.type);
	}
	*ret_json = j;
	return 0;
}

/* What came of it. */
static int
judge(struct http_call *c, CURLcode code, json_t **ret_json, struct err *err)
{
	if (c->err.code != ERR_NONE) {
		*err = c->err;
		return -1;
	}
	/* An answer counts, though the body could not be sent to its end. */
	if (c->head_is_done && c->head.status >= 300)
		return http_error_answer(c, err);
	if (code != CURLE_OK)
		return http_error_curl(c, code, err);
	return read_answer(c, ret_json, err);
}

int
http_do(struct http *h, const struct http_request *req,
    struct http_reply *reply, struct err *err)
{
	struct http_call c = { .h = h, .req = req };
	int64_t begin = clock_mono_ms(clock_system());
	json_t *json = NULL;
	CURLcode code;
	int rc = -1;

	h->failure = (struct http_failure){ .retry_after_s = -1 };
	c.head.length = HTTP_SIZE_UNKNOWN;
	buf_init(&c.answer, HTTP_ANSWER_MAX);
	if (perform(&c, &code, err) < 0)
		goto out;
	if (c.head.status != 0)
		trace(&c, "< %d %s (%" PRId64 " ms)", c.head.status,
		    c.head.reason, clock_mono_ms(clock_system()) - begin);
	rc = judge(&c, code, &json, err);
	if (rc < 0 || reply == NULL)
		goto out;
	reply->head = c.head;
	reply->json = json;
	json = NULL;
out:
	json_decref(json);
	buf_fini(&c.answer);
	return rc;
}

void
http_reply_fini(struct http_reply *reply)
{
	json_decref(reply->json);
	reply->json = NULL;
}
