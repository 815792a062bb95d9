/* SPDX-License-Identifier: MIT */
/*
 * trail.h - every directory and name through which opening a path goes, symbolic links included.
 *
 *	/etc/app/tls.crt -> ..data/tls.crt, where /etc/app/..data -> ..2026_11
 *
 *	/ etc, /etc app, /etc/app tls.crt, /etc/app ..data, /etc/app ..2026_11, /etc/app/..2026_11 tls.crt
 *
 * Whatever is done to one of these may change what is found at the path; nothing else can, but writing
 * into the file itself.
 */
#ifndef TUNNEL_TRAIL_H
#define TUNNEL_TRAIL_H

/* A step: @name in @directory, which has no links in it. NULL: every name in @directory counts. */
typedef void trail_step(void *user, const char *directory, const char *name);

/*
 * Call @step with @user for each step of @path, up to the first that is not there. If a directory is at the
 * end, its members count too, and where those that are links lead to.
 */
void trail_walk(const char *path, trail_step *step, void *user);

#endif
