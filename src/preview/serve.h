/* SPDX-License-Identifier: MIT */
#ifndef PREVIEW_SERVE_H
#define PREVIEW_SERVE_H

/*
 * The program's side of proto/preview.h.  It never looks into an image itself:
 * each has a process of its own, forked for it, which shuts the jail's door,
 * decodes, and hands its reply up a pipe.  Whoever takes that process over
 * with an image has that one image, no way to the server, and no time after
 * its reply.
 */

/* Until the server hangs up: the exit status. */
int serve(int fd);

#endif
