/* SPDX-License-Identifier: MIT */
#ifndef API_METADATA_JSON_H
#define API_METADATA_JSON_H

#include "base/json.h"

struct rec_file;

/* What is known of a file, as GET /metadata answers it.  Owned by the caller.
 */
json_t *metadata_json(const struct rec_file *f);

#endif
