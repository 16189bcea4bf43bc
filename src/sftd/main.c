/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "sftd/commands.h"

int
main(int argc, char **argv)
{
	struct commands_input in;
	int status;

	if (commands_parse(argc, argv, &in, &status) < 0)
		return status;
	status = in.run(&in);
	commands_fini(&in);
	return status;
}
