/* SPDX-License-Identifier: MIT */
#include "tunnel/hello.h"

#include <string.h>

#include "common/diag.h"
#include "common/text.h"
#include "tunnel/config.h"

enum {
	HEADER = 5,		   /* of a record */
	FRAGMENT_MAX = 16 << 10,   /* of a record that is not encrypted */
	RECORD_HANDSHAKE = 22,	   /* type of a record */
	MESSAGE_HEADER = 4,	   /* of a handshake message */
	MESSAGE_CLIENT_HELLO = 1,  /* type of a message */
	EXTENSION_SERVER_NAME = 0, /* types of extensions */
	EXTENSION_MAX_FRAGMENT_LENGTH = 1,
	EXTENSION_ALPN = 16,
	EXTENSION_RECORD_SIZE_LIMIT = 28,
	RECORD_ALERT = 21, /* type of a record */
	NAME_HOST = 0,	   /* type of a server name */
	RANDOM = 32,
	SESSION_ID_MAX = 32, /* bytes */
};

/* Reads the message out of the records, which are whole and were looked at. */
struct cursor {
	const uint8_t *next;
	size_t left; /* in the present record */
	size_t rest; /* of what is read: the message, or a vector in it */
	bool bad;    /* it ended too early */
};

/* What was found in the extensions. */
struct found {
	struct hello *hello;
	struct diag *diag;
	bool has_name, has_alpn;
};

static enum hello_answer
bad(struct hello *hello, enum hello_alert alert, struct diag *diag, const char *words)
{
	hello->alert = alert;
	diag_set(diag, "%s", words);
	return HELLO_BAD;
}

/* Judge as much of the header of a record as there is. HELLO_WHOLE: all of it. */
static enum hello_answer
read_header(struct hello *hello, const uint8_t *header, size_t length, struct diag *diag)
{
	bool first = hello->at == 0;

	/* An SSLv2 ClientHello has its own length, and its type in the third byte. */
	if (first && length >= 3 && (header[0] & 0x80) && header[2] == MESSAGE_CLIENT_HELLO)
		return bad(hello, HELLO_PROTOCOL_VERSION, diag,
			"the peer does not speak TLS (it greets in SSLv2)");
	if (first && header[0] != RECORD_HANDSHAKE && (header[0] < 20 || header[0] > 24)) {
		if (length < 3 && (header[0] & 0x80))
			return HELLO_MORE;
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer does not speak TLS (that is no record)");
	}
	if (header[0] == RECORD_ALERT)
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer leaves by an alert before its ClientHello");
	if (header[0] != RECORD_HANDSHAKE)
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer does not speak TLS (it sends another record than a ClientHello)");
	if (length >= 2 && header[1] != 3)
		return bad(hello, HELLO_PROTOCOL_VERSION, diag,
			"the peer does not speak TLS (the version of its record is unknown)");
	if (length < HEADER)
		return HELLO_MORE;
	hello->left = (size_t)header[3] << 8 | header[4];
	if (hello->left == 0)
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer sends an empty record (RFC 8446 section 5.1)");
	if (hello->left > FRAGMENT_MAX)
		return bad(hello, HELLO_RECORD_OVERFLOW, diag,
			"the peer sends a record that is larger than 16 KiB");
	return HELLO_WHOLE;
}

/* How long the message is, with its header; as long as that is not known, the header. */
static size_t
message_length(const struct hello *hello)
{
	const uint8_t *head = hello->head;

	if (hello->have < MESSAGE_HEADER)
		return MESSAGE_HEADER;
	return MESSAGE_HEADER + ((size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3]);
}

/* Take up to @length bytes of the present record. HELLO_WHOLE: they may be right. */
static enum hello_answer
read_fragment(struct hello *hello, const uint8_t *bytes, size_t length, struct diag *diag)
{
	size_t size = length < hello->left ? length : hello->left;

	for (size_t i = 0; i < size && hello->have + i < MESSAGE_HEADER; i++)
		hello->head[hello->have + i] = bytes[i];
	hello->have += size;
	hello->at += size;
	hello->left -= size;
	if (hello->head[0] != MESSAGE_CLIENT_HELLO)
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer sends another message before a ClientHello");
	if (message_length(hello) > HELLO_LIMIT)
		return bad(hello, HELLO_ILLEGAL_PARAMETER, diag,
			"the ClientHello is larger than 64 KiB");
	if (hello->have >= MESSAGE_HEADER && hello->have > message_length(hello))
		return bad(hello, HELLO_UNEXPECTED_MESSAGE, diag,
			"the peer sends another message in the record of its ClientHello");
	return HELLO_WHOLE;
}

