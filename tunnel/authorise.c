/* SPDX-License-Identifier: MIT */
#include "tunnel/authorise.h"

#include <assert.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#include "common/address.h"
#include "common/text.h"
#include "tunnel/acquaintance.h"
#include "tunnel/alpn.h"
#include "tunnel/certificate.h"
#include "tunnel/chain.h"
#include "tunnel/credentials.h"
#include "tunnel/ocsp.h"
#include "tunnel/peer.h"
#include "tunnel/peer_key.h"
#include "tunnel/policy.h"
#include "tunnel/revocation.h"
#include "tunnel/trust.h"
#include "tunnel/verdict.h"
#include "tunnel/verified.h"

/* A peer that is being judged. */
struct judging {
	gnutls_session_t session;
	struct judgement *judgement;
	const struct credentials *credentials;
	time_t now;
	const gnutls_datum_t *certificates; /* as the peer sent them */
	unsigned certificate_count;
	gnutls_certificate_type_t type; /* of them */
	struct chain chain;		/* empty until it is needed */
	struct path path;		/* the same */
	struct acquaintance
		*acquaintance;	 /* of a certificate; NULL until it was read or recalled */
	bool is_verified;	 /* the chain was, lately, by these credentials */
	struct verified_key key; /* of the chain, where those that verified are remembered */
	struct peer peer;	 /* of any other peer */
	struct facts facts;	 /* of either, and the client's address */
};

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

/* Verify the chain: trust, dates, profile, purpose, and name. */
static struct verdict
verify_chain(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;
	const char *purpose = credentials->side == SIDE_ACCEPT ? GNUTLS_KP_TLS_WWW_CLIENT
							       : GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st elements[2] = {
		{.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)(uintptr_t)purpose}};
	unsigned element_count = 1, status = 0;
	unsigned char ip[16];

	if (credentials->peer_name_wanted)
		name_element(&elements[element_count++], judging->judgement->name, ip);
	if (gnutls_x509_trust_list_verify_crt2(credentials->trust->list, judging->chain.crts,
		    judging->chain.count, elements, element_count, credentials->verify_flags,
		    &status, NULL)) {
		return verdict_bad(
			GNUTLS_A_BAD_CERTIFICATE, "the certificate chain cannot be verified");
	}
	return verdict_of_status(status);
}

static int
parse_chain(struct judging *judging)
{
	if (judging->chain.count > 0)
		return 0;
	return chain_parse(&judging->chain, judging->certificates, judging->certificate_count);
}

/* The path to the anchor, found once. */
static int
find_path(struct judging *judging)
{
	if (judging->path.count > 0)
		return 0;
	if (parse_chain(judging))
		return -1;
	return path_find(&judging->path, &judging->chain, judging->credentials->trust);
}

/* Without authorities the key is what is believed, but not for longer than its owner said. */
static struct verdict
judge_dates(const struct judging *judging)
{
	gnutls_x509_crt_t crt = judging->chain.crts[0];
	unsigned status = 0;

	if (gnutls_x509_crt_get_expiration_time(crt) < judging->now)
		status |= GNUTLS_CERT_EXPIRED;
	if (gnutls_x509_crt_get_activation_time(crt) > judging->now)
		status |= GNUTLS_CERT_NOT_ACTIVATED;
	return verdict_of_status(status);
}

static struct verdict
judge_chain(struct judging *judging)
{
	if (!judging->credentials->trust)
		return judge_dates(judging);
	if (judging->is_verified)
		return verdict_good;
	struct verdict verdict = verify_chain(judging);
	if (verdict.good && judging->credentials->verified && find_path(judging) == 0) {
		verified_add(judging->credentials->verified, &judging->key, judging->acquaintance,
			judging->now, path_expiry(&judging->path));
	}
	return verdict;
}

static struct verdict
judge_revocation(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;

	if (!credentials->revocation)
		return verdict_good;
	if (find_path(judging))
		return verdict_bad(GNUTLS_A_UNKNOWN_CA,
			"the issuers of the certificate, whose lists are wanted, are not known");
	return revocation_judge(credentials->revocation, judging->path.crts, judging->path.count,
		credentials->config->crl_missing, judging->now);
}

static struct verdict
judge_staple(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;

	if (credentials->side != SIDE_CONNECT || !credentials->trust ||
		credentials->config->ocsp == OCSP_OFF)
		return verdict_good;
	if (!ocsp_came(judging->session))
		return ocsp_judge_missing(
			judging->acquaintance->must_staple, credentials->config->ocsp);
	if (find_path(judging))
		return verdict_bad(GNUTLS_A_UNKNOWN_CA,
			"the issuer of the certificate, whose OCSP status is wanted, is not known");
	return ocsp_judge(judging->session, judging->path.crts, judging->path.count, judging->now);
}

