/* SPDX-License-Identifier: MIT */
#ifndef SFT_ARGS_H
#define SFT_ARGS_H

/* The command line, copied, so that keys on it can be masked in what the
 * process list shows. */

#include <stdbool.h>

struct args {
	int argc;
	char **argv; /* copies, NULL behind the last */
	char **all;  /* what is to be freed, in whatever order argv is */
	bool *done;  /* of all: what need not be done again */
};

/* Copies the words and writes '*' over the values of "--key" in the
 * originals. */
void args_init(struct args *a, int argc, char **argv);
/* ${word}, one of argv, has been dealt with. */
void args_note_done(struct args *a, const char *word);
/* Wipes and frees. */
void args_fini(struct args *a);

#endif
