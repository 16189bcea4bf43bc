/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "sft/http_priv.h"
#include "sft/text.h"

/* The code of an answer that names none that we know. */
static enum err_code
code_of_status(int status)
{
	static const struct {
		int status;
		enum err_code code;
	} codes[] = {
		{ 401, ERR_UNAUTHORIZED },
		{ 403, ERR_FORBIDDEN },
		{ 404, ERR_NOT_FOUND },
		{ 408, ERR_REQUEST_TIMEOUT },
		{ 413, ERR_FILE_TOO_LARGE },
		{ 429, ERR_TOO_MANY_REQUESTS },
		{ 501, ERR_NOT_IMPLEMENTED },
		{ 503, ERR_SERVER_BUSY },
		{ 507, ERR_STORAGE_FULL },
	};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].status == status)
			return codes[i].code;
	}
	return ERR_IO;
}

/* ", at most 10.0 GiB", ", try again in 5 s": what the answer says beside its
 * sentence. */
static void
advice(const struct http_call *c, const json_t *answer, char *ret, size_t n)
{
	const json_t *max = json_object_get(answer, "max_file_size");
	char size[TEXT_SIZE];
	uint64_t seconds;

	ret[0] = '\0';
	if (json_integer_value(max) > 0) {
		text_size((uint64_t)json_integer_value(max), size);
		(void)snprintf(ret, n, " (at most %s)", size);
	} else if (num_uint(slice_str(c->head.retry_after), 86400, &seconds)) {
		(void)snprintf(
		    ret, n, " (try again in %" PRIu64 " s)", seconds);
	}
}

/* An answer that is not of this server's making: a proxy's, say. */
static int
foreign(const struct http_call *c, struct err *err)
{
	const struct http_head *head = &c->head;

	if (head->status < 400)
		return err_set(err, ERR_IO,
		    "the server answered %d %s%s%s: a redirect is not "
		    "followed, give the right address with --server",
		    head->status, head->reason,
		    head->location[0] == '\0' ? "" : " to ", head->location);
	return err_set(err, code_of_status(head->status),
	    "the server answered %d %s, but not as sftd does: is there a "
	    "proxy in between, or another program at %s?",
	    head->status, head->reason, c->h->options.base);
}

/* For who may try again. */
static void
note(const struct http_call *c, const json_t *answer)
{
	struct http_failure *f = &c->h->failure;
	uint64_t seconds;

	f->status = c->head.status;
	f->names_limit = json_object_get(answer, "max_file_size") != NULL;
	if (num_uint(slice_str(c->head.retry_after), 86400, &seconds))
		f->retry_after_s = (int64_t)seconds;
}

int
http_error_answer(const struct http_call *c, struct err *err)
{
	json_t *answer = json_parse(c->answer.p, c->answer.len, NULL);
	const char *name, *sentence;
	enum err_code code;
	struct slice text;
	char more[64];

	note(c, answer);
	name = json_string_value(json_object_get(answer, "code"));
	sentence = json_string_value(json_object_get(answer, "error"));
	if (name == NULL || sentence == NULL) {
		json_decref(answer);
		return foreign(c, err);
	}
	code = err_code_of_name(name);
	if (code == ERR_NONE) {
		code = code_of_status(c->head.status);
		/* a code of a newer server, of something that is not there */
		if (code == ERR_NOT_FOUND)
			code = ERR_FILE_NOT_FOUND;
	}
	advice(c, answer, more, sizeof(more));
	/* our messages go on, or end, without a full stop */
	text = slice_str(sentence);
	if (text.n > 0 && text.p[text.n - 1] == '.')
		text.n--;
	if (text.n > ERR_MSG_MAX - sizeof(more)) {
		text.n = ERR_MSG_MAX - sizeof(more);
		text.n = utf8_cut(text);
	}
	err_set(err, code, "%.*s%s", (int)text.n, text.p, more);
	json_decref(answer);
	return -1;
}

/* Before a connection stood, or after? */
static bool
was_connected(const struct http_call *c)
{
	curl_off_t us = 0;

	(void)curl_easy_getinfo(c->h->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
	return us > 0;
}

/* The certificate is not what it should be.  Only the text tells why. */
static int
untrusted(const struct http_call *c, struct err *err)
{
	static const struct {
		const char *said;
		const char *advice;
	} reasons[] = {
		{ "expired",
		    "its certificate has expired; renew it there, or set the "
		    "clock here" },
		{ "not yet valid",
		    "its certificate is not valid yet; set the clock here, or "
		    "there" },
		{ "subject name",
		    "its certificate is another host's; give the name that it "
		    "was made for with --server" },
	};
	const char *base = c->h->options.base;
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(c->text, reasons[i].said) != NULL)
			return err_set(err, ERR_UNTRUSTED,
			    "cannot trust %s: %s", base, reasons[i].advice);
	return err_set(err, ERR_UNTRUSTED,
	    "cannot trust %s (%s): name its authority with --ca FILE, "
	    "or trust it unseen with --insecure",
	    base, c->text);
}

static int
unreachable(const struct http_call *c, CURLcode code, struct err *err)
{
	const char *base = c->h->options.base;
	char reason[128];
	long sys = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, ERR_UNREACHABLE,
		    "cannot reach %s: there is no such host", base);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_UNREACHABLE,
		    "cannot reach %s: no answer within %" PRId64 " s", base,
		    c->h->options.timeout_ms / 1000);
	case CURLE_PEER_FAILED_VERIFICATION:
		return untrusted(c, err);
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_UNTRUSTED,
		    "cannot use the certificates in '%s': --ca and SFT_CA "
		    "take a file with certificates in PEM",
		    c->h->options.ca);
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(err, ERR_UNTRUSTED,
		    "cannot speak TLS with %s (%s): if it speaks plain HTTP, "
		    "its address begins with http://",
		    base, c->text);
	default:
		break;
	}
	(void)curl_easy_getinfo(c->h->easy, CURLINFO_OS_ERRNO, &sys);
	return err_set(err, ERR_UNREACHABLE, "cannot reach %s: %s", base,
	    sys != 0 ? strerror_r((int)sys, reason, sizeof(reason)) : c->text);
}

int
http_error_curl(const struct http_call *c, CURLcode code, struct err *err)
{
	const char *base = c->h->options.base;

	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(err, ERR_IO,
		    "what answers at %s does not speak HTTP", base);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
		return unreachable(c, code, err);
	case CURLE_OPERATION_TIMEDOUT:
		if (!was_connected(c))
			return unreachable(c, code, err);
		return err_set(err, ERR_TIMEOUT,
		    "nothing came from %s for %" PRId64 " s (--timeout)", base,
		    c->h->options.timeout_ms / 1000);
	case CURLE_GOT_NOTHING:
		return err_set(err, ERR_CLOSED,
		    "%s closed the connection without an answer", base);
	case CURLE_PARTIAL_FILE:
		return err_set(
		    err, ERR_CLOSED, "the connection broke before the end");
	default:
		break;
	}
	if (!was_connected(c))
		return unreachable(c, code, err);
	return err_set(err, ERR_CLOSED, "the connection to %s broke: %s", base,
	    c->text[0] == '\0' ? curl_easy_strerror(code) : c->text);
}