/* Walk over the records. HELLO_WHOLE: they hold the message, from the first byte to the last. */
static enum hello_answer
read_records(struct hello *hello, const uint8_t *bytes, size_t length, struct diag *diag)
{
	while (hello->have < message_length(hello) || hello->left > 0) {
		size_t there = length - hello->at;
		enum hello_answer answer = HELLO_MORE;

		if (there > 0 && hello->left > 0) {
			answer = read_fragment(hello, bytes + hello->at, there, diag);
		} else if (there > 0) {
			answer = read_header(hello, bytes + hello->at, there, diag);
			hello->at += answer == HELLO_WHOLE ? HEADER : 0;
		}
		if (answer != HELLO_WHOLE)
			return answer;
	}
	return HELLO_WHOLE;
}

static uint8_t
get(struct cursor *cursor)
{
	if (cursor->rest == 0) {
		cursor->bad = true;
		return 0;
	}
	if (cursor->left == 0) {
		cursor->left = (size_t)cursor->next[3] << 8 | cursor->next[4];
		cursor->next += HEADER;
	}
	cursor->left--;
	cursor->rest--;
	return *cursor->next++;
}

static size_t
get_pair(struct cursor *cursor)
{
	size_t high = get(cursor);

	return high << 8 | get(cursor);
}

static void
skip(struct cursor *cursor, size_t count)
{
	if (count > cursor->rest) {
		cursor->bad = true;
		count = cursor->rest;
	}
	while (count-- > 0)
		(void)get(cursor);
}

