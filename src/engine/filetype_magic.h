/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_FILETYPE_MAGIC_H
#define ENGINE_FILETYPE_MAGIC_H

/* The magic file in pieces, in the language of magic(5); NULL ends it. */
extern const char *const filetype_magic[];

#endif
