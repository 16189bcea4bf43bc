/* SPDX-License-Identifier: MIT */
#ifndef API_UPLOAD_REPLY_H
#define API_UPLOAD_REPLY_H

#include "api/call.h"
#include "engine/upload.h"

/* The JSON of a completed upload, and a line in the log. */
void upload_reply(struct call *c, int status, const struct upload_options *o,
    const struct upload_result *r);

#endif
