/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_live.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/diag.h"
#include "tunnel/peer_key.h"
#include "tunnel/tls_words.h"

enum {
	ADDRESS_WAIT = 3000, /* ms for an address that is not the last one */
	REFUSAL_WAIT = 1000, /* ms: longer than a round trip to any server that is worth a tunnel */
	CHAIN_LIMIT = 64,
};

/* The tunnel's versions and ciphers, but no profile: what is too weak is to be shown, then judged. */
static const char priority[] =
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"
	"+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-ALL:+GROUP-X25519:"
	"+GROUP-SECP256R1:+GROUP-SECP384R1:%PROFILE_VERY_WEAK";

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Did one of @events come before @deadline? */
static bool
wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd poller = {.fd = fd, .events = events};
	int64_t left;
	int ready = 0;

	while (left = deadline - now_ms(), ready <= 0 && left > 0) {
		ready = poll(&poller, 1, (int)left);
		if (ready < 0 && errno != EINTR)
			break;
	}
	return ready > 0;
}

static int
connect_within(int fd, const struct sockaddr *address, socklen_t length, int64_t deadline)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (connect(fd, address, length) == 0)
		return 0;
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (!wait_until(fd, POLLOUT, deadline)) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

/* Returns a connected socket, or -1 with errno. */
static int
dial_one(const struct sockaddr *address, socklen_t length, int64_t deadline)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect_within(fd, address, length, deadline) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
dial_name(struct pki_live *live, const struct address *address, struct diag *diag)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	char port[8];

	(void)snprintf(port, sizeof(port), "%u", (unsigned)address->port);
	int ret = getaddrinfo(address->host, port, &hints, &list);
	if (ret != 0) {
		return diag_set(
			diag, "%s", ret == EAI_SYSTEM ? strerror(errno) : gai_strerror(ret));
	}
	for (struct addrinfo *info = list; info && live->fd < 0; info = info->ai_next) {
		int64_t deadline = now_ms() + ADDRESS_WAIT;

		if (!info->ai_next || deadline > live->deadline)
			deadline = live->deadline;
		live->fd = dial_one(info->ai_addr, info->ai_addrlen, deadline);
	}
	int saved = errno;
	freeaddrinfo(list);
	return live->fd < 0 ? diag_set(diag, "connect: %s", strerror(saved)) : 0;
}

static int
dial(struct pki_live *live, const struct address *address, struct diag *diag)
{
	struct endpoint endpoint;

	if (address->kind == ADDRESS_NAME)
		return dial_name(live, address, diag);
	address_endpoint(address, &endpoint);
	live->fd = dial_one(&endpoint.any, endpoint.length, live->deadline);
	return live->fd < 0 ? diag_set(diag, "connect: %s", strerror(errno)) : 0;
}

/* Returns 0 and adds to the chain what can be read, and nothing else: GnuTLS leaves the rest half made. */
static int
keep_certificate(struct pki_live *live, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t *crt = &live->chain[live->chain_count];
	int ret = gnutls_x509_crt_init(crt);

	if (ret < 0)
		return ret;
	ret = gnutls_x509_crt_import(*crt, der, GNUTLS_X509_FMT_DER);
	if (ret < 0) {
		gnutls_x509_crt_deinit(*crt);
		return ret;
	}
	live->chain_count++;
	return 0;
}

/* Returns 0, or -1 with words: the handshake ends here. */
static int
keep_chain(struct pki_live *live, const gnutls_datum_t *list, unsigned count, struct diag *diag)
{
	if (!list || count > CHAIN_LIMIT)
		return diag_set(diag, "the server sent no certificate, or too many");
	live->chain = calloc(count, sizeof(gnutls_x509_crt_t));
	if (!live->chain)
		return diag_set(diag, "there is no memory for the server's certificates");
	for (unsigned i = 0; i < count; i++) {
		int ret = keep_certificate(live, &list[i]);
		if (ret < 0) {
			return diag_set(diag, "certificate %u of the server cannot be read: %s",
				i + 1, tls_words(ret).text);
		}
	}
	const char *words = peer_key_refusal(&list[0], GNUTLS_CRT_X509);
	return words ? diag_set(diag, "%s", words) : 0;
}

/* Keep the chain as soon as it is there, since the handshake may fail later. */
static int
on_chain(gnutls_session_t session)
{
	struct pki_live *live = gnutls_session_get_ptr(session);
	unsigned count = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);

	if (live->chain)
		return 0;
	return keep_chain(live, list, count, &live->refusal) < 0 ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

/* In TLS 1.3 a signature is checked before the chain is asked about. */
static int
on_signature(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	(void)type;
	(void)when;
	(void)message;
	return incoming ? on_chain(session) : 0;
}

