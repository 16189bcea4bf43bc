/* SPDX-License-Identifier: MIT */

/* sft, the client: the table of its commands. */

#include <stddef.h>

#include "sft/cli.h"
#include "sft/cmd.h"

/* In the order in which the help shows them. */
static const struct command commands[] = {
	{ "upload", "send files to the server", cmd_upload },
	{ "batch", "send files and folders in one request", cmd_batch },
	{ "download", "fetch files, checked", cmd_download },
	{ "thumbnail", "fetch a small picture of an image", cmd_thumbnail },
	{ "metadata", "show what is known of a file", cmd_metadata },
	{ "ls", "list the files on the server", cmd_ls },
	{ "rm", "remove files from the server", cmd_rm },
	{ "status", "show transfers and the queue", cmd_status },
	{ "queue", "show what moves and what waits", cmd_queue },
	{ "watch", "show changes while they happen", cmd_watch },
	{ "priority", "let what is under way go before others", cmd_priority },
	{ "cancel", "end what is under way for a file", cmd_cancel },
	{ "history", "look back over transfers", cmd_history },
	{ "stats", "show what all transfers add up to", cmd_stats },
	{ "clients", "show who sends and fetches", cmd_clients },
	{ "ping", "ask how good the network is", cmd_ping },
	{ "health", "ask whether the server is well", cmd_health },
	{ "key new", "make an API key", cmd_key_new },
	{ "key list", "list the API keys", cmd_key_list },
	{ "key revoke", "take an API key back", cmd_key_revoke },
	{ "completion", "let a shell complete the line", cmd_completion },
	{ NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct cli cli;
	int rc;

	rc = cli_begin(&cli, commands, argc, argv, &err);
	if (rc == 0 && cli.command != NULL)
		rc = cli.command->run(&cli, &err);
	return cli_end(&cli, rc, &err);
}
