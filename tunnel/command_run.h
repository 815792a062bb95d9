/* SPDX-License-Identifier: MIT */
/*
 * command_run.h - the commands that run the program: from a file, or one service from flags; and the
 * roles of serve and keys, which main starts.
 */
#ifndef TUNNEL_COMMAND_RUN_H
#define TUNNEL_COMMAND_RUN_H

int command_run(int argc, char **argv);
int command_encrypt(int argc, char **argv);
int command_offload(int argc, char **argv);
int command_bridge(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_keys(int argc, char **argv);

#endif
