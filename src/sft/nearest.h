/* SPDX-License-Identifier: MIT */
#ifndef SFT_NEAREST_H
#define SFT_NEAREST_H

/* What somebody meant who typed a word wrong. */

#include <stdbool.h>

/* Longer words are like nothing. */
#define NEAREST_MAX 32u

/*
 * How many letters must be put in, left out, changed, or exchanged with their
 * neighbour to make ${a} of ${b}; more than NEAREST_MAX when one is longer
 * than that.
 */
unsigned nearest_distance(const char *a, const char *b);

/* Is ${a} so like ${b} that it may be meant: one mistake in short words, two
 * from six letters on? */
bool nearest_is_like(const char *a, const char *b);

#endif
