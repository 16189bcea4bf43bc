/* SPDX-License-Identifier: MIT */
#include "storage/storage.h"

#include <string.h>

#include "storage/backends_priv.h"

static const struct storage_ops *const backends[] = {
	&storage_local_ops,
	&storage_mem_ops,
};

/* What follows "${scheme}:" in ${url}, NULL when that is not its scheme. */
static const char *
rest_after(const char *url, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncmp(url, scheme, n) != 0 || url[n] != ':')
		return NULL;
	return url + n + 1;
}

int
storage_open(const char *url, struct storage **ret_st, struct err *err)
{
	const char *rest;
	size_t i;

	for (i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		rest = rest_after(url, backends[i]->scheme);
		if (rest != NULL)
			return backends[i]->open(rest, ret_st, err);
	}
	return err_set(err, ERR_SETTING,
	    "no storage is called '%s': there is 'file:' with a path", url);
}

void
storage_close(struct storage *st)
{
	if (st != NULL)
		st->ops->close(st);
}
