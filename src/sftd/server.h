/* SPDX-License-Identifier: MIT */
#ifndef SFTD_SERVER_H
#define SFTD_SERVER_H

/*
 * The server process: builds the parts, serves, drains, stops.
 *
 * Under a supervisor the environment variable SERVER_FDS names three or four
 * descriptors that it inherits: "LISTEN,LIFE,READY,REDIRECT".  The listening
 * socket; the read end of a pipe that ends when the supervisor dies; the write
 * end of a pipe on which one byte says that we serve; and with
 * HTTP_REDIRECT_PORT the socket that listens there.
 *
 * SIGHUP has the certificate read again.
 */

#include "sftd/commands.h"

#define SERVER_FDS "SFTD_FDS"

/* The exit status. */
int server_run(struct commands_input *in);

#endif
