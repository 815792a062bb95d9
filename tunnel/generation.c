/* SPDX-License-Identifier: MIT */
#include "tunnel/generation.h"

#include <stdlib.h>
#include <string.h>

#include "common/diag.h"

static const uint8_t magic[8] = "sallyp1\n";

/* Counts only while @bytes is NULL, so that the array is made once, in its final size. */
struct writer {
	uint8_t *bytes;
	size_t size;
};

struct reader {
	const uint8_t *bytes;
	size_t left;
	bool bad;
};

static void
put(struct writer *writer, const void *bytes, size_t size)
{
	if (writer->bytes && size > 0)
		memcpy(writer->bytes + writer->size, bytes, size);
	writer->size += size;
}

static void
put_number(struct writer *writer, uint32_t number)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * i));
	put(writer, bytes, sizeof(bytes));
}

/* A NUL goes with the bytes, so that they can be used where they lie as a C string. */
static void
put_block(struct writer *writer, const void *bytes, size_t size)
{
	put_number(writer, (uint32_t)size);
	put(writer, bytes, size);
	put(writer, "", 1);
}

static const uint8_t *
get(struct reader *reader, size_t size)
{
	if (reader->bad || size > reader->left) {
		reader->bad = true;
		return NULL;
	}
	const uint8_t *bytes = reader->bytes;
	reader->bytes += size;
	reader->left -= size;
	return bytes;
}

static uint32_t
get_number(struct reader *reader)
{
	const uint8_t *bytes = get(reader, 4);

	if (!bytes)
		return 0;
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
		(uint32_t)bytes[3] << 24;
}

static bool
get_bool(struct reader *reader)
{
	uint32_t number = get_number(reader);

	if (number > 1)
		reader->bad = true;
	return number == 1;
}

static const uint8_t *
get_block(struct reader *reader, size_t *size)
{
	*size = get_number(reader);
	const uint8_t *bytes = get(reader, *size);
	const uint8_t *end = get(reader, 1);

	if (end && *end != '\0')
		reader->bad = true;
	return reader->bad ? NULL : bytes;
}

static const char *
get_string(struct reader *reader)
{
	size_t size;
	const uint8_t *bytes = get_block(reader, &size);

	if (bytes && memchr(bytes, '\0', size))
		reader->bad = true;
	return reader->bad ? NULL : (const char *)bytes;
}

static void
put_listener(struct writer *writer, const struct generation_listener *listener)
{
	put_number(writer, listener->service);
	put_number(writer, listener->accept);
	put_number(writer, listener->sockets);
	put_number(writer, listener->judged);
	put_number(writer, listener->user_count);
	for (uint32_t i = 0; i < listener->user_count; i++)
		put_number(writer, listener->users[i]);
}

static void
put_generation(struct writer *writer, const struct generation *generation)
{
	put(writer, magic, sizeof(magic));
	put_number(writer, generation->workers);
	put_number(writer, (uint32_t)generation->texts.count);
	for (size_t i = 0; i < generation->texts.count; i++) {
		const struct config_text *text = &generation->texts.entries[i];
		put_block(writer, text->name, strlen(text->name));
		put_block(writer, text->data, text->size);
		put_number(writer, text->from_flags);
	}
	put_number(writer, (uint32_t)generation->files.count);
	for (size_t i = 0; i < generation->files.count; i++) {
		const struct file *file = &generation->files.entries[i];
		put_block(writer, file->path, strlen(file->path));
		put_block(writer, file->data, file->size);
	}
	put_number(writer, (uint32_t)generation->listener_count);
	for (size_t i = 0; i < generation->listener_count; i++)
		put_listener(writer, &generation->listeners[i]);
}

/* config_texts_add() copies what the constant bytes hold; its struct is not made for constants. */
static int
get_text(struct reader *reader, struct config_texts *texts, struct diag *diag)
{
	union {
		const void *constant;
		char *copied;
	} name = {.constant = get_string(reader)}, data;
	struct config_text text = {0};

	data.constant = get_block(reader, &text.size);
	text.from_flags = get_bool(reader);
	if (reader->bad)
		return diag_set(diag, "a configuration text is cut off or malformed");
	text.name = name.copied;
	text.data = data.copied;
	return config_texts_add(texts, &text, diag);
}

