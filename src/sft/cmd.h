/* SPDX-License-Identifier: MIT */
#ifndef SFT_CMD_H
#define SFT_CMD_H

/* The commands, each as struct command's run() (cli.h). */

#include "sft/cli.h"

int cmd_completion(struct cli *cli, struct err *err);
int cmd_upload(struct cli *cli, struct err *err);
int cmd_batch(struct cli *cli, struct err *err);
int cmd_download(struct cli *cli, struct err *err);
int cmd_status(struct cli *cli, struct err *err);
int cmd_thumbnail(struct cli *cli, struct err *err);
int cmd_cancel(struct cli *cli, struct err *err);
int cmd_ls(struct cli *cli, struct err *err);
int cmd_rm(struct cli *cli, struct err *err);
int cmd_queue(struct cli *cli, struct err *err);
int cmd_watch(struct cli *cli, struct err *err);
int cmd_priority(struct cli *cli, struct err *err);
int cmd_history(struct cli *cli, struct err *err);
int cmd_stats(struct cli *cli, struct err *err);
int cmd_clients(struct cli *cli, struct err *err);
int cmd_metadata(struct cli *cli, struct err *err);
int cmd_ping(struct cli *cli, struct err *err);
int cmd_health(struct cli *cli, struct err *err);
int cmd_key_new(struct cli *cli, struct err *err);
int cmd_key_list(struct cli *cli, struct err *err);
int cmd_key_revoke(struct cli *cli, struct err *err);

#endif