static struct verdict
judge_pins(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;

	if (!credentials->trust && credentials->policy.pin_count == 0)
		return verdict_bad(GNUTLS_A_UNKNOWN_CA, "there is nothing to verify it by");
	return policy_judge_pins(&credentials->policy, &judging->facts);
}

static struct verdict
judge_rules(struct judging *judging)
{
	return policy_judge_rules(
		&judging->credentials->policy, &judging->facts, &judging->judgement->rule);
}

/* What is judged of each kind of peer, in this order, up to the first that refuses. NULL ends it. */
typedef struct verdict judge_step(struct judging *judging);

static judge_step *const certificate_steps[] = {
	judge_chain, judge_revocation, judge_staple, judge_pins, judge_rules, NULL};
static judge_step *const key_steps[] = {judge_pins, judge_rules, NULL};
static judge_step *const other_steps[] = {judge_rules, NULL};

/* Take @steps, by what is known from @peer. */
static struct verdict
take_steps(struct judging *judging, const struct peer *peer, judge_step *const *steps)
{
	struct verdict verdict = verdict_good;

	judging->facts = peer->facts;
	judging->facts.from = judging->judgement->from;
	for (; *steps && verdict.good; steps++)
		verdict = (*steps)(judging);
	return verdict;
}

/* Is a signature by the peer's key checked in bounded time? That of a chain that was verified is. Found once. */
static struct verdict
judge_key(const struct judging *judging)
{
	struct judgement *judgement = judging->judgement;
	const char *refusal = NULL;

	if (!judgement->key_bounded && !judging->is_verified && judging->certificate_count > 0)
		refusal = peer_key_refusal(&judging->certificates[0], judging->type);
	judgement->key_bounded = !refusal;
	return refusal ? verdict_bad(GNUTLS_A_BAD_CERTIFICATE, refusal) : verdict_good;
}

static struct verdict
too_much(void)
{
	return verdict_bad(
		GNUTLS_A_BAD_CERTIFICATE, "the certificate says more than can be judged");
}

/* Keep who the peer is, for the log; @identity is printable. */
static void
name_peer(struct judging *judging, const char *prefix, const char *identity)
{
	char array[CERTIFICATE_IDENTITY_SIZE + 16];
	struct text text;

	text_init(&text, array, sizeof(array));
	text_add(&text, prefix);
	text_add(&text, identity);
	judging->judgement->identity = strdup(array);
}

/* Remember what the peer's certificates say, if they were verified lately. */
static void
recall(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;
	const char *name = credentials->peer_name_wanted ? judging->judgement->name : NULL;

	assert(!credentials->peer_name_wanted || name);
	if (!credentials->verified)
		return;
	judging->key = verified_key_of(judging->certificates, judging->certificate_count, name);
	judging->acquaintance = verified_recall(credentials->verified, &judging->key, judging->now);
	judging->is_verified = judging->acquaintance;
}

/* Remember what the peer's certificates say, or read them. */
static void
get_acquainted(struct judging *judging)
{
	recall(judging);
	if (!judging->acquaintance && parse_chain(judging) == 0)
		judging->acquaintance = acquaintance_new(&judging->chain);
}

static struct verdict
judge_certificate(struct judging *judging)
{
	bool unverified = judging->credentials->config->verify == VERIFY_NO;

	get_acquainted(judging);
	if (!judging->acquaintance)
		return verdict_bad(
			GNUTLS_A_BAD_CERTIFICATE, "the certificate chain cannot be parsed");
	judging->judgement->until = judging->acquaintance->until;
	name_peer(judging, unverified ? "unverified " : "", judging->acquaintance->identity);
	struct verdict verdict = judge_key(judging);
	if (!verdict.good || unverified)
		return verdict;
	if (!judging->acquaintance->is_readable)
		return too_much();
	return take_steps(judging, &judging->acquaintance->peer, certificate_steps);
}

/* A raw public key (RFC 7250) says nothing but itself, so it must be pinned. */
static struct verdict
judge_raw_key(struct judging *judging)
{
	if (judging->credentials->trust || judging->credentials->config->verify == VERIFY_NO)
		return verdict_bad(GNUTLS_A_UNSUPPORTED_CERTIFICATE,
			"a raw public key came where a certificate was wanted");
	struct verdict verdict = judge_key(judging);
	if (!verdict.good)
		return verdict;
	if (peer_add_key(&judging->peer, &judging->certificates[0]))
		return too_much();
	name_peer(judging, "", "raw-public-key");
	return take_steps(judging, &judging->peer, key_steps);
}

