/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sftd/commands.h"
#include "sftd/secrecy.h"

int
main(int argc, char **argv)
{
	struct commands_input in;
	int status;

	secrecy_no_dumps();
	if (commands_parse(argc, argv, &in, &status) < 0)
		return status;
	status = in.run(&in);
	commands_fini(&in);
	return status;
}
