/* SPDX-License-Identifier: MIT */
/*
 * command_print.h - the commands that print what the program knows of its options.
 */
#ifndef TUNNEL_COMMAND_PRINT_H
#define TUNNEL_COMMAND_PRINT_H

/* `sallyport print-config -c FILE`: every option's effective value and where it came from. */
int command_print_config(int argc, char **argv);

/* The marked part of sallyport.conf(5), and conf.d/sample.conf, as the table of options has them. */
int command_print_manual(int argc, char **argv);
int command_print_sample(int argc, char **argv);

#endif
