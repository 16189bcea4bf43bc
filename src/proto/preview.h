/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PREVIEW_H
#define PROTO_PREVIEW_H

/*
 * What a preview is, what making one may cost, and how the server
 * (engine/decoder.h) speaks with the program that makes them (preview/):
 * over one stream socket, its descriptor PREVIEW_FD, both on one machine.
 *
 *   program  struct preview_hello          once it is ready
 *   server   'J', with the reading end of a pipe that carries the image
 *   program  struct preview_reply          and ${size} bytes of JPEG
 *
 * One image at a time, in a process of its own (preview/serve.h).  The program
 * may reply before it has read all, and closes the pipe then.
 */

#include <stdint.h>

/* The longest side, in pixels. */
#define PREVIEW_SIDE 256
/* Of an image, as it is stored. */
#define PREVIEW_PIXELS_MAX ((uint64_t)100 * 1000 * 1000)
/* What the program may write to in memory. */
#define PREVIEW_MEMORY_MAX ((uint64_t)256 * 1024 * 1024)
/* For one image: of the processor, and by the clock when somebody waits. */
#define PREVIEW_TIME_MS 10000
/* By the clock at idle priority, where others go first. */
#define PREVIEW_IDLE_TIME_MS 60000
/* Of the JPEG. */
#define PREVIEW_BYTES_MAX ((uint32_t)256 * 1024)

/* "<name>.thumb.jpg": how metadata calls the preview of <name>. */
#define PREVIEW_SUFFIX ".thumb.jpg"

#define PREVIEW_PROGRAM "sft-preview"
/* Its only argument, when it is to give way to everything else. */
#define PREVIEW_IDLE "idle"
#define PREVIEW_FD 0

#define PREVIEW_MAGIC "SFTPREV1"
#define PREVIEW_JOB 'J'

struct preview_hello {
	char magic[8];    /* PREVIEW_MAGIC, without the NUL */
	char version[56]; /* text: who decodes; another one may do better */
};

enum preview_status {
	PREVIEW_MADE,
	PREVIEW_NONE, /* no image, damaged, or beyond a limit */
	PREVIEW_BUSY, /* no process can be had for it now */
};

struct preview_reply {
	uint32_t status;
	uint32_t size; /* 0 unless PREVIEW_MADE */
};

#endif
