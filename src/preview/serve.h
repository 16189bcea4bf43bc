/* SPDX-License-Identifier: MIT */
#ifndef PREVIEW_SERVE_H
#define PREVIEW_SERVE_H

/* The program's side of proto/preview.h. */

/* Until the server hangs up: the exit status. */
int serve(int fd);

#endif
