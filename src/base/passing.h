/* SPDX-License-Identifier: MIT */
#ifndef BASE_PASSING_H
#define BASE_PASSING_H

/*
 * Reading once, without pushing out of memory what others read again and
 * again: pages of the file that were in the page cache stay there, all others
 * are dropped as soon as they have been read.
 *
 * From its beginning to its end, nothing skipped.
 */

#include "base/source.h"

/* Over ${inner}, which it owns; what offers no extent is given back as it
 * is.  What is in the cache is looked at from here on: open it before other
 * readings of the same file bring pages in. */
struct source *passing_open(struct source *inner);

#endif
