/* SPDX-License-Identifier: MIT */
#ifndef SFTD_HARMLESS_H
#define SFTD_HARMLESS_H

/* Names that others chose, on a person's terminal. */

/* On standard output; what is not printable or not UTF-8 becomes U+FFFD. */
void harmless_print(const char *text);

#endif
