/* SPDX-License-Identifier: MIT */
#ifndef SFT_ZIPPING_H
#define SFT_ZIPPING_H

/*
 * What is asked for when files are to come as one archive: an address, of which
 * ranges can be asked for; or, when the names do not fit into one, a body.
 */

#include "base/json.h"

/* What the server calls it. */
#define ZIPPING_NAME "download.zip"

struct zipping {
	char *target; /* "/download_batch..." */
	json_t *body; /* NULL: the target says it all */
};

void zipping_init(struct zipping *z, char *const *names, int n);
void zipping_fini(struct zipping *z);

#endif
