/* SPDX-License-Identifier: MIT */
#include "engine/priority.h"

#include <string.h>

#include "engine/session.h"

int
priority_set(struct engine *e, const struct principal *who,
    const char *filename, int priority, struct err *err)
{
	unsigned idle;

	if (strncmp(filename, who->prefix, strlen(who->prefix)) != 0)
		return err_set(err, ERR_FORBIDDEN,
		    "this key may only change names that begin with '%s'",
		    who->prefix);
	if (sessions_set_priority(e->sessions, filename, priority, &idle, err) <
	    0)
		return -1;
	if (idle + transfers_set_priority(e->transfers, filename, priority) > 0)
		return 0;
	return err_set(err, ERR_NO_ACTIVE_TRANSFER,
	    "nothing is under way for '%s'", filename);
}
