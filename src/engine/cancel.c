/* SPDX-License-Identifier: MIT */
#include "engine/cancel.h"

#include <string.h>

#include "engine/session.h"

int
cancel_name(struct engine *e, const struct principal *who, const char *filename,
    unsigned *ret_count, struct err *err)
{
	unsigned n;

	if (strncmp(filename, who->prefix, strlen(who->prefix)) != 0)
		return err_set(err, ERR_FORBIDDEN,
		    "this key may only cancel names that begin with '%s'",
		    who->prefix);
	/* Sessions first: they end their own transfers. */
	n = sessions_cancel(e->sessions, filename);
	n += transfers_cancel(e->transfers, filename);
	if (n == 0)
		return err_set(err, ERR_NO_ACTIVE_TRANSFER,
		    "nothing is under way for '%s'", filename);
	*ret_count = n;
	return 0;
}
