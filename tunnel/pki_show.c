/* SPDX-License-Identifier: MIT */
#include "configured.h"

#include "tunnel/pki_show.h"

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/address.h"
#include "common/diag.h"
#include "common/files.h"
#include "common/text.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_live.h"
#include "tunnel/pki_print.h"
#include "tunnel/tls_words.h"
#include "tunnel/verdict.h"

enum { NAME_SIZE = 256 };

/* A server to look at, and what is needed to judge it. */
struct visit {
	const struct pki_arguments *arguments;
	struct address address;
	const char *peer_name;	 /* NULL: any name will do */
	const char *server_name; /* NULL: none is sent */
	const char *ca;
	struct files files;
	gnutls_datum_t cert, key, anchors;
};

static void
print_row(const char *field, const char *value)
{
	char head[24];

	(void)snprintf(head, sizeof(head), "%s:", field);
	printf("%-14s %s\n", head, value);
}

static void
print_chain(gnutls_x509_crt_t *chain, unsigned count)
{
	time_t now = time(NULL);

	for (unsigned i = 0; i < count; i++) {
		printf("certificate %u of %u:\n", i + 1, count);
		pki_print_certificate(chain[i], now, stdout);
	}
}

static int
import_file(const struct file *file, gnutls_x509_crt_t **chain, unsigned *count, struct diag *diag)
{
	const gnutls_datum_t data = {file->data, (unsigned)file->size};
	bool is_pem = strstr((const char *)file->data, "-----BEGIN ") != NULL;
	int ret = gnutls_x509_crt_list_import2(
		chain, count, &data, is_pem ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER, 0);

	if (ret >= 0 && *count > 0)
		return 0;
	if (ret >= 0 || ret == GNUTLS_E_NO_CERTIFICATE_FOUND) {
		return diag_set(diag, "%s: there is no certificate in it%s", file->path,
			strstr((const char *)file->data, "PRIVATE KEY-----") ? ", but a private key"
									     : "");
	}
	return diag_set(diag, "%s: %s", file->path, tls_words(ret).text);
}

