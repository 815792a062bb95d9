/* SPDX-License-Identifier: MIT */
#include "common/log_format.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/text.h"

enum {
	WORDS_LIMIT = 1024,
	VALUE_LIMIT = 512,
	RESERVE = 24, /* for the end of any line */
};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* How one format writes the parts of a line. */
struct style {
	void (*start)(const struct log_line *line, const char *service, struct text *text);
	void (*key)(struct text *text, const char *key);
	void (*value)(struct text *text, const char *value);
	const char *end;
};

/* Say that @string went on after @limit bytes. */
static void
add_dots(struct text *text, const char *string, size_t limit)
{
	if (strnlen(string, limit + 1) > limit)
		text_add(text, "...");
}

static void
add_time(const struct log_line *line, struct text *text)
{
	struct tm tm;
	char seconds[sizeof("-2147483648-01-01T00:00:00")] = "";

	if (gmtime_r(&line->time.tv_sec, &tm))
		(void)strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
	text_format(text, "%s.%03ldZ", seconds, line->time.tv_nsec / 1000000);
}

static bool
is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Do the first @length bytes of @words end in what looks like the key of a field? */
static bool
ends_in_key(const char *words, size_t length)
{
	size_t start = length;

	while (start > 0 && is_key_char(words[start - 1]))
		start--;
	return start < length && (start == 0 || words[start - 1] == ' ');
}

/* Words stand bare in the text format, so that quotes in them are read as they were written. */
static void
add_bare_words(struct text *text, const char *words)
{
	size_t length = strnlen(words, WORDS_LIMIT);

	for (size_t i = 0; i < length; i++) {
		if (words[i] == '"')
			text_add_char(text, '"');
		else if (words[i] == '=' && ends_in_key(words, i))
			text_add(text, "\\x3d");
		else
			text_escape(text, words + i, 1);
	}
	add_dots(text, words, WORDS_LIMIT);
}

static void
add_quoted(struct text *text, const char *value, size_t limit)
{
	text_add_char(text, '"');
	text_escape(text, value, strnlen(value, limit));
	add_dots(text, value, limit);
	text_add_char(text, '"');
}

/* Can @value stand without quotes, so that a space or "=" in it cannot be taken for a further field? */
static bool
is_plain(const char *value)
{
	size_t length = strnlen(value, VALUE_LIMIT + 1);

	for (size_t i = 0; i < length; i++) {
		if (value[i] <= ' ' || value[i] > '~' || strchr("\"\\=", value[i]))
			return false;
	}
	return length > 0;
}

static void
plain_key(struct text *text, const char *key)
{
	text_format(text, " %s=", key);
}

static void
plain_value(struct text *text, const char *value)
{
	if (!is_plain(value)) {
		add_quoted(text, value, VALUE_LIMIT);
		return;
	}
	text_escape(text, value, strnlen(value, VALUE_LIMIT));
	add_dots(text, value, VALUE_LIMIT);
}

static void
text_start(const struct log_line *line, const char *service, struct text *text)
{
	if (!line->bare) {
		add_time(line, text);
		text_add_char(text, ' ');
	}
	text_add(text, level_names[line->level]);
	text_add_char(text, ' ');
	if (service) {
		plain_value(text, service);
		text_add(text, ": ");
	}
	add_bare_words(text, line->words);
}

static void
logfmt_start(const struct log_line *line, const char *service, struct text *text)
{
	text_add(text, "time=");
	add_time(line, text);
	text_format(text, " level=%s", level_names[line->level]);
	if (service) {
		plain_key(text, "service");
		plain_value(text, service);
	}
	plain_key(text, "message");
	add_quoted(text, line->words, WORDS_LIMIT);
}

static void
add_json_string(struct text *text, const char *string, size_t limit)
{
	size_t length = strnlen(string, limit);

	text_add_char(text, '"');
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)string[i];

		if (byte < ' ' || byte > '~') {
			text_format(text, "\\u%04x", byte);
			continue;
		}
		if (byte == '"' || byte == '\\')
			text_add_char(text, '\\');
		text_add_char(text, string[i]);
	}
	add_dots(text, string, limit);
	text_add_char(text, '"');
}

static void
json_key(struct text *text, const char *key)
{
	text_format(text, ",\"%s\":", key);
}

static void
json_value(struct text *text, const char *value)
{
	add_json_string(text, value, VALUE_LIMIT);
}

static void
json_start(const struct log_line *line, const char *service, struct text *text)
{
	text_add(text, "{\"time\":\"");
	add_time(line, text);
	text_format(text, "\",\"level\":\"%s\"", level_names[line->level]);
	if (service) {
		json_key(text, "service");
		json_value(text, service);
	}
	json_key(text, "message");
	add_json_string(text, line->words, WORDS_LIMIT);
}

static const struct style styles[] = {
	[LOG_FORMAT_TEXT] = {text_start, plain_key, plain_value, "\n"},
	[LOG_FORMAT_LOGFMT] = {logfmt_start, plain_key, plain_value, "\n"},
	[LOG_FORMAT_JSON] = {json_start, json_key, json_value, "}\n"},
};

static const struct log_field *
find_service(const struct log_line *line)
{
	for (size_t i = 0; i < line->count; i++) {
		if (line->fields[i].text && strcmp(line->fields[i].key, "service") == 0)
			return &line->fields[i];
	}
	return NULL;
}

/* Append @field as a whole, or nothing. Returns whether it did fit. */
static bool
add_field(const struct style *style, const struct log_field *field, struct text *text)
{
	size_t before = text->length;

	style->key(text, field->key);
	if (field->text)
		style->value(text, field->text);
	else
		text_format(text, "%" PRIu64, field->number);
	if (!text->cut)
		return true;
	text->length = before;
	text->start[before] = '\0';
	text->cut = false;
	return false;
}

void
log_format_line(const struct log_line *line, enum log_format format, struct text *text)
{
	const struct style *style = &styles[format];
	const struct log_field *service = find_service(line);
	bool left_out = false;

	assert(text->length == 0 && text->size >= LOG_FORMAT_SIZE);
	text->size -= RESERVE;
	style->start(line, service ? service->text : NULL, text);
	assert(!text->cut);
	for (size_t i = 0; i < line->count; i++) {
		if (&line->fields[i] != service)
			left_out = !add_field(style, &line->fields[i], text) || left_out;
	}
	text->size += RESERVE;
	if (left_out) {
		style->key(text, "cut");
		text_add_char(text, '1');
	}
	text_add(text, style->end);
}
