/* SPDX-License-Identifier: MIT */
#include "api/quality.h"

#include "base/log.h"

void
quality_evidence(const struct call *c, struct health_evidence *ret)
{
	struct http_path path;

	*ret = (struct health_evidence){ .rtt_us = 0 };
	if (!http_path(c->x, &path))
		return;
	ret->rtt_us = path.rtt_us;
	ret->rttvar_us = path.rttvar_us;
	ret->retransmits = path.retransmits;
	ret->segments = path.segments;
}

void
quality_note(const struct call *c, enum health_quality quality,
    const struct health_evidence *e)
{
	char peer[ADDR_TEXT_SIZE];
	const char *ip = c->client.ip;
	const char *said;

	/* nothing is known: nothing has changed */
	if (e->rtt_us == 0)
		return;
	if (ip == NULL) {
		addr_ip_text(&c->visitor.from, peer);
		ip = peer;
	}
	switch (wary_note(c->app->wary, ip, quality)) {
	case WARY_UNSTABLE:
		said = "connection unstable";
		break;
	case WARY_RECOVERED:
		said = "connection recovered";
		break;
	default:
		return;
	}
	log_info(said, LOG_STR("client", ip), LOG_UINT("rtt_us", e->rtt_us),
	    LOG_UINT("rttvar_us", e->rttvar_us),
	    LOG_UINT("retransmits", e->retransmits),
	    LOG_UINT("segments", e->segments), LOG_END);
}
