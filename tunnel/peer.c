/* SPDX-License-Identifier: MIT */
#include "tunnel/peer.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/pin.h"

enum { SERIAL_LIMIT = 256 }; /* RFC 5280 section 4.1.2.2 allows 20 octets; some use more */

/* Encodings of names that are wider than a byte, by their tags (X.680 section 8.4). */
enum { TAG_UNIVERSAL_STRING = 28, TAG_BMP_STRING = 30 };

enum { UTF8_MAX = 4 }; /* bytes of a character */

static const char alternative_names_oid[] = "2.5.29.17";

/* Make room for one more fact in the list. */
static int
grow(struct peer *peer)
{
	size_t room = peer->room ? 2 * peer->room : 16;
	struct fact *list;

	if (peer->facts.count < peer->room)
		return 0;
	list = arena_alloc(&peer->arena, room, sizeof(*list));
	if (!list)
		return -1;
	if (peer->facts.count > 0)
		memcpy(list, peer->list, peer->facts.count * sizeof(*list));
	peer->list = list;
	peer->facts.list = list;
	peer->room = room;
	return 0;
}

static int
add(struct peer *peer, enum fact_kind kind, const void *bytes, size_t size)
{
	if (peer->facts.count >= PEER_FACTS_LIMIT || size > PEER_BYTES_LIMIT - peer->size ||
		grow(peer) < 0)
		return -1;
	uint8_t *copy = arena_alloc(&peer->arena, size + 1, 1);
	if (!copy)
		return -1;
	if (size > 0)
		memcpy(copy, bytes, size);
	peer->list[peer->facts.count++] = (struct fact){.kind = kind, .size = size, .bytes = copy};
	peer->size += size;
	return 0;
}

/* Write @character to @utf8. Returns how many bytes it took (RFC 3629 section 3). */
static size_t
encode(uint32_t character, uint8_t utf8[UTF8_MAX])
{
	static const uint8_t marks[UTF8_MAX + 1] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t size = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--) {
		utf8[i] = (uint8_t)(0x80 | (character & 0x3f));
		character >>= 6;
	}
	utf8[0] = (uint8_t)(marks[size] | character);
	return size;
}

/* Add a name of characters of @width bytes each. */
static int
add_wide(struct peer *peer, enum fact_kind kind, const gnutls_datum_t *name, size_t width)
{
	size_t size = 0, count = name->size / width;
	int ret = -1;

	if (name->size % width != 0 || name->size > PEER_BYTES_LIMIT)
		return -1;
	uint8_t *utf8 = malloc(count * UTF8_MAX + 1);
	if (!utf8)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint32_t character = 0;

		for (size_t j = 0; j < width; j++)
			character = character << 8 | name->data[i * width + j];
		if (character > 0x10ffff)
			goto out;
		size += encode(character, utf8 + size);
	}
	ret = add(peer, kind, utf8, size);
out:
	free(utf8);
	return ret;
}

/* GnuTLS counts the NUL behind an OID as one of its bytes. */
static bool
is_oid(const gnutls_datum_t *bytes, const char *oid)
{
	size_t length = strnlen((const char *)bytes->data, bytes->size);

	return length == strlen(oid) && memcmp(bytes->data, oid, length) == 0;
}

/* Add one part of the subject, if it is of a type that rules ask for. */
static int
add_attribute(struct peer *peer, const gnutls_x509_ava_st *attribute)
{
	static const struct {
		const char *oid;
		enum fact_kind kind;
	} types[] = {
		{GNUTLS_OID_X520_COMMON_NAME, FACT_CN},
		{GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, FACT_OU},
		{GNUTLS_OID_X520_ORGANIZATION_NAME, FACT_O},
	};
	const gnutls_datum_t *value = &attribute->value;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!is_oid(&attribute->oid, types[i].oid))
			continue;
		if (attribute->value_tag == TAG_BMP_STRING)
			return add_wide(peer, types[i].kind, value, 2);
		if (attribute->value_tag == TAG_UNIVERSAL_STRING)
			return add_wide(peer, types[i].kind, value, 4);
		return add(peer, types[i].kind, value->data, value->size);
	}
	return 0;
}

/* A name is a sequence of sets, and the end of each is told by the same error. */
static int
add_subject(struct peer *peer, gnutls_x509_crt_t crt)
{
	gnutls_x509_ava_st attribute;
	gnutls_x509_dn_t dn;
	int set = 0, ret;

	if (gnutls_x509_crt_get_subject(crt, &dn) < 0)
		return -1;
	for (int in_set = 0;; in_set++) {
		ret = gnutls_x509_dn_get_rdn_ava(dn, set, in_set, &attribute);
		if (ret == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND) {
			if (in_set == 0)
				return 0;
			set++;
			in_set = -1;
		} else if (ret < 0 || add_attribute(peer, &attribute) < 0) {
			return -1;
		}
	}
}

