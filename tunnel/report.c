/* SPDX-License-Identifier: MIT */
#include "tunnel/report.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/text.h"
#include "tunnel/certificate.h"
#include "tunnel/service.h"
#include "tunnel/tls.h"
#include "tunnel/transport.h"
#include "tunnel/tunnel_state.h"

enum { FIELDS_MAX = 24 };

/* A line in the making. */
struct line {
	struct log_field fields[FIELDS_MAX];
	size_t count;
};

/* What the fields of one TLS side point to. */
struct tls_texts {
	char identity[CERTIFICATE_IDENTITY_SIZE + 16];
};

/* The names of the fields of one TLS side. */
struct tls_keys {
	const char *identity, *version, *cipher, *group, *resumed;
};

static const struct tls_keys only_side = {"identity", "version", "cipher", "group", "resumed"};
static const struct tls_keys second_side = {"backend-identity", "backend-version", "backend-cipher",
	"backend-group", "backend-resumed"};

static const char *const kinds[] = {
	[ENDING_CLOSED] = "closed",
	[ENDING_ABORTED] = "aborted",
	[ENDING_REFUSED] = "refused",
	[ENDING_FAILED] = "failed",
	[ENDING_PROBE] = "probe",
};

static const char *const sides[] = {
	[ENDED_BY_CLIENT] = "client",
	[ENDED_BY_BACKEND] = "backend",
	[ENDED_BY_US] = "sallyport",
};

static void
add_text(struct line *line, const char *key, const char *text)
{
	line->fields[line->count++] = (struct log_field){.key = key, .text = text};
}

static void
add_number(struct line *line, const char *key, uint64_t number)
{
	line->fields[line->count++] = (struct log_field){.key = key, .number = number};
}

/* Add an address, written to @array, which the line then points to. */
static void
add_endpoint(struct line *line, const char *key, const struct packed_endpoint *packed,
	char array[ADDRESS_TEXT_SIZE])
{
	struct endpoint endpoint = endpoint_unpack(packed);
	struct text text;

	text_init(&text, array, ADDRESS_TEXT_SIZE);
	endpoint_print(&endpoint, &text);
	add_text(line, key, array);
}

/* The fields of a side that speaks TLS; @transport is NULL if it did not come to that. */
static void
add_tls(struct line *line, const struct transport *transport, const struct tls_keys *keys,
	struct tls_texts *texts)
{
	struct tls_facts facts = {"-", "-", "-", false};
	struct text text;

	text_init(&text, texts->identity, sizeof(texts->identity));
	if (transport && transport->tls) {
		facts = tls_facts(transport);
		tls_print_identity(transport, &text);
	} else {
		text_add(&text, "-");
	}
	add_text(line, keys->identity, texts->identity);
	add_text(line, keys->version, facts.version);
	add_text(line, keys->cipher, facts.cipher);
	add_text(line, keys->group, facts.group);
	add_text(line, keys->resumed, facts.resumed ? "yes" : "no");
}

static void
count(const struct tunnel *tunnel, enum ending_kind kind)
{
	struct service_counters *counters = &tunnel->service->counters;
	_Atomic uint64_t *const counter[] = {
		[ENDING_CLOSED] = &counters->ended,
		[ENDING_ABORTED] = &counters->ended,
		[ENDING_REFUSED] = &counters->refused,
		[ENDING_FAILED] = &counters->failed,
		[ENDING_PROBE] = &counters->probes,
	};

	atomic_fetch_add_explicit(counter[kind], 1, memory_order_relaxed);
}

static enum log_level
level_of(enum ending_kind kind)
{
	if (kind == ENDING_PROBE)
		return LOG_LEVEL_DEBUG;
	return kind == ENDING_REFUSED || kind == ENDING_FAILED ? LOG_LEVEL_NOTICE : LOG_LEVEL_INFO;
}

/* The sides that speak TLS. */
static void
add_sides(struct line *line, const struct tunnel *tunnel, struct tls_texts texts[2])
{
	const struct service *service = tunnel->service;
	bool client_is_tls = service->credentials[SIDE_ACCEPT];

	if (client_is_tls)
		add_tls(line, tunnel->client, &only_side, &texts[0]);
	if (service->credentials[SIDE_CONNECT])
		add_tls(line, tunnel->backend, client_is_tls ? &second_side : &only_side,
			&texts[1]);
}

void
report_end(const struct tunnel *tunnel, const struct ending *ending)
{
	char id[32], duration[32], client[ADDRESS_TEXT_SIZE], backend[ADDRESS_TEXT_SIZE];
	struct tls_texts texts[2];
	struct line line = {.count = 0};

	count(tunnel, ending->kind);
	if (!log_is_on(level_of(ending->kind)))
		return;
	(void)snprintf(id, sizeof(id), "%u.%" PRIu64, tunnel->loop->index, tunnel->serial);
	(void)snprintf(duration, sizeof(duration), "%.3f", clock_seconds() - tunnel->started);
	add_text(&line, "service", tunnel->service->config->name);
	add_text(&line, "tunnel", id);
	add_endpoint(&line, "peer", tunnel->client_address, client);
	if (tunnel->sni)
		add_text(&line, "sni", tunnel->sni);
	if (tunnel->backend_address)
		add_endpoint(&line, "backend", tunnel->backend_address, backend);
	add_sides(&line, tunnel, texts);
	add_number(&line, "sent", tunnel->to_backend.bytes);
	add_number(&line, "received", tunnel->to_client.bytes);
	add_text(&line, "duration", duration);
	add_text(&line, "end", kinds[ending->kind]);
	add_text(&line, "by", sides[ending->by]);
	if (ending->reason.text[0])
		add_text(&line, "reason", ending->reason.text);
	log_fields(level_of(ending->kind), "tunnel ended", line.fields, line.count);
}
