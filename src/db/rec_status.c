/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "db/rec_transfer.h"

static const struct {
	const char *name;
	bool is_ended;
} states[] = {
	[REC_QUEUED] = { "queued", false },
	[REC_UPLOADING] = { "uploading", false },
	[REC_DOWNLOADING] = { "downloading", false },
	[REC_COMPLETED] = { "completed", true },
	[REC_FAILED] = { "failed", true },
	[REC_CANCELLED] = { "cancelled", true },
	[REC_INTERRUPTED] = { "interrupted", true },
};

_Static_assert(sizeof(states) / sizeof(states[0]) == REC_STATUS_COUNT,
    "a row for every state");

const char *
rec_status_name(enum rec_status s)
{
	return states[s].name;
}

bool
rec_status_of_name(const char *name, enum rec_status *ret)
{
	int i;

	for (i = 0; i < REC_STATUS_COUNT; i++) {
		if (strcmp(states[i].name, name) == 0) {
			*ret = (enum rec_status)i;
			return true;
		}
	}
	return false;
}

bool
rec_status_is_ended(enum rec_status s)
{
	return states[s].is_ended;
}