static struct verdict
judge_psk(struct judging *judging)
{
	const struct credentials *credentials = judging->credentials;
	const char *identity = credentials->side == SIDE_ACCEPT
		? gnutls_psk_server_get_username(judging->session)
		: credentials->config->psk_identity;
	char printed[CERTIFICATE_IDENTITY_SIZE];
	struct text text;

	if (!credentials->config->psk || !identity)
		return verdict_bad(GNUTLS_A_INTERNAL_ERROR, "no pre-shared key was asked for");
	if (peer_add_psk(&judging->peer, identity))
		return too_much();
	text_init(&text, printed, sizeof(printed));
	text_escape(&text, identity, strlen(identity));
	name_peer(judging, "psk:", printed);
	return take_steps(judging, &judging->peer, other_steps);
}

/* The peer showed no certificate and has no key in common with us. */
static struct verdict
judge_nobody(struct judging *judging)
{
	const struct tls_config *config = judging->credentials->config;

	if (judging->credentials->side == SIDE_ACCEPT && config->verify != VERIFY_YES)
		return take_steps(judging, &judging->peer, other_steps);
	return verdict_bad(gnutls_protocol_get_version(judging->session) == GNUTLS_TLS1_3
			? GNUTLS_A_CERTIFICATE_REQUIRED
			: GNUTLS_A_HANDSHAKE_FAILURE,
		"the peer showed no certificate");
}

/* Begin to judge the peer of @session. Release it with judging_end(). */
static struct judging
judging_begin(gnutls_session_t session, struct judgement *judgement)
{
	struct judging judging = {
		.session = session,
		.judgement = judgement,
		.credentials = judgement->credentials,
		.now = time(NULL),
	};

	judging.certificates = gnutls_certificate_get_peers(session, &judging.certificate_count);
	if (!judging.certificates)
		judging.certificate_count = 0;
	judging.type = gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS);
	peer_init(&judging.peer, NULL);
	return judging;
}

static void
judging_end(struct judging *judging)
{
	acquaintance_unref(judging->acquaintance);
	peer_release(&judging->peer);
	chain_release(&judging->chain);
}

/* GnuTLS counts a resumed session as what its first one was, also in TLS 1.3. */
static struct verdict
judge_peer(struct judging *judging)
{
	if (judging->certificate_count > 0)
		return judging->type == GNUTLS_CRT_RAWPK ? judge_raw_key(judging)
							 : judge_certificate(judging);
	if (gnutls_auth_get_type(judging->session) == GNUTLS_CRD_PSK)
		return judge_psk(judging);
	return judge_nobody(judging);
}

static void
decide(struct judgement *judgement, const struct verdict *verdict)
{
	judgement->authorised = verdict->good;
	judgement->alert = verdict->alert;
	judgement->words = verdict->words;
}

/* Judge who the peer is, once. */
static void
judge_once(gnutls_session_t session, struct judgement *judgement)
{
	if (judgement->judged)
		return;
	struct judging judging = judging_begin(session, judgement);
	struct verdict verdict = judge_peer(&judging);
	judgement->judged = true;
	decide(judgement, &verdict);
	judging_end(&judging);
}

bool
authorise(gnutls_session_t session, struct judgement *judgement)
{
	judge_once(session, judgement);
	if (judgement->authorised) {
		struct verdict verdict = alpn_judge(session, judgement->credentials->config);

		decide(judgement, &verdict);
	}
	return judgement->authorised;
}

int
authorise_callback(gnutls_session_t session)
{
	return authorise(session, gnutls_session_get_ptr(session)) ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

/* Returns the error for GnuTLS. */
static int
refuse(struct judgement *judgement, struct verdict verdict)
{
	judgement->judged = true;
	decide(judgement, &verdict);
	return GNUTLS_E_CERTIFICATE_ERROR;
}

/* May a signature of the peer be checked, who is not judged yet? */
static int
admit_key(gnutls_session_t session, struct judgement *judgement)
{
	struct judging judging = judging_begin(session, judgement);

	if (judging.type != GNUTLS_CRT_RAWPK)
		recall(&judging);
	struct verdict verdict = judge_key(&judging);
	judging_end(&judging);
	return verdict.good ? 0 : refuse(judgement, verdict);
}

static struct verdict
compressed(void)
{
	return verdict_bad(GNUTLS_A_UNEXPECTED_MESSAGE,
		"a compressed certificate came, which nobody offered to take");
}

int
authorise_hook(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
	const gnutls_datum_t *message)
{
	struct judgement *judgement = gnutls_session_get_ptr(session);

	(void)message;
	if (when != GNUTLS_HOOK_PRE)
		return 0;
	if (type == GNUTLS_HANDSHAKE_NEW_SESSION_TICKET && !incoming)
		return authorise_callback(session);
	if (type == GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY && incoming && !judgement->judged)
		return admit_key(session, judgement);
	if (type == GNUTLS_HANDSHAKE_COMPRESSED_CERTIFICATE_PKT && incoming)
		return refuse(judgement, compressed());
	return 0;
}
