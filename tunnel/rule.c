/* SPDX-License-Identifier: MIT */
#include "tunnel/rule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/diag.h"
#include "common/similar.h"
#include "tunnel/match.h"
#include "tunnel/pin.h"

static const char blanks[] = " ";

enum basis {
	BASIS_NOTHING, /* holds always */
	BASIS_FACT,
	BASIS_ADDRESS, /* of the client */
};

/* Which peers can prove it. */
enum owner { OWNER_ANY, OWNER_KEY, OWNER_CERTIFICATE, OWNER_PSK };

struct condition {
	const struct kind *kind;
	char *value; /* in the rule's own text; for a serial number its bytes */
	size_t size;
	struct match_prefix prefix;
	struct pin pin;
};

struct kind {
	const char *name;
	enum basis basis;
	enum fact_kind fact; /* that BASIS_FACT compares */
	enum owner owner;
	bool is_single; /* a peer has one, so two conditions in a line could not both hold */
	int (*read)(struct condition *condition, struct diag *diag);
	bool (*fits)(const struct condition *condition, const struct fact *fact);
};

struct rule {
	char *text; /* owns the values of all conditions */
	size_t count;
	struct condition conditions[];
};

static int
read_text(struct condition *condition, struct diag *diag)
{
	(void)condition;
	(void)diag;
	return 0;
}

static int
read_dns(struct condition *condition, struct diag *diag)
{
	return match_check_dns(condition->value, diag);
}

static int
read_uri(struct condition *condition, struct diag *diag)
{
	return match_check_uri(condition->value, diag);
}

static int
read_email(struct condition *condition, struct diag *diag)
{
	return match_check_email(condition->value, diag);
}

static int
read_issuer(struct condition *condition, struct diag *diag)
{
	return match_check_issuer(condition->value, diag);
}

static int
read_ip(struct condition *condition, struct diag *diag)
{
	return match_prefix_parse(&condition->prefix, condition->value, diag);
}

static int
read_from(struct condition *condition, struct diag *diag)
{
	if (match_prefix_parse(&condition->prefix, condition->value, diag) < 0)
		return -1;
	if (match_prefix_is_mapped(&condition->prefix)) {
		return diag_set(diag,
			"has IPv4-mapped addresses only, and those of clients count as IPv4; "
			"write the IPv4 address or network");
	}
	return 0;
}

static int
read_pin(struct condition *condition, struct diag *diag)
{
	return pin_parse(&condition->pin, condition->value, diag);
}

