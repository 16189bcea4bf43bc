/* SPDX-License-Identifier: MIT */
#ifndef SFTD_ANNOUNCE_H
#define SFTD_ANNOUNCE_H

#include "engine/engine.h"
#include "net/tls.h"

/* Says at the start where the server is reached, where its files, keys and
 * records are, what recovery found, and what is open to anyone. */
struct announcement {
	const struct settings *settings;
	const struct engine *engine;
	const struct engine_report *report;
	struct tls *tls; /* NULL: none */
	int listen_fd;
};
void announce(const struct announcement *a);

#endif
