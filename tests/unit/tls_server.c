/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/tls_server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/loopback.h"
#include "tunnel/pki_pair.h"

enum { PATIENCE = 10000 /* ms */ };

/* Nothing in the thread may fail the test: what goes wrong is seen in what came of it. */
static gnutls_certificate_credentials_t
new_credentials(const struct tls_server_plan *plan)
{
	gnutls_certificate_credentials_t credentials = NULL;
	gnutls_x509_crt_t chain[2] = {plan->leaf->crt, plan->issuer ? plan->issuer->crt : NULL};

	if (gnutls_certificate_allocate_credentials(&credentials) == 0)
		(void)gnutls_certificate_set_x509_key(
			credentials, chain, plan->issuer ? 2 : 1, plan->leaf->key);
	return credentials;
}

static void
hear_out(struct tls_server *server, gnutls_session_t session)
{
	char bytes[64];
	size_t size = sizeof(server->name) - 1;
	unsigned type;
	ssize_t got;

	if (gnutls_server_name_get(session, server->name, &size, &type, 0) < 0)
		server->name[0] = '\0';
	(void)gnutls_certificate_get_peers(session, &server->chain_size);
	while (got = gnutls_record_recv(session, bytes, sizeof(bytes)), got > 0)
		server->heard += (unsigned)got;
	server->ended = got == 0;
}

static void
shake_hands(struct tls_server *server, int fd)
{
	const struct tls_server_plan *plan = &server->plan;
	gnutls_certificate_credentials_t made = plan->credentials ? NULL : new_credentials(plan);
	gnutls_session_t session;

	if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) < 0)
		return;
	if (plan->priority) {
		(void)gnutls_priority_set_direct(session, plan->priority, NULL);
	} else {
		(void)gnutls_set_default_priority(session);
	}
	(void)gnutls_credentials_set(
		session, GNUTLS_CRD_CERTIFICATE, made ? made : plan->credentials);
	gnutls_certificate_server_set_request(session, plan->asks);
	gnutls_handshake_set_timeout(session, PATIENCE);
	gnutls_transport_set_int(session, fd);
	do
		server->handshake = gnutls_handshake(session);
	while (server->handshake < 0 && !gnutls_error_is_fatal(server->handshake));
	if (server->handshake == 0) {
		hear_out(server, session);
	} else {
		(void)gnutls_alert_send_appropriate(session, server->handshake);
	}
	gnutls_deinit(session);
	if (made)
		gnutls_certificate_free_credentials(made);
}

/* A hello that was not read would turn the end into a reset, in which what was said is lost. */
static void
babble(const char *words, int fd)
{
	char bytes[2048];

	if (recv(fd, bytes, sizeof(bytes), 0) > 0)
		(void)send(fd, words, strlen(words), MSG_NOSIGNAL);
}

static void *
serve(void *data)
{
	struct tls_server *server = data;
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && server->plan.babble) {
		babble(server->plan.babble, fd);
	} else if (fd >= 0) {
		shake_hands(server, fd);
	}
	(void)close(fd);
	return NULL;
}

void
tls_server_start(struct tls_server *server, const struct tls_server_plan *plan)
{
	*server = (struct tls_server){.plan = *plan, .handshake = GNUTLS_E_AGAIN};
	server->listener = loopback_listen(0, &server->address);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	server->runs = true;
}

void
tls_server_join(struct tls_server *server)
{
	if (!server->runs)
		return;
	server->runs = false;
	/* Wakes the server if no client ever came. */
	(void)shutdown(server->listener, SHUT_RDWR);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->listener);
}
