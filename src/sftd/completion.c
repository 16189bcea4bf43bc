/* SPDX-License-Identifier: MIT */
#include "sftd/completion.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/settings.h"

static size_t
count(const struct opt *table)
{
	size_t n = 0;

	while (table[n].name != NULL)
		n++;
	return n;
}

void
completion_write(const struct completion_input *in, struct buf *b)
{
	struct opt *settings = settings_options();
	size_t n = count(in->options), m = count(settings);
	struct opt *all = mem_calloc(n + m + 1, sizeof(all[0]));
	const struct complete_program program = {
		.name = "sftd",
		.globals = all,
	};
	struct complete *c = complete_new(in->shell, &program);
	size_t i;

	memcpy(all, in->options, n * sizeof(all[0]));
	memcpy(all + n, settings, m * sizeof(all[0]));
	for (i = 0; i < in->n; i++)
		complete_add(c, &in->commands[i]);
	complete_write(c, b);
	complete_free(c);
	free(all);
	settings_options_free(settings);
}
