/* SPDX-License-Identifier: MIT */
#include "tunnel/validate_side.h"

#include <string.h>

#include "common/diag.h"
#include "tunnel/proof.h"
#include "tunnel/resolved.h"
#include "tunnel/rule.h"

/* What is being checked. */
struct checking {
	const struct resolved *resolved;
	const struct service_config *service;
	const struct picks *picks;
	enum side side;
	struct complaints *complaints;
};

static const struct assignment *
picked(const struct checking *checking, const char *name)
{
	return picks_get(checking->picks, name, checking->side);
}

/* @assignment with the name of this service. */
static struct subject
subject_of_one(const struct checking *checking, const struct assignment *assignment)
{
	struct subject subject = assignment->subject;

	subject.service = checking->service->name;
	return subject;
}

/* Where the value of @name was written, or where the section begins. */
static struct subject
subject_of(const struct checking *checking, const char *name)
{
	struct subject subject = checking->picks->scope->subject;

	if (picked(checking, name))
		return subject_of_one(checking, picked(checking, name));
	subject.option = name;
	return subject;
}

/* Is the value that was picked for @name the text @value? */
static bool
is_written(const struct checking *checking, const char *name, const char *value)
{
	const struct assignment *assignment = picked(checking, name);

	return assignment && strcmp(assignment->subject.value, value) == 0;
}

static bool
is_verified(const struct checking *checking)
{
	return proof_is_asked(checking->picks, checking->side);
}

static void
complain(const struct checking *checking, const char *name, const char *words)
{
	struct subject subject = subject_of(checking, name);

	complaints_add(checking->complaints, &subject, "%s", words);
}

static size_t
count(const struct assignment *assignment)
{
	size_t number = 0;

	for (; assignment; assignment = assignment->again)
		number++;
	return number;
}

/* Every certificate has its key: in its own file, or the nth of as many keys. */
static void
check_pairs(const struct checking *checking)
{
	const struct assignment *cert = picked(checking, "cert"), *key = picked(checking, "key");
	size_t certs = count(cert), keys = count(key);

	if (certs > 0 && keys > 0 && certs != keys) {
		struct subject subject = subject_of(checking, "key");

		complaints_add(checking->complaints, &subject,
			"begins a list of %zu, but there %s %zu in cert; write one key for each "
			"certificate in the same order, or none where every certificate's file "
			"has its key",
			keys, certs > 1 ? "are" : "is", certs);
	}
	for (; certs > 1 && cert; cert = cert->again) {
		struct subject subject = subject_of_one(checking, cert);

		if (option_is_word(cert->option, cert->text)) {
			complaints_add(checking->complaints, &subject,
				"stands beside other certificates; remove it or them");
		}
	}
}

/* Keys on a token are used by the key process only. */
static void
check_tokens(const struct checking *checking)
{
	const struct assignment *key = picked(checking, "key");

	if (checking->resolved->config.key_process != KEY_PROCESS_NO)
		return;
	for (key = key ? key : picked(checking, "cert"); key; key = key->again) {
		struct subject subject = subject_of_one(checking, key);

		if (!option_is_token(key->text))
			continue;
		complaints_add(checking->complaints, &subject,
			"is on a token, whose keys are used by the key process only; write "
			"key-process = auto or yes, or name a file");
	}
}

static void
check_trust(const struct checking *checking)
{
	bool has_psk = picked(checking, "psk"), has_pin = picked(checking, "pin");

	if (checking->side == SIDE_ACCEPT && is_written(checking, "cert", "none") &&
		count(picked(checking, "cert")) == 1 && !has_psk) {
		complain(checking, "cert",
			"is not possible on the side that accepts, where a server needs a "
			"certificate or psk; name its file");
	}
	if (!is_verified(checking))
		return;
	if (is_written(checking, "ca", "none") && !has_pin && !has_psk) {
		complain(checking, "ca",
			"would leave nothing to verify the peer by, since there is neither pin nor "
			"psk; "
			"write one of them, or name a file, a directory or system");
	}
	if (checking->side == SIDE_ACCEPT && is_written(checking, "ca", "system") &&
		!picked(checking, "allow")) {
		complain(checking, "ca",
			"would let in everybody who has a certificate of any public authority; "
			"say with allow who may pass, or name a CA of your own");
	}
}

