/* SPDX-License-Identifier: MIT */

/* What a new key may be like, whoever asks for it. */

#include <stdlib.h>

#include "base/utf8.h"
#include "engine/auth.h"
#include "proto/filename.h"
#include "proto/limits.h"

static int
bad(const char *field, const char *wanted, struct err *err)
{
	return err_set(
	    err, ERR_INVALID_PARAMETER, "'%s' must be %s", field, wanted);
}

static int
check_name(const char *name, struct err *err)
{
	struct slice rest = slice_str(name);
	uint32_t cp;
	size_t n;

	if (rest.n > LIMIT_KEY_NAME)
		return bad("name", "a text of at most 128 bytes", err);
	while (rest.n > 0) {
		n = utf8_next(rest, &cp);
		if (n == 0 || !utf8_is_printable(cp))
			return bad("name", "of printable characters", err);
		rest = (struct slice){ rest.p + n, rest.n - n };
	}
	return 0;
}

/* "team-a/": a name, or the beginning of one. */
static int
check_prefix(const char *prefix, struct err *err)
{
	struct slice s = slice_str(prefix);
	char *name = NULL;
	bool same;

	if (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	if (filename_normalise(s, &name, err) < 0)
		return -1;
	same = slice_eq_str(s, name);
	free(name);
	if (!same)
		return bad("prefix", "in Unicode normalisation form C", err);
	return 0;
}

int
auth_check_new(const struct auth_new_key *nk, struct err *err)
{
	if (nk->name != NULL && check_name(nk->name, err) < 0)
		return -1;
	if (nk->prefix != NULL && check_prefix(nk->prefix, err) < 0)
		return -1;
	/* It could make itself a key without one. */
	if (nk->prefix != NULL && (nk->scopes & AUTH_ADMIN) != 0)
		return bad("prefix", "absent from a key that is admin", err);
	return 0;
}
