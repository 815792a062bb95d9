/* SPDX-License-Identifier: MIT */
/*
 * command_pki.h - `sallyport pki`: make an authority and certificates, and look at them.
 *
 * Enough for the two ends of a pair and for a laboratory, not a replacement of a real authority: no
 * intermediates, keys in plain files.
 */
#ifndef TUNNEL_COMMAND_PKI_H
#define TUNNEL_COMMAND_PKI_H

/*
 * Run the sub-command that @argv asks for; argv[0] is "pki". Returns the exit status of
 * tunnel/command.h; but for EXIT_ENDED with words on standard error.
 */
int command_pki(int argc, char **argv);

#endif
