/* SPDX-License-Identifier: MIT */
#ifndef SFT_ARGS_H
#define SFT_ARGS_H

/* The command line, copied, so that keys on it can be masked in what the
 * process list shows. */

struct args {
	int argc;
	char **argv; /* copies, NULL behind the last */
	char **all;  /* what is to be freed, in whatever order argv is */
};

/* Copies the words and writes '*' over the values of "--key" in the
 * originals. */
void args_init(struct args *a, int argc, char **argv);
/* Wipes and frees. */
void args_fini(struct args *a);

#endif