static void
check_verify(const struct checking *checking)
{
	bool is_optional = is_written(checking, "verify", "optional");

	if (is_optional && checking->side == SIDE_CONNECT) {
		complain(checking, "verify",
			"is for the side that accepts, a server always has a certificate; write "
			"yes or no");
	} else if (is_optional && !proof_by_certificate(checking->picks, checking->side)) {
		complain(checking, "verify",
			"would let everybody in, because the only proof is psk; write yes, or "
			"write cert and ca too");
	}
}

static bool
connects_to_unix(const struct service_config *service)
{
	for (size_t i = 0; i < service->connect_count; i++) {
		if (service->connect[i].kind == ADDRESS_UNIX)
			return true;
	}
	return false;
}

/* Is it known which name the server must have? */
static void
check_peer_name(const struct checking *checking)
{
	bool has_rule = picked(checking, "allow") || picked(checking, "pin");

	if (checking->side != SIDE_CONNECT || !is_verified(checking) ||
		!proof_by_chain(checking->picks, checking->side))
		return;
	if (checking->service->tls[SIDE_CONNECT].peer_name_is_none && !has_rule) {
		complain(checking, "peer-name",
			"would trust every server that the CA vouches for; name the one that is "
			"meant, or say with allow or pin who may answer, or write verify = no");
	} else if (!picked(checking, "peer-name") && connects_to_unix(checking->service)) {
		complain(checking, "peer-name",
			"is missing, and the UNIX socket in connect has no host to take it from; "
			"name the host that must stand in the server's certificate");
	}
}

/* Who is dialled has no address that could be a client's. */
static void
check_rules(const struct checking *checking, const char *name)
{
	const struct assignment *assignment = picked(checking, name);

	for (; assignment && checking->side == SIDE_CONNECT; assignment = assignment->again) {
		struct subject subject = subject_of_one(checking, assignment);
		struct diag diag;
		struct rule *rule = assignment->is_valid ? rule_new(assignment->text, &diag) : NULL;

		if (rule && rule_asks_for_address(rule)) {
			complaints_add(checking->complaints, &subject,
				"asks for the address of a client, which there is on the side "
				"that accepts only; remove the condition from:");
		}
		rule_free(rule);
	}
}

static void
check_psk(const struct checking *checking)
{
	if (checking->side == SIDE_CONNECT && picked(checking, "psk") &&
		!picked(checking, "psk-identity")) {
		complain(checking, "psk-identity",
			"is missing; say which of the keys in psk this end has");
	}
}

static void
check_versions(const struct checking *checking)
{
	const struct tls_config *tls = &checking->service->tls[checking->side];
	bool max_is_written = picked(checking, "tls-max-version");

	if (tls->min_version <= tls->max_version ||
		picks_are_spoilt(checking->picks, "tls-max-version", checking->side))
		return;
	complain(checking, max_is_written ? "tls-max-version" : "tls-min-version",
		"leaves no version, because tls-min-version is above tls-max-version; change one "
		"of both");
}

void
validate_side(const struct resolved *resolved, size_t index, enum side side,
	struct complaints *complaints)
{
	const struct checking checking = {
		.resolved = resolved,
		.service = &resolved->services[index],
		.picks = &resolved->picks[index],
		.side = side,
		.complaints = complaints,
	};

	check_pairs(&checking);
	check_tokens(&checking);
	check_trust(&checking);
	check_verify(&checking);
	check_peer_name(&checking);
	check_rules(&checking, "allow");
	check_rules(&checking, "deny");
	check_psk(&checking);
	check_versions(&checking);
}
