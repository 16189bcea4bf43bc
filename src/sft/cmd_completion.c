/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/complete.h"
#include "sft/cli_priv.h"
#include "sft/cmd.h"
#include "sft/out.h"

#define SCRIPT_MAX_BYTES (1024u * 1024)

static void
add(void *arg, const struct command *command, const struct cli_syntax *syntax)
{
	const struct complete_command c = {
		.name = command->name,
		.summary = command->summary,
		.args = syntax->args,
		.options = syntax->options,
	};

	complete_add(arg, &c);
}

static int
print(struct cli *cli, const char *shell, struct buf *script, struct err *err)
{
	json_t *j;
	int rc;

	if (!cli->json)
		return out_text(script, err);
	j = json_pack("{s:s, s:s}", "shell", shell, "script", buf_str(script));
	rc = cli_tell(cli, j, err);
	json_decref(j);
	return rc;
}

static int
run(struct cli *cli, const char *shell, struct err *err)
{
	struct opt globals[CLI_GLOBALS];
	const struct complete_program program = {
		.name = "sft",
		.globals = globals,
		.has_names = true,
	};
	struct complete *c = complete_new(shell, &program);
	struct buf script;
	int rc;

	cli_globals(cli, globals);
	cli_each_syntax(cli->commands, add, c);
	buf_init(&script, SCRIPT_MAX_BYTES);
	complete_write(c, &script);
	rc = print(cli, shell, &script, err);
	buf_fini(&script);
	complete_free(c);
	return rc;
}

int
cmd_completion(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = COMPLETE_SHELLS,
		.about = "Prints the script with which a shell completes the "
		         "command line of sft:\n"
		         "\n"
		         "  bash  eval \"$(sft completion bash)\"\n"
		         "  zsh   eval \"$(sft completion zsh)\"\n"
		         "  fish  sft completion fish | source\n"
		         "\n"
		         "An installation has them where shells look for "
		         "them.\n",
		.min_args = 1,
		.max_args = 1,
	};
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	if (!complete_knows(cli->argv[0]))
		return err_set(err, ERR_USAGE,
		    "there is no completion for '%.64s', but for bash, zsh "
		    "and fish",
		    cli->argv[0]);
	return run(cli, cli->argv[0], err);
}