/* Step over the next @length bytes of @cursor, and return what reads them. */
static struct cursor
get_vector(struct cursor *cursor, size_t length)
{
	struct cursor vector = *cursor;

	skip(cursor, length);
	vector.rest -= cursor->rest;
	vector.bad = cursor->bad;
	return vector;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The name itself: 1 to 255 bytes, none of them a NUL. */
static enum hello_answer
read_name(struct hello *hello, struct cursor *name, struct diag *diag)
{
	size_t length = name->rest;

	if (length == 0 || length >= HELLO_NAME_SIZE)
		return bad(hello, HELLO_DECODE_ERROR, diag,
			"the server name is empty or longer than 255 bytes");
	for (size_t i = 0; i < length; i++) {
		hello->name[i] = lower((char)get(name));
		if (hello->name[i] == '\0')
			return bad(hello, HELLO_ILLEGAL_PARAMETER, diag,
				"the server name has a NUL in it");
	}
	hello->name[length] = '\0';
	return HELLO_WHOLE;
}

/* RFC 6066 section 3: a list, but of one name a type, and only one type was ever defined. */
static enum hello_answer
read_server_name(struct found *found, struct cursor *extension)
{
	struct cursor list = get_vector(extension, get_pair(extension));
	uint8_t type = get(&list);
	struct cursor name = get_vector(&list, get_pair(&list));

	if (found->has_name)
		return bad(found->hello, HELLO_ILLEGAL_PARAMETER, found->diag,
			"there are two lists of server names");
	found->has_name = true;
	if (list.bad || extension->rest > 0)
		return bad(found->hello, HELLO_DECODE_ERROR, found->diag,
			"the list of server names is malformed");
	if (type != NAME_HOST || list.rest > 0)
		return bad(found->hello, HELLO_ILLEGAL_PARAMETER, found->diag,
			"the list of server names has something else than one host name");
	return read_name(found->hello, &name, found->diag);
}

/* Keep @name unless there is no room for it. */
static void
add_protocol(struct hello *hello, struct cursor name)
{
	size_t length = name.rest;

	if (length + 1 > sizeof(hello->alpn) - hello->alpn_length) {
		hello->alpn_cut = true;
		return;
	}
	hello->alpn[hello->alpn_length++] = (uint8_t)length;
	for (size_t i = 0; i < length; i++)
		hello->alpn[hello->alpn_length++] = get(&name);
}

/* RFC 7301 section 3.1: a list of at least one name, none of them empty. */
static enum hello_answer
read_alpn(struct found *found, struct cursor *extension)
{
	struct cursor list = get_vector(extension, get_pair(extension));
	bool empty = list.rest == 0;

	if (found->has_alpn)
		return bad(found->hello, HELLO_ILLEGAL_PARAMETER, found->diag,
			"there are two lists of protocols (ALPN)");
	found->has_alpn = true;
	while (list.rest > 0 && !list.bad) {
		struct cursor name = get_vector(&list, get(&list));
		empty = empty || name.rest == 0;
		add_protocol(found->hello, name);
	}
	if (list.bad || empty || extension->rest > 0)
		return bad(found->hello, HELLO_DECODE_ERROR, found->diag,
			"the list of protocols (ALPN) is malformed");
	return HELLO_WHOLE;
}

static enum hello_answer
read_extensions(struct found *found, struct cursor *list)
{
	enum hello_answer answer = HELLO_WHOLE;

	while (list->rest > 0 && answer == HELLO_WHOLE) {
		size_t type = get_pair(list);
		struct cursor extension = get_vector(list, get_pair(list));
		if (extension.bad)
			return bad(found->hello, HELLO_DECODE_ERROR, found->diag,
				"an extension of the ClientHello is cut off");
		if (type == EXTENSION_SERVER_NAME)
			answer = read_server_name(found, &extension);
		else if (type == EXTENSION_ALPN)
			answer = read_alpn(found, &extension);
		else if (type == EXTENSION_MAX_FRAGMENT_LENGTH ||
			(type == EXTENSION_RECORD_SIZE_LIMIT &&
				get_pair(&extension) < FRAGMENT_MAX))
			found->hello->small_records = true;
	}
	return answer;
}

/* RFC 8446 section 4.1.2; RFC 5246 section 7.4.1.2 lets the extensions be missing. */
static enum hello_answer
read_message(struct hello *hello, const uint8_t *bytes, struct diag *diag)
{
	struct found found = {.hello = hello, .diag = diag};
	struct cursor message = {.next = bytes, .rest = message_length(hello)};

	skip(&message, MESSAGE_HEADER);
	size_t version = get_pair(&message);
	skip(&message, RANDOM);
	size_t session_id = get(&message);
	skip(&message, session_id);
	size_t ciphers = get_pair(&message);
	skip(&message, ciphers);
	size_t compressions = get(&message);
	skip(&message, compressions);
	if (message.bad || session_id > SESSION_ID_MAX || ciphers < 2 || ciphers % 2 != 0 ||
		compressions == 0)
		return bad(hello, HELLO_DECODE_ERROR, diag, "the ClientHello is malformed");
	if (version >> 8 != 3)
		return bad(hello, HELLO_PROTOCOL_VERSION, diag,
			"the version of the ClientHello is unknown");
	if (message.rest == 0)
		return HELLO_WHOLE;
	struct cursor extensions = get_vector(&message, get_pair(&message));
	if (message.bad || message.rest > 0)
		return bad(hello, HELLO_DECODE_ERROR, diag,
			"the extensions of the ClientHello do not end where it ends");
	return read_extensions(&found, &extensions);
}

enum hello_answer
hello_read(struct hello *hello, const uint8_t *bytes, size_t length, struct diag *diag)
{
	size_t size = length < HELLO_LIMIT ? length : HELLO_LIMIT;
	enum hello_answer answer = read_records(hello, bytes, size, diag);

	if (answer == HELLO_WHOLE)
		return read_message(hello, bytes, diag);
	if (answer == HELLO_MORE && size == HELLO_LIMIT)
		return bad(hello, HELLO_ILLEGAL_PARAMETER, diag,
			"the ClientHello and its records are larger than 64 KiB");
	return answer;
}

static bool
is_among(const struct texts *names, const uint8_t *name, size_t length)
{
	for (size_t i = 0; i < names->count; i++)
		if (strlen(names->list[i]) == length && memcmp(names->list[i], name, length) == 0)
			return true;
	return false;
}

bool
hello_offers(const struct hello *hello, const struct texts *names)
{
	for (size_t at = 0; at < hello->alpn_length; at += 1 + hello->alpn[at])
		if (is_among(names, hello->alpn + at + 1, hello->alpn[at]))
			return true;
	return hello->alpn_cut;
}

void
hello_print_alpn(const struct hello *hello, struct text *text)
{
	for (size_t at = 0; at < hello->alpn_length; at += 1 + hello->alpn[at]) {
		text_add(text, at > 0 ? ", \"" : "\"");
		text_escape(text, hello->alpn + at + 1, hello->alpn[at]);
		text_add_char(text, '"');
	}
}
