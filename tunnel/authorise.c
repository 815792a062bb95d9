/* SPDX-License-Identifier: MIT */
#include "tunnel/authorise.h"

#include <assert.h>
#include <gnutls/x509.h>
#include <string.h>

#include "common/address.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/credentials.h"
#include "tunnel/trust.h"
#include "tunnel/verdict.h"

enum { CHAIN_MAX = 16 };

struct chain {
	gnutls_x509_crt_t crts[CHAIN_MAX];
	unsigned count;
};

static void
refuse(struct judgement *judgement, gnutls_alert_description_t alert, const char *words)
{
	judgement->authorised = false;
	judgement->alert = alert;
	judgement->words = words;
}

static void
chain_release(struct chain *chain)
{
	while (chain->count > 0)
		gnutls_x509_crt_deinit(chain->crts[--chain->count]);
}

/* Parse the @count certificates that the peer sent. Returns 0, or -1. */
static int
chain_parse(struct chain *chain, const gnutls_datum_t *certificates, unsigned count)
{
	if (count > CHAIN_MAX)
		return -1;
	while (chain->count < count) {
		gnutls_x509_crt_t crt;

		if (gnutls_x509_crt_init(&crt))
			return -1;
		if (gnutls_x509_crt_import(crt, &certificates[chain->count], GNUTLS_X509_FMT_DER)) {
			gnutls_x509_crt_deinit(crt);
			return -1;
		}
		chain->crts[chain->count++] = crt;
	}
	return 0;
}

/* Set @element to the name that the certificate of a connecting end's peer must bear. */
static void
name_element(gnutls_typed_vdata_st *element, const char *name, unsigned char ip[16])
{
	unsigned ip_size = address_ip_bytes(name, ip);

	if (ip_size > 0) {
		*element = (gnutls_typed_vdata_st){
			.type = GNUTLS_DT_IP_ADDRESS, .data = ip, .size = ip_size};
	} else {
		*element = (gnutls_typed_vdata_st){
			.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)(uintptr_t)name};
	}
}

/* Judge the chain: trust, dates, profile, purpose, and name. */
static void
judge_chain(struct judgement *judgement, struct chain *chain)
{
	const struct credentials *credentials = judgement->credentials;
	const char *purpose = credentials->side == SIDE_ACCEPT ? GNUTLS_KP_TLS_WWW_CLIENT
							       : GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st elements[2] = {
		{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)(uintptr_t)purpose}};
	unsigned element_count = 1, status = 0;
	unsigned char ip[16];

	assert(!credentials->peer_name_wanted || judgement->name);
	if (credentials->peer_name_wanted)
		name_element(&elements[element_count++], judgement->name, ip);
	if (gnutls_x509_trust_list_verify_crt2(credentials->trust->list, chain->crts, chain->count,
		    elements, element_count, credentials->verify_flags, &status, NULL)) {
		refuse(judgement, GNUTLS_A_BAD_CERTIFICATE,
			"the certificate chain cannot be verified");
		return;
	}

	struct verdict verdict = verdict_of_status(status);
	judgement->authorised = verdict.good;
	if (!verdict.good)
		refuse(judgement, verdict.alert, verdict.words);
}

/* The peer showed no certificate. */
static void
judge_nobody(gnutls_session_t session, struct judgement *judgement)
{
	const struct tls_config *config = judgement->credentials->config;

	if (judgement->credentials->side == SIDE_ACCEPT && config->verify != VERIFY_YES) {
		judgement->authorised = true;
		return;
	}
	refuse(judgement,
		gnutls_protocol_get_version(session) == GNUTLS_TLS1_3
			? GNUTLS_A_CERTIFICATE_REQUIRED
			: GNUTLS_A_HANDSHAKE_FAILURE,
		"the peer showed no certificate");
}

static void
judge(gnutls_session_t session, struct judgement *judgement)
{
	unsigned count = 0;
	const gnutls_datum_t *certificates = gnutls_certificate_get_peers(session, &count);
	struct chain chain = {.count = 0};
	char identity[CERTIFICATE_IDENTITY_SIZE + 16];
	struct text text;

	if (!certificates || count == 0) {
		judge_nobody(session, judgement);
		return;
	}
	if (chain_parse(&chain, certificates, count)) {
		refuse(judgement, GNUTLS_A_BAD_CERTIFICATE,
			"the certificate chain cannot be parsed");
		chain_release(&chain);
		return;
	}
	text_init(&text, identity, sizeof(identity));
	if (judgement->credentials->config->verify == VERIFY_NO)
		text_add(&text, "unverified ");
	certificate_identity(chain.crts[0], &text);
	judgement->identity = strdup(identity);
	if (judgement->credentials->config->verify == VERIFY_NO)
		judgement->authorised = true;
	else
		judge_chain(judgement, &chain);
	chain_release(&chain);
}

bool
authorise(gnutls_session_t session, struct judgement *judgement)
{
	if (!judgement->judged) {
		judgement->judged = true;
		judge(session, judgement);
	}
	return judgement->authorised;
}

int
authorise_callback(gnutls_session_t session)
{
	struct judgement *judgement = gnutls_session_get_ptr(session);

	return authorise(session, judgement) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}
