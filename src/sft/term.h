/* SPDX-License-Identifier: MIT */
#ifndef SFT_TERM_H
#define SFT_TERM_H

/* What is known about the terminal behind a descriptor. */

#include <stdbool.h>
#include <stddef.h>

/* A terminal on which a line can be drawn anew (TERM is not "dumb")? */
bool term_is_live(int fd);

/* Asked anew at each call, so a window that changed its size is seen at the
 * next drawing.  80 and 24 when the terminal does not say. */
size_t term_columns(int fd);
size_t term_rows(int fd);

#endif
