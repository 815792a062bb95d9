/* SPDX-License-Identifier: MIT */
/*
 * command.h - what every sub-command has in common.
 */
#ifndef TUNNEL_COMMAND_H
#define TUNNEL_COMMAND_H

/* The program's exit status, the same for every command. */
enum {
	EXIT_ENDED =
		0, /* done as asked; a service that drained: every tunnel came to its own end */
	EXIT_FAILED =
		1,	/* bad configuration, an error at run time, or tunnels aborted at the end */
	EXIT_USAGE = 2, /* the command line was not understood */
};

/* One sub-command: argv[0] is its name. Returns the exit status. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis; /* its arguments; NULL: for the program itself or for packagers */
	const char *summary;
};

/*
 * End a command that has printed: what nobody could read was not done. Returns @code, or EXIT_FAILED in
 * place of EXIT_ENDED after words on standard error.
 */
int command_finish(int code);

#endif
