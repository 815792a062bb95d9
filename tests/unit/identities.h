/* SPDX-License-Identifier: MIT */
/*
 * identities.h - certificates for tests, and configurations that name them, without a file on the disk.
 *
 * The configuration is "/test/sallyport.conf", so "cert = server.crt" in it is "/test/server.crt".
 */
#ifndef TESTS_UNIT_IDENTITIES_H
#define TESTS_UNIT_IDENTITIES_H

#include "tunnel/pki_pair.h"

struct config;
struct files;
struct service;

/* Make an authority called @name. The caller frees it with pki_pair_release(), as every pair here. */
void identities_make_authority(struct pki_pair *pair, const char *name);

/*
 * Make the certificate of @host, a DNS name or an IP, signed by @authority; valid from @from until @until,
 * in days from now.
 */
void identities_make_leaf(struct pki_pair *pair, const struct pki_pair *authority, const char *host,
	int from, int until);

/* Add @pair to @files as "/test/STEM.crt" and "key:/test/STEM.key", as main would. */
void identities_add(struct files *files, const char *stem, const struct pki_pair *pair);

/* Make the certificate of @host, as above and good today, and add it to @files as @stem. */
void identities_add_leaf(
	struct files *files, const char *stem, const struct pki_pair *authority, const char *host);

/* Add the text @data to @files as "/test/NAME". */
void identities_add_text(struct files *files, const char *name, const char *data);

/* The configuration of @text, which is without errors. The caller drops it with config_unref(). */
struct config *identities_config(const char *text);

/*
 * Make the services of @text and @files, which are without errors, into @services, which has room for them
 * all. The caller drops each with service_unref().
 */
void identities_services(const char *text, const struct files *files, struct service **services);

/*
 * The same with what both ends of a tunnel need: the authority "ca", "server" for localhost and "client" for
 * client.example.net, each .crt and .key, the pre-shared "keys" of "west", and a master of ticket keys.
 */
void identities_services_of_ends(const char *text, struct service **services);

#endif
