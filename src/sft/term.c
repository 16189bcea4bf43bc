/* SPDX-License-Identifier: MIT */
#include "sft/term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define ROWS_DEFAULT 24

bool
term_is_live(int fd)
{
	const char *kind = getenv("TERM");

	return isatty(fd) && kind != NULL && kind[0] != '\0' &&
	       strcmp(kind, "dumb") != 0;
}

size_t
term_columns(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

size_t
term_rows(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		return ROWS_DEFAULT;
	return size.ws_row;
}
