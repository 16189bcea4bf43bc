/* SPDX-License-Identifier: MIT */
#include "net/proxies.h"

#include <stdlib.h>
#include <string.h>

#include "base/ipnet.h"
#include "base/mem.h"
#include "net/forwarded.h"

struct proxies {
	struct ipnet *nets;
	size_t n;
};

static void
add(void *arg, const struct ipnet *net)
{
	struct proxies *p = arg;

	p->nets = mem_realloc(p->nets, (p->n + 1) * sizeof(*p->nets));
	p->nets[p->n++] = *net;
}

int
proxies_new(const char *list, struct proxies **ret_proxies, struct err *err)
{
	struct proxies *p = mem_calloc(1, sizeof(*p));

	if (list != NULL && !ipnet_parse_list(slice_str(list), add, p)) {
		proxies_free(p);
		return err_set(err, ERR_SETTING,
		    "TRUSTED_PROXIES must be a comma list of addresses and "
		    "blocks, such as 10.0.0.0/8 or 2001:db8::1");
	}
	*ret_proxies = p;
	return 0;
}

void
proxies_free(struct proxies *p)
{
	if (p == NULL)
		return;
	free(p->nets);
	free(p);
}

bool
proxies_trust(const struct proxies *p, const struct addr *peer)
{
	struct slice ip = addr_ip_bytes(peer);

	for (size_t i = 0; i < p->n; i++)
		if (ipnet_has(&p->nets[i], ip))
			return true;
	return false;
}

/*
 * The way back, walked forwards: what is known after each hop is what one would
 * find who came from the end to here.
 */
struct way {
	const struct proxies *proxies;
	struct addr from;
	bool is_known; /* ${from} is somebody */
};

static void
take_hop(void *arg, const struct addr *hop)
{
	struct way *w = arg;

	if (hop == NULL) {
		w->is_known = false;
	} else if (!w->is_known || !proxies_trust(w->proxies, hop)) {
		w->from = *hop;
		w->is_known = true;
	}
}

/* All fields of that name, as if they were one.  False: there is none. */
static bool
walk(const struct http_request *req, const char *name,
    void (*parse)(struct slice value, forwarded_fn fn, void *arg),
    struct way *w)
{
	bool has = false;

	for (size_t i = 0; i < req->field_count; i++) {
		if (!slice_eq_nocase(req->fields[i].name, name))
			continue;
		has = true;
		parse(req->fields[i].value, take_hop, w);
	}
	return has;
}

void
proxies_client(const struct proxies *p, const struct addr *peer,
    const struct http_request *req, struct addr *ret)
{
	struct way a = { .proxies = p, .from = *peer };
	struct way b = a;
	bool has_a, has_b;

	*ret = *peer;
	if (p->n == 0 || !proxies_trust(p, peer))
		return;
	has_a = walk(req, "x-forwarded-for", forwarded_for_each, &a);
	has_b = walk(req, "forwarded", forwarded_each, &b);
	if (has_a && has_b &&
	    (a.is_known != b.is_known || !addr_same_ip(&a.from, &b.from)))
		return;
	if (has_a && a.is_known)
		*ret = a.from;
	else if (has_b && b.is_known)
		*ret = b.from;
}