static int
add_name(struct peer *peer, unsigned type, const gnutls_datum_t *name)
{
	static const struct {
		unsigned type;
		enum fact_kind kind;
	} kinds[] = {
		{GNUTLS_SAN_DNSNAME, FACT_DNS},
		{GNUTLS_SAN_URI, FACT_URI},
		{GNUTLS_SAN_IPADDRESS, FACT_IP},
		{GNUTLS_SAN_RFC822NAME, FACT_EMAIL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type == type)
			return add(peer, kinds[i].kind, name->data, name->size);
	}
	return 0;
}

static int
add_all(struct peer *peer, gnutls_subject_alt_names_t names)
{
	gnutls_datum_t name, oid;
	unsigned type;

	for (unsigned i = 0;; i++) {
		int ret = gnutls_subject_alt_names_get(names, i, &type, &name, &oid);

		if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return 0;
		if (ret < 0 || add_name(peer, type, &name) < 0)
			return -1;
	}
}

static int
add_alternative_names(struct peer *peer, gnutls_x509_crt_t crt)
{
	gnutls_subject_alt_names_t names;
	gnutls_datum_t der = {NULL, 0};
	int ret = gnutls_x509_crt_get_extension_by_oid2(crt, alternative_names_oid, 0, &der, NULL);

	if (ret == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		return 0;
	if (ret < 0)
		return -1;
	ret = gnutls_subject_alt_names_init(&names);
	if (ret == 0) {
		ret = gnutls_x509_ext_import_subject_alt_names(&der, names, 0);
		if (ret == 0)
			ret = add_all(peer, names);
		gnutls_subject_alt_names_deinit(names);
	}
	gnutls_free(der.data);
	return ret < 0 ? -1 : 0;
}

static int
add_serial(struct peer *peer, gnutls_x509_crt_t crt)
{
	uint8_t serial[SERIAL_LIMIT];
	size_t size = sizeof(serial), zeros = 0;

	if (gnutls_x509_crt_get_serial(crt, serial, &size) < 0)
		return -1;
	while (zeros < size && serial[zeros] == 0)
		zeros++;
	return add(peer, FACT_SERIAL, serial + zeros, size - zeros);
}

static int
add_issuer(struct peer *peer, gnutls_x509_crt_t crt)
{
	char array[CERTIFICATE_NAME_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	if (certificate_issuer(crt, &text) < 0 || text.cut)
		return -1;
	return add(peer, FACT_ISSUER, array, text.length);
}

static int
add_pin(struct peer *peer, gnutls_x509_crt_t crt)
{
	uint8_t pin[PIN_SIZE];
	size_t size = sizeof(pin);

	if (gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, pin, &size) < 0)
		return -1;
	return add(peer, FACT_PIN, pin, size);
}

void
peer_init(struct peer *peer, const struct endpoint *from)
{
	*peer = (struct peer){.facts = {.from = from}};
}

int
peer_add_certificate(struct peer *peer, gnutls_x509_crt_t crt)
{
	static int (*const steps[])(struct peer * peer, gnutls_x509_crt_t crt) = {
		add_subject,
		add_alternative_names,
		add_serial,
		add_issuer,
		add_pin,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i](peer, crt) < 0)
			return -1;
	}
	return 0;
}

/* By the same way as for a certificate, so that a key has one pin however it comes. */
int
peer_add_key(struct peer *peer, const gnutls_datum_t *info)
{
	uint8_t pin[PIN_SIZE];
	size_t size = sizeof(pin);
	gnutls_pubkey_t key;

	if (gnutls_pubkey_init(&key) < 0)
		return -1;
	int ret = gnutls_pubkey_import(key, info, GNUTLS_X509_FMT_DER);
	if (ret == 0)
		ret = gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, pin, &size);
	gnutls_pubkey_deinit(key);
	return ret < 0 ? -1 : add(peer, FACT_PIN, pin, size);
}

int
peer_add_psk(struct peer *peer, const char *identity)
{
	return add(peer, FACT_PSK, identity, strlen(identity));
}

void
peer_release(struct peer *peer)
{
	arena_release(&peer->arena);
	*peer = (struct peer){.size = 0};
}
