/* SPDX-License-Identifier: MIT */
#include "sft/args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEY "--key"

static void
mask(char *word)
{
	memset(word, '*', strlen(word));
}

void
args_init(struct args *a, int argc, char **argv)
{
	size_t n = (size_t)argc;
	bool is_key = false;
	size_t i;

	a->argc = argc;
	a->argv = mem_calloc(n + 1, sizeof(a->argv[0]));
	a->all = mem_calloc(n + 1, sizeof(a->all[0]));
	a->done = mem_calloc(n + 1, sizeof(a->done[0]));
	for (i = 0; i < n; i++) {
		a->all[i] = a->argv[i] = mem_strdup(argv[i]);
		/* Wherever it stands, and however often. */
		if (is_key)
			mask(argv[i]);
		else if (strncmp(argv[i], KEY "=", sizeof(KEY)) == 0)
			mask(argv[i] + sizeof(KEY));
		is_key = strcmp(a->all[i], KEY) == 0;
	}
}

void
args_note_done(struct args *a, const char *word)
{
	int i;

	for (i = 0; i < a->argc; i++) {
		if (a->all[i] == word)
			a->done[i] = true;
	}
}

void
args_fini(struct args *a)
{
	size_t i;

	for (i = 0; a->all[i] != NULL; i++) {
		mem_wipe(a->all[i], strlen(a->all[i]));
		free(a->all[i]);
	}
	free((void *)a->all);
	free(a->done);
	free((void *)a->argv);
}
