/* SPDX-License-Identifier: MIT */

/* The input is a field as a client sends it; the proxy adds one of its own,
 * with the client's address: that one counts, whatever came before. */

#include <stdint.h>
#include <stdlib.h>

#include "net/forwarded.h"
#include "net/proxies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_hop(void *arg, const struct addr *hop)
{
	size_t *left = arg;

	if (hop != NULL && addr_ip_bytes(hop).n != 4 &&
	    addr_ip_bytes(hop).n != 16)
		abort();
	/* each hop, good or bad, has at least a byte of its own */
	if ((*left)-- == 0)
		abort();
}

static void
check_client(const struct proxies *p, const char *name, struct slice sent,
    struct slice added)
{
	const struct http_field fields[2] = {
		{ slice_str(name), sent },
		{ slice_str(name), added },
	};
	struct http_request req = { .fields = fields, .field_count = 2 };
	struct addr peer, client, got;

	if (!addr_parse_ip(SLICE_LIT("10.0.0.1"), &peer) ||
	    !addr_parse_ip(SLICE_LIT("192.0.2.9"), &client))
		abort();
	proxies_client(p, &peer, &req, &got);
	if (!addr_same_ip(&got, &client))
		abort();
	/* and by itself it is read without harm */
	req.field_count = 1;
	proxies_client(p, &peer, &req, &got);
	if (addr_ip_bytes(&got).p == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice sent = { (const char *)data, size };
	struct proxies *p;
	size_t left;

	if (proxies_new("10.0.0.0/8, ::1", &p, NULL) < 0)
		abort();
	left = size;
	forwarded_for_each(sent, check_hop, &left);
	left = size;
	forwarded_each(sent, check_hop, &left);
	check_client(p, "x-forwarded-for", sent, SLICE_LIT("192.0.2.9"));
	check_client(p, "forwarded", sent, SLICE_LIT("for=192.0.2.9"));
	proxies_free(p);
	return 0;
}
