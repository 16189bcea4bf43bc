/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_DECODER_H
#define ENGINE_DECODER_H

/*
 * One running sft-preview (proto/preview.h), which is trusted with nothing: it
 * may crash, hang or lie.  What comes of that is an error and a decoder that
 * is fit for no other image.  Used by one thread at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"

struct decoder;

/* Who waits, and until when. */
struct decoder_wait {
	int64_t deadline_ns; /* monotonic */
	/* Ten times a second: -1 ends the waiting with its err. */
	int (*check)(void *arg, struct err *err);
	void *arg;
};

/* ${is_idle}: it gives way to all else.  ERR_UNAVAILABLE: it cannot be started
 * or is none of ours. */
int decoder_start(const char *program, bool is_idle,
    const struct decoder_wait *wait, struct decoder **ret_d, struct err *err);
/* Who decodes, as text. */
const char *decoder_version(const struct decoder *d);
/*
 * The preview of the image in ${src}, which stays the caller's.
 * ERR_NO_THUMBNAIL: it is none that can be read; ERR_UNAVAILABLE: the program
 * could not begin; ERR_CLOSED: it ended or did not keep to the rules;
 * ERR_TIMEOUT; else ${src}'s error, or that of check().
 */
int decoder_run(struct decoder *d, struct source *src,
    const struct decoder_wait *wait, struct buf *ret_jpeg, struct err *err);
/* May it be given another image? */
bool decoder_is_fit(const struct decoder *d);
void decoder_free(struct decoder *d); /* ends it; NULL is fine */

#endif