static int
load_credentials(struct pki_live *live, const struct pki_live_request *request, struct diag *diag)
{
	int ret = gnutls_certificate_allocate_credentials(&live->credentials);

	if (ret < 0)
		return diag_set(diag, "credentials: %s", tls_words(ret).text);
	gnutls_certificate_set_verify_function(live->credentials, on_chain);
	if (!request->cert)
		return 0;
	ret = gnutls_certificate_set_x509_key_mem2(
		live->credentials, request->cert, request->key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (ret < 0)
		return diag_set(diag, "certificate and key: %s", tls_words(ret).text);
	return 0;
}

static int
prepare(struct pki_live *live, const struct pki_live_request *request, struct diag *diag)
{
	int ret;

	if (load_credentials(live, request, diag) < 0)
		return -1;
	if ((ret = gnutls_init(&live->session,
		     GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL |
			     GNUTLS_FORCE_CLIENT_CERT)) < 0 ||
		(ret = gnutls_priority_set_direct(live->session, priority, NULL)) < 0 ||
		(ret = gnutls_credentials_set(
			 live->session, GNUTLS_CRD_CERTIFICATE, live->credentials)) < 0)
		return diag_set(diag, "TLS: %s", tls_words(ret).text);
	if (request->server_name) {
		ret = gnutls_server_name_set(live->session, GNUTLS_NAME_DNS, request->server_name,
			strlen(request->server_name));
		if (ret < 0)
			return diag_set(diag, "server name: %s", tls_words(ret).text);
	}
	gnutls_session_set_ptr(live->session, live);
	gnutls_handshake_set_hook_function(
		live->session, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, GNUTLS_HOOK_PRE, on_signature);
	gnutls_transport_set_int(live->session, live->fd);
	return 0;
}

static int
set_tls_error(struct pki_live *live, int error, struct diag *diag)
{
	if (live->refusal.text[0])
		return diag_set(diag, "%s", live->refusal.text);
	switch (error) {
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		return diag_set(diag, "the server sent the alert \"%s\"",
			tls_alert_words((int)gnutls_alert_get(live->session)));
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return diag_set(diag, "the server cut the connection without saying why");
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET:
	case GNUTLS_E_RECORD_OVERFLOW:
		return diag_set(diag, "the server's answer is not TLS (is this a TLS port?)");
	default:
		return diag_set(diag, "%s", tls_words(error).text);
	}
}

/* May a call that answered @error, which is not fatal, be repeated? Waits for what it waits for. */
static bool
may_repeat(struct pki_live *live, int error, int64_t deadline)
{
	short events = gnutls_record_get_direction(live->session) ? POLLOUT : POLLIN;

	if (error != GNUTLS_E_AGAIN)
		return now_ms() < deadline;
	return wait_until(live->fd, events, deadline);
}

static int
shake_hands(struct pki_live *live, struct diag *diag)
{
	int ret;

	while (ret = gnutls_handshake(live->session), ret < 0) {
		if (gnutls_error_is_fatal(ret))
			return set_tls_error(live, ret, diag);
		if (!may_repeat(live, ret, live->deadline)) {
			return diag_set(
				diag, "the server did not finish within %d s", PKI_LIVE_SECONDS);
		}
	}
	return 0;
}

int
pki_live_open(struct pki_live *live, const struct pki_live_request *request, struct diag *diag)
{
	*live = (struct pki_live){
		.fd = -1, .deadline = now_ms() + (int64_t)PKI_LIVE_SECONDS * 1000};
	if (dial(live, request->address, diag) < 0 || prepare(live, request, diag) < 0)
		return -1;
	return shake_hands(live, diag) < 0 ? diag_prefix(diag, "handshake") : 0;
}

int
pki_live_hear_refusal(struct pki_live *live, struct diag *diag)
{
	int64_t deadline = now_ms() + REFUSAL_WAIT;
	char byte;
	ssize_t ret;

	if (deadline > live->deadline)
		deadline = live->deadline;
	while (ret = gnutls_record_recv(live->session, &byte, 1), ret < 0) {
		if (gnutls_error_is_fatal((int)ret))
			return set_tls_error(live, (int)ret, diag);
		if (!may_repeat(live, (int)ret, deadline))
			return 0;
	}
	return 0;
}

void
pki_live_close(struct pki_live *live)
{
	for (unsigned i = 0; i < live->chain_count; i++)
		gnutls_x509_crt_deinit(live->chain[i]);
	free(live->chain);
	if (live->session) {
		/* A clean end for a server that took us; one that did not listens no more. */
		(void)gnutls_bye(live->session, GNUTLS_SHUT_WR);
		gnutls_deinit(live->session);
	}
	if (live->credentials)
		gnutls_certificate_free_credentials(live->credentials);
	if (live->fd >= 0)
		close(live->fd);
	*live = (struct pki_live){.fd = -1};
}