/* The value of the hexadecimal digit @c, or -1. */
static int
digit_of(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

/* Is there a colon in @text after each two digits, and nowhere else? */
static bool
has_good_colons(const char *text)
{
	for (size_t i = 0; text[i]; i++) {
		if ((text[i] == ':') != (i % 3 == 2))
			return false;
	}
	return strlen(text) % 3 == 2;
}

/* Turn the digits of the value into bytes where they stand: a pair is never before its byte. */
static int
read_serial(struct condition *condition, struct diag *diag)
{
	char *value = condition->value;
	bool good = !strchr(value, ':') || has_good_colons(value);
	size_t count = 0, size = 0;

	for (const char *c = value; *c && good; c++) {
		if (*c != ':')
			value[count++] = *c;
		good = *c == ':' || digit_of(*c) >= 0;
	}
	if (!good) {
		return diag_set(diag,
			"is not a serial number; write it in hexadecimal as \"pki show\" prints "
			"it, without 0x");
	}
	/* The first byte of an odd number of digits has one. */
	for (size_t i = 0, end = count % 2 ? 1 : 2; i < count; end += 2) {
		int byte = 0;

		while (i < end)
			byte = byte * 16 + digit_of(value[i++]);
		if (byte > 0 || size > 0)
			value[size++] = (char)byte;
	}
	condition->size = size;
	return 0;
}

static bool
fits_text(const struct condition *condition, const struct fact *fact)
{
	return match_text(condition->value, fact->bytes, fact->size);
}

static bool
fits_dns(const struct condition *condition, const struct fact *fact)
{
	return match_dns(condition->value, fact->bytes, fact->size);
}

static bool
fits_uri(const struct condition *condition, const struct fact *fact)
{
	return match_uri(condition->value, fact->bytes, fact->size);
}

static bool
fits_email(const struct condition *condition, const struct fact *fact)
{
	return match_email(condition->value, fact->bytes, fact->size);
}

static bool
fits_ip(const struct condition *condition, const struct fact *fact)
{
	return match_prefix_has(&condition->prefix, fact->bytes, fact->size);
}

/* The number 0 has no bytes. */
static bool
fits_serial(const struct condition *condition, const struct fact *fact)
{
	return fact->size == condition->size &&
		(fact->size == 0 || memcmp(condition->value, fact->bytes, fact->size) == 0);
}

static bool
fits_pin(const struct condition *condition, const struct fact *fact)
{
	return fact->size == PIN_SIZE && memcmp(condition->pin.bytes, fact->bytes, PIN_SIZE) == 0;
}

static const struct kind kinds[] = {
	{"cn", BASIS_FACT, FACT_CN, OWNER_CERTIFICATE, false, read_text, fits_text},
	{"ou", BASIS_FACT, FACT_OU, OWNER_CERTIFICATE, false, read_text, fits_text},
	{"o", BASIS_FACT, FACT_O, OWNER_CERTIFICATE, false, read_text, fits_text},
	{"dns", BASIS_FACT, FACT_DNS, OWNER_CERTIFICATE, false, read_dns, fits_dns},
	{"uri", BASIS_FACT, FACT_URI, OWNER_CERTIFICATE, false, read_uri, fits_uri},
	{"ip", BASIS_FACT, FACT_IP, OWNER_CERTIFICATE, false, read_ip, fits_ip},
	{"email", BASIS_FACT, FACT_EMAIL, OWNER_CERTIFICATE, false, read_email, fits_email},
	{"serial", BASIS_FACT, FACT_SERIAL, OWNER_CERTIFICATE, true, read_serial, fits_serial},
	{"issuer", BASIS_FACT, FACT_ISSUER, OWNER_CERTIFICATE, true, read_issuer, fits_text},
	{"pin", BASIS_FACT, FACT_PIN, OWNER_KEY, true, read_pin, fits_pin},
	{"psk", BASIS_FACT, FACT_PSK, OWNER_PSK, true, read_text, fits_text},
	{.name = "from", .basis = BASIS_ADDRESS, .is_single = true, .read = read_from},
	{.name = "any", .basis = BASIS_NOTHING},
};

static const struct kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* The kind that is nearest to @word in letters of either case, or NULL. */
static const struct kind *
guess_kind(const char *word)
{
	const struct kind *best = NULL;
	size_t best_distance = SIMILAR_LIMIT;
	char small[SIMILAR_LIMIT + 1];
	size_t length = strlen(word);

	if (length > SIMILAR_LIMIT)
		return NULL;
	for (size_t i = 0; i <= length; i++)
		small[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] - 'A' + 'a') : word[i];
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t distance = similar_distance(small, kinds[i].name);

		if (distance < best_distance) {
			best = &kinds[i];
			best_distance = distance;
		}
	}
	return similar_is_near(small, best_distance) ? best : NULL;
}

static void
refuse_kind(const char *word, struct diag *diag)
{
	static const char words[] = "is no kind of condition";
	const struct kind *meant = guess_kind(word);

	if (meant) {
		(void)diag_set(
			diag, "\"%.64s\" %s; did you mean \"%s\"?", word, words, meant->name);
	} else {
		(void)diag_set(diag,
			"\"%.64s\" %s; write cn, ou, o, dns, uri, ip, email, serial, issuer, pin, "
			"psk, from or any",
			word, words);
	}
}

/* Take the words of the kind of @condition, which begins with @name and goes on at @value. */
static int
read_kind(struct condition *condition, const char *name, char *value, struct diag *diag)
{
	condition->kind = find_kind(name);
	condition->value = value;
	if (!condition->kind) {
		refuse_kind(name, diag);
		return -1;
	}
	if (condition->kind->basis == BASIS_NOTHING)
		return value ? diag_set(diag, "has no value; write \"any\" alone") : 0;
	if (!value || !value[0]) {
		return diag_set(diag,
			"has no value, so that nothing would fit it; write \"%s:\" "
			"and what is to fit",
			name);
	}
	if (strchr(blanks, value[0]))
		return diag_set(diag, "has a blank behind its colon; leave it out");
	condition->size = strlen(value);
	return condition->kind->read(condition, diag);
}

/* Read the @text of one condition, which is changed. Its words name it as it was written. */
static int
read_condition(struct condition *condition, char *text, struct diag *diag)
{
	char written[128] = "";
	char *colon = strchr(text, ':');

	strncpy(written, text, sizeof(written) - 1);
	if (!text[0]) {
		return diag_set(diag,
			"there is no condition before or behind a comma; leave the comma out");
	}
	if (!colon && !find_kind(text)) {
		return diag_set(diag,
			"\"%.100s\" is no condition; write KIND:VALUE, as in dns:app.example.net, "
			"and \"\\,\" for "
			"a comma in a value",
			written);
	}
	if (colon)
		*colon = '\0';
	if (read_kind(condition, text, colon ? colon + 1 : NULL, diag) < 0)
		return diag_prefix(diag, "\"%s\"", written);
	return 0;
}