static int
show_file(const char *path, struct diag *diag)
{
	struct files files = {0};
	gnutls_x509_crt_t *chain = NULL;
	unsigned count = 0;
	int ret = EXIT_FAILED;

	if (files_read(&files, path, diag) < 0 ||
		import_file(files_find(&files, path), &chain, &count, diag) < 0)
		goto out;
	print_chain(chain, count);
	for (unsigned i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	ret = EXIT_ENDED;
out:
	files_release(&files);
	return ret;
}

static void
borrow_file(const struct files *files, const char *path, gnutls_datum_t *data)
{
	const struct file *file = files_find(files, path);

	*data = (gnutls_datum_t){file->data, (unsigned)file->size};
}

static int
read_files(struct visit *visit, struct diag *diag)
{
	const char *cert = visit->arguments->cert;
	const char *key = visit->arguments->key ? visit->arguments->key : cert;

	if (files_read(&visit->files, visit->ca, diag) < 0)
		return diag_prefix(diag, "trust anchors");
	if (cert && files_read_private(&visit->files, key, diag) < 0)
		return diag_prefix(diag, "private key");
	if (cert && files_read(&visit->files, cert, diag) < 0)
		return diag_prefix(diag, "certificate");
	borrow_file(&visit->files, visit->ca, &visit->anchors);
	if (cert) {
		borrow_file(&visit->files, cert, &visit->cert);
		borrow_file(&visit->files, key, &visit->key);
	}
	return 0;
}

/* Write @name into @bytes in the form that GnuTLS compares: a host name, or an address in binary. */
static gnutls_typed_vdata_st
expected_name(const char *name, unsigned char bytes[NAME_SIZE])
{
	unsigned size = address_ip_bytes(name, bytes);

	if (size > 0)
		return (gnutls_typed_vdata_st){GNUTLS_DT_IP_ADDRESS, bytes, size};
	(void)snprintf((char *)bytes, NAME_SIZE, "%s", name);
	return (gnutls_typed_vdata_st){GNUTLS_DT_DNS_HOSTNAME, bytes, 0};
}

static int
judge(const struct visit *visit, const struct pki_live *live, unsigned *status, struct diag *diag)
{
	unsigned flags = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
	static unsigned char purpose[] = GNUTLS_KP_TLS_WWW_SERVER;
	unsigned char name[NAME_SIZE];
	gnutls_typed_vdata_st data[2] = {{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = purpose}};
	unsigned count = 1;
	gnutls_x509_trust_list_t list;

	if (visit->peer_name)
		data[count++] = expected_name(visit->peer_name, name);
	int ret = gnutls_x509_trust_list_init(&list, 0);

	if (ret < 0)
		return diag_set(diag, "trust anchors: %s", tls_words(ret).text);
	ret = gnutls_x509_trust_list_add_trust_mem(
		list, &visit->anchors, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (ret <= 0) {
		(void)diag_set(diag, "trust anchors: %s: %s", visit->ca,
			ret < 0 ? tls_words(ret).text : "there is no certificate in it");
		goto out;
	}
	ret = gnutls_x509_trust_list_verify_crt2(
		list, live->chain, live->chain_count, data, count, flags, status, NULL);
	if (ret < 0) {
		(void)diag_set(diag, "verify: %s", tls_words(ret).text);
	} else {
		ret = 1;
	}
out:
	gnutls_x509_trust_list_deinit(list, 1);
	return ret > 0 ? 0 : -1;
}

/* Show whether the chain verifies, and put what is wrong into @diag. Returns 0 or -1. */
static int
show_verdict(const struct visit *visit, const struct pki_live *live, struct diag *diag)
{
	char array[DIAG_SIZE];
	struct text text;
	unsigned status = 0;

	text_init(&text, array, sizeof(array));
	if (judge(visit, live, &status, diag) < 0)
		return -1;
	if (status == 0) {
		text_format(&text, "yes, by %s", visit->ca);
		if (visit->peer_name) {
			text_format(&text, ", for \"%s\"", visit->peer_name);
		} else {
			text_add(&text, ", whatever its name");
		}
		print_row("verifies", array);
		return 0;
	}
	text_add(&text, "no: ");
	verdict_print(status, &text);
	print_row("verifies", array);
	return diag_set(diag, "%s", array + strlen("no: "));
}

static const char *
or_unknown(const char *name)
{
	return name ? name : "unknown";
}

static void
show_session(gnutls_session_t session)
{
	print_row("version",
		or_unknown(gnutls_protocol_get_name(gnutls_protocol_get_version(session))));
	print_row("cipher", or_unknown(gnutls_ciphersuite_get(session)));
	print_row("group", or_unknown(gnutls_group_get_name(gnutls_group_get(session))));
	print_row("ALPN", "none");
}

/* Known as soon as the server's chain is, and often the reason of what fails behind it. */
static void
show_our_certificate(gnutls_session_t session)
{
	bool is_asked = gnutls_certificate_client_get_request_status(session) != 0;
	const char *shown =
		gnutls_certificate_get_ours(session) ? "asked for, shown" : "asked for, none shown";

	print_row("our cert", is_asked ? shown : "not asked for");
}

/* In TLS 1.2 a server that refuses us does so within the handshake. */
static bool
may_refuse_late(gnutls_session_t session)
{
	return gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3 &&
		gnutls_certificate_client_get_request_status(session) != 0;
}

/* Everything that can be said, each part whether or not the one before went well. */
static int
show_live(const struct visit *visit, struct pki_live *live, struct diag *diag)
{
	const struct pki_live_request request = {
		.address = &visit->address,
		.server_name = visit->server_name,
		.cert = visit->cert.data ? &visit->cert : NULL,
		.key = &visit->key,
	};
	struct diag refusal;
	int opened = pki_live_open(live, &request, diag), ret = opened;

	print_row("server", visit->arguments->operands[0]);
	if (opened == 0) {
		show_session(live->session);
	} else {
		print_row("failed", diag->text);
	}
	if (live->chain_count > 0)
		show_our_certificate(live->session);
	print_chain(live->chain, live->chain_count);
	if (live->chain_count > 0 && show_verdict(visit, live, opened < 0 ? &refusal : diag) < 0)
		ret = -1;
	if (opened == 0 && may_refuse_late(live->session) &&
		pki_live_hear_refusal(live, &refusal) < 0) {
		print_row("refused", refusal.text);
		ret = ret < 0 ? ret : diag_set(diag, "%s", refusal.text);
	}
	return ret;
}

static int
visit_server(struct visit *visit, struct diag *diag)
{
	struct pki_live live = {.fd = -1};
	int ret = -1;

	if (read_files(visit, diag) == 0)
		ret = show_live(visit, &live, diag);
	pki_live_close(&live);
	files_release(&visit->files);
	return ret < 0 ? EXIT_FAILED : EXIT_ENDED;
}

static bool
is_ip(const char *name)
{
	unsigned char ip[16];

	return address_ip_bytes(name, ip) > 0;
}

/* "none" stands for no name, no name for @standard. */
static const char *
name_or(const char *name, const char *standard)
{
	if (!name)
		return standard;
	return strcmp(name, "none") == 0 ? NULL : name;
}

static int
show_server(const struct pki_arguments *arguments, struct diag *diag)
{
	struct visit visit = {.arguments = arguments};

	if (address_parse(&visit.address, arguments->operands[0], false, diag) < 0) {
		(void)diag_prefix(diag, "there is no such file");
		return EXIT_FAILED;
	}
	if (visit.address.kind == ADDRESS_UNIX && !arguments->peer_name) {
		(void)diag_set(diag, "a UNIX socket has no host name: add --peer-name");
		return EXIT_USAGE;
	}
	if (arguments->key && !arguments->cert) {
		(void)diag_set(diag, "--key needs --cert");
		return EXIT_USAGE;
	}
	visit.ca = arguments->ca ? arguments->ca : SYSTEM_TRUST_FILE;
	visit.peer_name = name_or(arguments->peer_name, visit.address.host);
	visit.server_name = visit.peer_name && !is_ip(visit.peer_name) ? visit.peer_name : NULL;
	visit.server_name = name_or(arguments->server_name, visit.server_name);
	return visit_server(&visit, diag);
}

int
pki_show(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *what = arguments->operands[0];
	bool has_options = arguments->ca || arguments->cert || arguments->key ||
		arguments->peer_name || arguments->server_name;
	struct stat status;
	int code;

	if (stat(what, &status) == 0 && !has_options)
		return show_file(what, diag);
	if (stat(what, &status) == 0) {
		(void)diag_set(diag, "%s is a file: the options are for a server", what);
		return EXIT_USAGE;
	}
	code = show_server(arguments, diag);
	if (code != EXIT_ENDED)
		(void)diag_prefix(diag, "%s", what);
	return code;
}
