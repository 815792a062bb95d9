/* SPDX-License-Identifier: MIT */
#include "tunnel/certificate.h"

#include <arpa/inet.h>
#include <gnutls/x509-ext.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/text.h"

/* In a string of RFC 4514 a backslash always escapes already, so only what is unprintable is left. */
static void
add_dn(struct text *text, const gnutls_datum_t *dn)
{
	for (unsigned i = 0; i < dn->size; i++) {
		if (dn->data[i] < ' ' || dn->data[i] > '~') {
			text_format(text, "\\%02X", dn->data[i]);
		} else {
			text_add_char(text, (char)dn->data[i]);
		}
	}
}

static int
add_dn_of(gnutls_x509_crt_t crt, struct text *text,
	int (*get)(gnutls_x509_crt_t crt, gnutls_datum_t *dn, unsigned flags))
{
	gnutls_datum_t dn = {NULL, 0};
	int ret = get(crt, &dn, 0);

	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	if (ret < 0)
		return -1;
	add_dn(text, &dn);
	gnutls_free(dn.data);
	return 0;
}

/* Escape so that the result is one word. */
static void
add_word(struct text *text, const gnutls_datum_t *bytes)
{
	for (unsigned i = 0; i < bytes->size; i++) {
		if (bytes->data[i] == ' ') {
			text_add(text, "\\x20");
		} else {
			text_escape(text, &bytes->data[i], 1);
		}
	}
}

static void
add_ip(struct text *text, const gnutls_datum_t *ip)
{
	char array[INET6_ADDRSTRLEN];

	if (ip->size != 4 && ip->size != 16) {
		add_word(text, ip);
		return;
	}
	inet_ntop(ip->size == 4 ? AF_INET : AF_INET6, ip->data, array, sizeof(array));
	text_add(text, array);
}

static void
add_name(struct text *text, unsigned type, const gnutls_datum_t *name)
{
	static const struct {
		unsigned type;
		const char *prefix;
	} prefixes[] = {
		{GNUTLS_SAN_DNSNAME, "dns:"},
		{GNUTLS_SAN_IPADDRESS, "ip:"},
		{GNUTLS_SAN_URI, "uri:"},
		{GNUTLS_SAN_RFC822NAME, "email:"},
		{GNUTLS_SAN_DN, "dn:"},
	};
	const char *prefix = "other:";

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (prefixes[i].type == type)
			prefix = prefixes[i].prefix;
	}
	text_add(text, prefix);
	if (type == GNUTLS_SAN_IPADDRESS) {
		add_ip(text, name);
	} else {
		add_word(text, name);
	}
}

static int
import_names(gnutls_x509_crt_t crt, gnutls_subject_alt_names_t names)
{
	gnutls_datum_t der = {NULL, 0};
	int ret = gnutls_x509_crt_get_extension_by_oid2(crt, "2.5.29.17", 0, &der, NULL);

	if (ret < 0)
		return -1;
	ret = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
	gnutls_free(der.data);
	return ret < 0 ? -1 : 0;
}

/* Append what @part holds, and say it when it was cut. */
static void
add_part(struct text *text, const struct text *part)
{
	text_add(text, part->start);
	if (part->cut)
		text_add(text, "...");
}

int
certificate_subject(gnutls_x509_crt_t crt, struct text *text)
{
	return add_dn_of(crt, text, gnutls_x509_crt_get_dn3);
}

int
certificate_issuer(gnutls_x509_crt_t crt, struct text *text)
{
	return add_dn_of(crt, text, gnutls_x509_crt_get_issuer_dn3);
}

int
certificate_name(gnutls_x509_crt_t crt, unsigned index, struct text *text)
{
	gnutls_subject_alt_names_t names;
	gnutls_datum_t name, oid;
	unsigned type;
	int ret = -1;

	if (gnutls_subject_alt_names_init(&names) < 0)
		return -1;
	if (import_names(crt, names) == 0 &&
		gnutls_subject_alt_names_get(names, index, &type, &name, &oid) == 0) {
		add_name(text, type, &name);
		ret = 0;
	}
	gnutls_subject_alt_names_deinit(names);
	return ret;
}

int
certificate_pin(gnutls_x509_crt_t crt, struct text *text)
{
	uint8_t hash[32];
	size_t size = sizeof(hash);
	gnutls_datum_t raw = {hash, sizeof(hash)}, encoded;

	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, hash, &size) < 0)
		return -1;
	if (gnutls_base64_encode2(&raw, &encoded) < 0)
		return -1;
	text_format(text, "sha256:%.*s", (int)encoded.size, (const char *)encoded.data);
	gnutls_free(encoded.data);
	return 0;
}

void
certificate_identity(gnutls_x509_crt_t crt, struct text *text)
{
	enum { PART = CERTIFICATE_IDENTITY_SIZE / 2 - 4 }; /* two "...", a space and the NUL */
	char name_array[PART], subject_array[PART];
	struct text name, subject;

	text_init(&name, name_array, sizeof(name_array));
	text_init(&subject, subject_array, sizeof(subject_array));
	bool named = certificate_name(crt, 0, &name) == 0;
	if (certificate_subject(crt, &subject) < 0)
		text_add(&subject, "unreadable");
	if (!named && subject.length == 0)
		text_add(&subject, "unnamed");
	add_part(text, &name);
	if (named && subject.length > 0)
		text_add_char(text, ' ');
	add_part(text, &subject);
}
