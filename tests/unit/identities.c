/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/identities.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/files.h"
#include "tunnel/config.h"
#include "tunnel/service.h"
#include "tunnel/ticket_key.h"

static time_t
in_days(int days)
{
	return time(NULL) + (time_t)days * 24 * 60 * 60;
}

void
identities_make_authority(struct pki_pair *pair, const char *name)
{
	const struct pki_pair_plan plan = {
		.common_name = name, .from = in_days(-10), .until = in_days(10)};
	struct diag diag;

	assert_int_equal(pki_pair_make_authority(pair, &plan, &diag), 0);
}

void
identities_make_leaf(struct pki_pair *pair, const struct pki_pair *authority, const char *host,
	int from, int until)
{
	unsigned char ip[16];
	bool is_ip = inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;
	struct pki_name name;
	const struct pki_pair_plan plan = {
		.common_name = "leaf",
		.from = in_days(from),
		.until = in_days(until),
		.names = &name,
		.name_count = 1,
	};
	struct diag diag;

	assert_int_equal(pki_name_parse(&name, is_ip ? PKI_NAME_IP : PKI_NAME_DNS, host, &diag), 0);
	assert_int_equal(pki_pair_make_leaf(pair, &plan, authority, &diag), 0);
}

static void
add(struct files *files, const char *prefix, const char *name, const void *data, size_t size)
{
	char path[64];
	struct diag diag;

	(void)snprintf(path, sizeof(path), "%s/test/%s", prefix, name);
	assert_int_equal(files_add(files, path, data, size, &diag), 0);
}

void
identities_add(struct files *files, const char *stem, const struct pki_pair *pair)
{
	gnutls_datum_t key, crt;
	char name[48];
	struct diag diag;

	assert_int_equal(pki_pair_export(pair, &key, &crt, &diag), 0);
	(void)snprintf(name, sizeof(name), "%s.crt", stem);
	add(files, "", name, crt.data, crt.size);
	(void)snprintf(name, sizeof(name), "%s.key", stem);
	add(files, "key:", name, key.data, key.size);
	gnutls_free(crt.data);
	gnutls_free(key.data);
}

void
identities_add_leaf(
	struct files *files, const char *stem, const struct pki_pair *authority, const char *host)
{
	struct pki_pair leaf;

	identities_make_leaf(&leaf, authority, host, -1, 1);
	identities_add(files, stem, &leaf);
	pki_pair_release(&leaf);
}

void
identities_add_text(struct files *files, const char *name, const char *data)
{
	add(files, "", name, data, strlen(data));
}

struct config *
identities_config(const char *text)
{
	char name[] = "/test/sallyport.conf", *copy = strdup(text);
	const struct config_text entry = {.name = name, .data = copy, .size = strlen(text)};
	struct config_texts texts = {0};
	struct diag diag;

	assert_int_equal(config_texts_add(&texts, &entry, &diag), 0);
	struct config *config = config_new(&texts, stderr);
	assert_non_null(config);
	config_texts_release(&texts);
	free(copy);
	return config;
}

void
identities_services(const char *text, const struct files *files, struct service **services)
{
	struct config *config = identities_config(text);

	assert_int_equal(services_new(config, files, NULL, services, stderr), 0);
	config_unref(config);
}

void
identities_services_of_ends(const char *text, struct service **services)
{
	static const uint8_t master[TICKET_KEY_SIZE] = {1};
	struct pki_pair authority;
	struct files files = {0};
	struct diag diag;

	identities_make_authority(&authority, "authority");
	identities_add(&files, "ca", &authority);
	identities_add_leaf(&files, "server", &authority, "localhost");
	identities_add_leaf(&files, "client", &authority, "client.example.net");
	identities_add_text(&files, "keys", "west:000102030405060708090a0b0c0d0e0f\n");
	pki_pair_release(&authority);
	assert_int_equal(files_add(&files, TICKET_MASTER_FILE, master, sizeof(master), &diag), 0);
	identities_services(text, &files, services);
	files_release(&files);
}
