/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_print.h"

#include <stdbool.h>
#include <string.h>

#include "common/defs.h"
#include "common/text.h"
#include "tunnel/certificate.h"

enum { PURPOSES = 20, OID_SIZE = 128, SERIAL_SIZE = 64, DAY = 24 * 60 * 60 };

static void
print_row(FILE *out, const char *field, const char *value)
{
	char head[16];

	(void)snprintf(head, sizeof(head), "%s:", field);
	fprintf(out, "  %-12s %s\n", head, value);
}

static void
print_text(FILE *out, const char *field, const struct text *text)
{
	print_row(out, field, text->start);
	if (text->cut)
		print_row(out, field, "(the line above was cut: it is too long)");
}

static void
print_dn(FILE *out, const char *field, gnutls_x509_crt_t crt,
	int (*write)(gnutls_x509_crt_t crt, struct text *text))
{
	char array[CERTIFICATE_NAME_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	if (write(crt, &text) < 0)
		text_add(&text, "(malformed)");
	if (text.length == 0)
		text_add(&text, "(empty)");
	print_text(out, field, &text);
}

static void
print_names(FILE *out, gnutls_x509_crt_t crt)
{
	char array[CERTIFICATE_NAME_SIZE];
	struct text text;
	unsigned count = 0;

	text_init(&text, array, sizeof(array));
	while (count < PKI_PRINT_NAMES && certificate_name(crt, count, &text) == 0) {
		print_text(out, "name", &text);
		text_init(&text, array, sizeof(array));
		count++;
	}
	if (count == 0)
		print_row(out, "name", "(none)");
	if (count == PKI_PRINT_NAMES && certificate_name(crt, count, &text) == 0)
		print_row(out, "name", "(and more)");
}

static void
print_serial(FILE *out, gnutls_x509_crt_t crt)
{
	unsigned char serial[SERIAL_SIZE];
	size_t size = sizeof(serial);
	char array[3 * SERIAL_SIZE + 1];
	struct text text;

	text_init(&text, array, sizeof(array));
	if (gnutls_x509_crt_get_serial(crt, serial, &size) < 0)
		size = 0;
	for (size_t i = 0; i < size; i++)
		text_format(&text, "%s%02x", i ? ":" : "", serial[i]);
	print_row(out, "serial", size ? array : "(malformed)");
}

/* @oid comes from the certificate. */
static void
add_purpose(struct text *text, const char *oid)
{
	static const struct {
		const char *oid, *name;
	} known[] = {
		{GNUTLS_KP_TLS_WWW_SERVER, "serverAuth"},
		{GNUTLS_KP_TLS_WWW_CLIENT, "clientAuth"},
		{GNUTLS_KP_CODE_SIGNING, "codeSigning"},
		{GNUTLS_KP_EMAIL_PROTECTION, "emailProtection"},
		{GNUTLS_KP_TIME_STAMPING, "timeStamping"},
		{GNUTLS_KP_OCSP_SIGNING, "OCSPSigning"},
		{GNUTLS_KP_ANY, "any"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].oid, oid) == 0) {
			text_add(text, known[i].name);
			return;
		}
	}
	text_escape(text, oid, strlen(oid));
}

static void
print_purposes(FILE *out, gnutls_x509_crt_t crt)
{
	char array[PURPOSES * OID_SIZE], oid[OID_SIZE];
	struct text text;
	size_t size = sizeof(oid);
	unsigned count = 0;
	int ret;

	text_init(&text, array, sizeof(array));
	while (ret = gnutls_x509_crt_get_key_purpose_oid(crt, count, oid, &size, NULL),
		ret >= 0 && count < PURPOSES) {
		text_add(&text, count ? ", " : "");
		add_purpose(&text, oid);
		size = sizeof(oid);
		count++;
	}
	if (ret != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
		text_add(&text, count ? ", (and more)" : "(malformed)");
	print_row(out, "purposes", text.length ? array : "any (not restricted)");
}

static void
print_algorithms(FILE *out, gnutls_x509_crt_t crt)
{
	char array[128];
	struct text text;
	unsigned bits = 0;
	int algorithm = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
	int signature = gnutls_x509_crt_get_signature_algorithm(crt);
	const char *key_name = NULL, *signature_name = NULL;

	if (algorithm > 0)
		key_name = gnutls_pk_algorithm_get_name((gnutls_pk_algorithm_t)algorithm);
	if (signature > 0)
		signature_name = gnutls_sign_get_name((gnutls_sign_algorithm_t)signature);
	text_init(&text, array, sizeof(array));
	text_add(&text, key_name ? key_name : "unknown");
	if (key_name)
		text_format(&text, ", %u bits", bits);
	print_row(out, "key", array);
	print_row(out, "signature", signature_name ? signature_name : "unknown");
}

static const char *
plural(long days)
{
	return days == 1 ? "day" : "days";
}

static void
print_period(FILE *out, gnutls_x509_crt_t crt, time_t now)
{
	time_t from = gnutls_x509_crt_get_activation_time(crt);
	time_t until = gnutls_x509_crt_get_expiration_time(crt);
	long to_begin = (long)((from - now + DAY - 1) / DAY);
	long left = (long)((until - now) / DAY);

	fprintf(out, "  %-12s ", "from:");
	pki_print_time(from, out);
	if (from > now)
		fprintf(out, " (begins in %ld %s)", to_begin, plural(to_begin));
	fprintf(out, "\n  %-12s ", "until:");
	pki_print_time(until, out);
	if (until < now) {
		fprintf(out, " (expired %ld %s ago)\n", -left, plural(-left));
	} else {
		fprintf(out, " (%ld %s left)\n", left, plural(left));
	}
}

static void
print_authority(FILE *out, gnutls_x509_crt_t crt)
{
	unsigned is_critical, is_ca = 0;
	int path_length = -1;
	char array[64];

	if (gnutls_x509_crt_get_basic_constraints(crt, &is_critical, &is_ca, &path_length) < 0)
		is_ca = 0;
	(void)snprintf(array, sizeof(array), "yes, path length %d", path_length);
	if (!is_ca) {
		print_row(out, "authority", "no");
	} else {
		print_row(out, "authority", path_length >= 0 ? array : "yes");
	}
}

static void
print_pin(FILE *out, gnutls_x509_crt_t crt)
{
	char array[CERTIFICATE_PIN_SIZE];
	struct text text;

	text_init(&text, array, sizeof(array));
	if (certificate_pin(crt, &text) < 0)
		text_add(&text, "(malformed)");
	print_row(out, "pin", array);
}

void
pki_print_certificate(gnutls_x509_crt_t crt, time_t now, FILE *out)
{
	print_dn(out, "subject", crt, certificate_subject);
	print_dn(out, "issuer", crt, certificate_issuer);
	print_names(out, crt);
	print_serial(out, crt);
	print_purposes(out, crt);
	print_algorithms(out, crt);
	print_period(out, crt, now);
	print_authority(out, crt);
	print_pin(out, crt);
}

void
pki_print_time(time_t time, FILE *out)
{
	char array[64];
	struct tm parts;

	if (time == (time_t)-1 || !gmtime_r(&time, &parts) ||
		strftime(array, sizeof(array), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		(void)snprintf(array, sizeof(array), "(malformed)");
	fputs(array, out);
}
