/* SPDX-License-Identifier: MIT */

/* sft-preview: makes previews of images for sftd, which starts it; people have
 * no use for it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "preview/decode.h"
#include "preview/jail.h"
#include "preview/serve.h"
#include "proto/preview.h"

static int
fail(const char *why)
{
	(void)fprintf(stderr, PREVIEW_PROGRAM ": %s\n", why);
	return EXIT_FAILURE;
}

static bool
is_socket(int fd)
{
	socklen_t n = sizeof(int);
	int type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0;
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts(PREVIEW_PROGRAM " " SFT_VERSION) < 0;
	if (!is_socket(PREVIEW_FD))
		return fail("this is started by sftd, to make previews");
	if (argc == 2 && strcmp(argv[1], PREVIEW_IDLE) == 0)
		jail_give_way();
	if (decode_init(argv[0], &e) < 0 || jail_enter(&e) < 0)
		return fail(e.msg);
	/* Without what libraries would still like to do at the end. */
	_exit(serve(PREVIEW_FD));
}
