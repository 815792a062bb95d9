/* SPDX-License-Identifier: MIT */
/*
 * option_values.h - is a text what an option calls an address, a name, a pattern?
 *
 * Each returns 0, or -1 with words that go behind the quoted value: what is wrong; the remedy.
 */
#ifndef TUNNEL_OPTION_VALUES_H
#define TUNNEL_OPTION_VALUES_H

#include <stdbool.h>

#include "common/defs.h"

struct diag;

/* An address to listen on: never a host name. */
MUST_USE int check_accept(const char *value, struct diag *diag);

/* An address to connect to. */
MUST_USE int check_connect(const char *value, struct diag *diag);

/* A path or pattern whose names can only end in ".conf". */
MUST_USE int check_include(const char *value, struct diag *diag);

/* A host name, or an IP address without brackets. */
MUST_USE int check_peer_name(const char *value, struct diag *diag);

/* A host name that can be sent as SNI (RFC 6066 section 3), which no IP address can. */
MUST_USE int check_server_name(const char *value, struct diag *diag);

/* One or more names and patterns that clients may ask for, see sni in sallyport.conf(5). */
MUST_USE int check_sni(const char *value, struct diag *diag);

/* One to eight names of protocols (RFC 7301) of 1 to 31 bytes, each once. */
MUST_USE int check_alpn(const char *value, struct diag *diag);

/* A rule, see rule.h. */
MUST_USE int check_rule(const char *value, struct diag *diag);

/* A pin, see pin.h. */
MUST_USE int check_pin(const char *value, struct diag *diag);

/* The identity of a pre-shared key. */
MUST_USE int check_psk_identity(const char *value, struct diag *diag);

#endif
