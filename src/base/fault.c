/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"

/* How often the point that SFT_FAULT names was passed. */
static atomic_uint_fast64_t passed;

/* Is ${name} what ${wanted} ("name" or "name:n") names; at which passage? */
static bool
is_wanted(const char *wanted, const char *name, uint64_t *ret_n)
{
	size_t len = strlen(name);

	if (wanted == NULL || strncmp(wanted, name, len) != 0)
		return false;
	*ret_n = 1;
	if (wanted[len] == '\0')
		return true;
	return wanted[len] == ':' &&
	       num_uint(slice_str(wanted + len + 1), UINT64_MAX, ret_n);
}

void
fault_point(const char *name)
{
	uint64_t n;

	if (!is_wanted(getenv("SFT_FAULT"), name, &n))
		return;
	if (atomic_fetch_add(&passed, 1) + 1 != n)
		return;
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause(); /* the signal takes a moment to arrive */
}
