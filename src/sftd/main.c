/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "sftd/commands.h"
#include "sftd/identity.h"
#include "sftd/secrecy.h"

/* What works on a server's directory does so as its user. */
static int
run(struct commands_input *in)
{
	struct err e = ERR_INIT;

	if (in->serves || identity_assume(&in->settings, &e) == 0)
		return in->run(in);
	(void)fprintf(stderr, "sftd: %s\n", e.msg);
	return COMMANDS_FAILED;
}

int
main(int argc, char **argv)
{
	struct commands_input in;
	int status;

	secrecy_no_dumps();
	if (commands_parse(argc, argv, &in, &status) < 0)
		return status;
	status = run(&in);
	commands_fini(&in);
	return status;
}
