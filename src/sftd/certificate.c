/* SPDX-License-Identifier: MIT */
#include "sftd/certificate.h"

#include <inttypes.h>

#include "base/log.h"

#define SOON_S (14LL * 86400)

int
certificate_check(const struct settings *s, struct err *err)
{
	if (s->tls_cert != NULL && s->tls_key == NULL)
		return err_set(err, ERR_SETTING,
		    "TLS_CERT is set, but TLS_KEY is not: set both for TLS, or "
		    "neither");
	if (s->tls_cert == NULL && s->tls_key != NULL)
		return err_set(err, ERR_SETTING,
		    "TLS_KEY is set, but TLS_CERT is not: set both for TLS, or "
		    "neither");
	if (s->http_redirect_port == 0)
		return 0;
	if (s->tls_cert == NULL)
		return err_set(err, ERR_SETTING,
		    "HTTP_REDIRECT_PORT is %" PRIu64 ", but there is no TLS to "
		    "point to: set TLS_CERT and TLS_KEY, or leave it unset",
		    s->http_redirect_port);
	if (s->http_redirect_port == s->server_port)
		return err_set(err, ERR_SETTING,
		    "HTTP_REDIRECT_PORT is %" PRIu64 ", which is SERVER_PORT: "
		    "plain HTTP needs a port of its own",
		    s->http_redirect_port);
	return 0;
}

int
certificate_open(
    const struct settings *s, struct tls **ret_tls, struct err *err)
{
	*ret_tls = NULL;
	if (certificate_check(s, err) < 0)
		return -1;
	return s->tls_cert == NULL
	           ? 0
	           : tls_new(s->tls_cert, s->tls_key, ret_tls, err);
}

void
certificate_say(struct tls *tls)
{
	struct tls_facts facts;

	tls_facts(tls, &facts);
	log_info("the certificate is", LOG_STR("subject", facts.subject),
	    LOG_STR("not_after", facts.not_after), LOG_END);
	if (facts.left_s < 0)
		log_warning("the certificate has expired: clients will not "
		            "trust it",
		    LOG_STR("not_after", facts.not_after), LOG_END);
	else if (facts.left_s < SOON_S)
		log_warning("the certificate expires soon",
		    LOG_STR("not_after", facts.not_after), LOG_END);
}

void
certificate_look(struct tls *tls, bool now)
{
	struct err e = ERR_INIT;
	int news;

	if (tls == NULL)
		return;
	news = tls_look(tls, now, &e);
	if (news < 0) {
		log_error("the certificate or its key cannot be used; the old "
		          "ones stay in use",
		    LOG_ERR(&e), LOG_END);
	} else if (news > 0) {
		log_info("the certificate was read again", LOG_END);
		certificate_say(tls);
	}
}