static int
get_file(struct reader *reader, struct files *files, struct diag *diag)
{
	size_t size;
	const char *path = get_string(reader);
	const uint8_t *data = get_block(reader, &size);

	if (reader->bad)
		return diag_set(diag, "the contents of a file are cut off or malformed");
	if (files_add(files, path, data, size, diag) < 0)
		return -1;
	/* As they are encoded. */
	if (strcmp(files->entries[files->count - 1].path, path) != 0)
		return diag_set(diag, "the files are not in the order of their paths");
	return 0;
}

static int
get_listener(struct reader *reader, struct generation *generation, struct diag *diag)
{
	struct generation_listener listener = {
		.service = get_number(reader),
		.accept = get_number(reader),
		.sockets = get_number(reader),
		.judged = get_bool(reader),
		.user_count = get_number(reader),
	};

	if (listener.user_count > GENERATION_USERS)
		reader->bad = true;
	for (uint32_t i = 0; i < listener.user_count && !reader->bad; i++)
		listener.users[i] = get_number(reader);
	if (listener.sockets > 1 && listener.sockets != generation->workers)
		reader->bad = true;
	if (reader->bad)
		return diag_set(diag, "a listener is cut off or malformed");
	return generation_add(generation, &listener, diag);
}

static int
get_generation(struct reader *reader, struct generation *generation, struct diag *diag)
{
	const uint8_t *start = get(reader, sizeof(magic));

	generation->workers = get_number(reader);
	if (!start || memcmp(start, magic, sizeof(magic)) != 0)
		return diag_set(diag, "these are not the bytes of a generation");
	if (generation->workers < 1 || generation->workers > GENERATION_WORKERS)
		return diag_set(diag, "%u workers are not possible", generation->workers);

	/* Every entry takes bytes, so a count that lies ends when the bytes do. */
	for (uint32_t i = get_number(reader); i > 0; i--)
		if (get_text(reader, &generation->texts, diag) < 0)
			return -1;
	for (uint32_t i = get_number(reader); i > 0; i--)
		if (get_file(reader, &generation->files, diag) < 0)
			return -1;
	for (uint32_t i = get_number(reader); i > 0; i--)
		if (get_listener(reader, generation, diag) < 0)
			return -1;
	if (reader->bad || reader->left > 0)
		return diag_set(diag, "the end is not where it should be");
	return 0;
}

void
generation_release(struct generation *generation)
{
	config_texts_release(&generation->texts);
	files_release(&generation->files);
	free(generation->listeners);
	*generation = (struct generation){0};
}

int
generation_add(struct generation *generation, const struct generation_listener *listener,
	struct diag *diag)
{
	size_t count = generation->listener_count;

	if (count >= GENERATION_LISTENERS)
		return diag_set(diag, "more than %d listeners", GENERATION_LISTENERS);
	struct generation_listener *grown =
		realloc(generation->listeners, (count + 1) * sizeof(*grown));
	if (!grown)
		return diag_set(diag, "out of memory");
	grown[count] = *listener;
	generation->listeners = grown;
	generation->listener_count = count + 1;
	return 0;
}

size_t
generation_sockets(const struct generation *generation)
{
	size_t sockets = 0;

	for (size_t i = 0; i < generation->listener_count; i++)
		sockets += generation->listeners[i].sockets;
	return sockets;
}

int
generation_encode(
	const struct generation *generation, uint8_t **bytes, size_t *size, struct diag *diag)
{
	struct writer writer = {0};

	put_generation(&writer, generation);
	if (writer.size > GENERATION_LIMIT)
		return diag_set(diag, "the configuration and its files are larger than 1 GiB");
	writer.bytes = malloc(writer.size);
	if (!writer.bytes)
		return diag_set(diag, "out of memory");
	*bytes = writer.bytes;
	*size = writer.size;
	writer.size = 0;
	put_generation(&writer, generation);
	return 0;
}

int
generation_decode(
	struct generation *generation, const uint8_t *bytes, size_t size, struct diag *diag)
{
	struct reader reader = {.bytes = bytes, .left = size};

	if (get_generation(&reader, generation, diag) == 0)
		return 0;
	generation_release(generation);
	return diag_prefix(diag, "generation");
}

void
generation_wipe(uint8_t *bytes, size_t size)
{
	if (bytes)
		explicit_bzero(bytes, size);
	free(bytes);
}
