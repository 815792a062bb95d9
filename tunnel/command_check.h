/* SPDX-License-Identifier: MIT */
/*
 * command_check.h - `sallyport check -c FILE`: is this configuration good, without starting anything?
 */
#ifndef TUNNEL_COMMAND_CHECK_H
#define TUNNEL_COMMAND_CHECK_H

int command_check(int argc, char **argv);

#endif
