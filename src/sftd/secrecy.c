/* SPDX-License-Identifier: MIT */
#include "sftd/secrecy.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/mem.h"

void
secrecy_no_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
}

void
secrecy_hide(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
}

void
secrecy_show(void)
{
	(void)prctl(PR_SET_DUMPABLE, 1);
}

static void
forget(char **text)
{
	if (*text == NULL)
		return;
	mem_wipe(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void
forget_variable(const char *name)
{
	char *text = getenv(name);

	if (text == NULL)
		return;
	mem_wipe(text, strlen(text));
	(void)unsetenv(name);
}

void
secrecy_forget_keys(struct settings *s)
{
	forget(&s->encryption_key);
	forget(&s->encryption_key_previous);
	forget_variable("ENCRYPTION_KEY");
	forget_variable("ENCRYPTION_KEY_PREVIOUS");
}
