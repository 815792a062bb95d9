/* SPDX-License-Identifier: MIT */
/*
 * environment.h - which variables of the environment the program, and so each of its processes, keeps.
 *
 * Libraries read variables that change what they do: GnuTLS would write session keys to the file
 * SSLKEYLOGFILE and take its limits from GNUTLS_*. What is kept is listed; all else goes. Whoever starts
 * the program chooses which PKCS#11 modules it loads anyway, so variables that say where these have their
 * tokens are kept; p11-kit's own, for debugging and for other module directories, are not.
 */
#ifndef TUNNEL_ENVIRONMENT_H
#define TUNNEL_ENVIRONMENT_H

/* Forget every variable that is not on the list. */
void environment_clean(void);

#endif