/*
 * Cut the condition at @text off what follows its comma, leave out blanks at its end, and resolve what is
 * escaped: "\," and "\\". Any other backslash is one, as in the names of issuers. Returns what follows,
 * or NULL.
 */
static char *
cut_condition(char *text)
{
	char *to = text, *kept = text;

	for (; *text && *text != ','; text++) {
		if (text[0] == '\\' && (text[1] == ',' || text[1] == '\\'))
			text++;
		*to++ = *text;
		if (!strchr(blanks, *text))
			kept = to;
	}
	bool more = *text == ',';
	*kept = '\0';
	return more ? text + 1 : NULL;
}

static bool
has_kind(const struct rule *rule, enum fact_kind fact)
{
	for (size_t i = 0; i < rule->count; i++) {
		const struct kind *kind = rule->conditions[i].kind;

		if (kind->basis == BASIS_FACT && kind->fact == fact)
			return true;
	}
	return false;
}

static bool
has_owner(const struct rule *rule, enum owner owner)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (rule->conditions[i].kind->owner == owner)
			return true;
	}
	return false;
}

static int
check_single(const struct rule *rule, struct diag *diag)
{
	for (size_t i = 0; i < rule->count; i++) {
		const struct kind *kind = rule->conditions[i].kind;

		for (size_t j = 0; j < i && kind->is_single; j++) {
			if (rule->conditions[j].kind != kind)
				continue;
			return diag_set(diag,
				"\"%s:\" is there twice, and a peer has one; write two lines, "
				"which are alternatives",
				kind->name);
		}
	}
	return 0;
}

/* What no peer can fit, although each condition is possible. */
static int
check_together(const struct rule *rule, struct diag *diag)
{
	if (check_single(rule, diag) < 0)
		return -1;
	if (has_kind(rule, FACT_SERIAL) && !has_kind(rule, FACT_ISSUER)) {
		return diag_set(diag,
			"\"serial:\" stands without \"issuer:\", and every issuer numbers for "
			"itself; add "
			"the issuer as \"pki show\" prints it");
	}
	if (has_owner(rule, OWNER_PSK) &&
		(has_owner(rule, OWNER_CERTIFICATE) || has_owner(rule, OWNER_KEY))) {
		return diag_set(diag,
			"\"psk:\" stands beside conditions on a certificate or key, and who has a "
			"pre-shared key shows none; write two lines, which are alternatives");
	}
	return 0;
}

static int
check_characters(const char *text, struct diag *diag)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return diag_set(
				diag, "has a control character (tabs are, too); leave it out");
	}
	return 0;
}

static size_t
count_commas(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

static int
read_conditions(struct rule *rule, struct diag *diag)
{
	for (char *at = rule->text; at;) {
		at += strspn(at, blanks);
		char *next = cut_condition(at);

		if (read_condition(&rule->conditions[rule->count], at, diag) < 0)
			return -1;
		assert(rule->conditions[rule->count].kind);
		rule->count++;
		at = next;
	}
	return check_together(rule, diag);
}

static bool
holds(const struct condition *condition, const struct facts *facts)
{
	const struct kind *kind = condition->kind;

	if (kind->basis == BASIS_NOTHING)
		return true;
	if (kind->basis == BASIS_ADDRESS)
		return facts->from && match_prefix_has_endpoint(&condition->prefix, facts->from);
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->list[i].kind == kind->fact && kind->fits(condition, &facts->list[i]))
			return true;
	}
	return false;
}

struct rule *
rule_new(const char *text, struct diag *diag)
{
	if (!text[strspn(text, blanks)]) {
		(void)diag_set(diag, "is empty; write a condition, or \"any\"");
		return NULL;
	}
	if (check_characters(text, diag) < 0)
		return NULL;
	size_t most = count_commas(text) + 1;
	struct rule *rule = calloc(1, sizeof(*rule) + most * sizeof(rule->conditions[0]));
	if (!rule || !(rule->text = strdup(text))) {
		(void)diag_set(diag, "out of memory");
		free(rule);
		return NULL;
	}
	if (read_conditions(rule, diag) < 0) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

void
rule_free(struct rule *rule)
{
	if (!rule)
		return;
	free(rule->text);
	free(rule);
}

bool
rule_matches(const struct rule *rule, const struct facts *facts)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (!holds(&rule->conditions[i], facts))
			return false;
	}
	return true;
}

bool
rule_asks_for_address(const struct rule *rule)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (rule->conditions[i].kind->basis == BASIS_ADDRESS)
			return true;
	}
	return false;
}
