/* SPDX-License-Identifier: MIT */
#include "tunnel/bindings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"

static bool
has_path(const struct address *address)
{
	return address->kind == ADDRESS_UNIX && address->host[0] != '@';
}

/* Are both the same for a socket at @address, but for how it shares that? */
static bool
is_same(const struct address *address, const struct socket_options *a,
	const struct socket_options *b)
{
	if (address->kind != ADDRESS_UNIX)
		return a->keepalive == b->keepalive;
	return !has_path(address) ||
		(a->mode == b->mode && a->owner == b->owner && a->group == b->group);
}

static struct binding *
find(const struct bindings *bindings, const struct address *address)
{
	assert(bindings->count == 0 || bindings->entries);
	for (size_t i = 0; i < bindings->count; i++)
		if (address_is_equal(&bindings->entries[i].address, address))
			return &bindings->entries[i];
	return NULL;
}

/* Does @bindings hold the port on other addresses? Those may be wider or narrower than @address. */
static bool
holds_port(const struct bindings *bindings, const struct address *address)
{
	if (address->kind == ADDRESS_UNIX)
		return false;
	for (size_t i = 0; i < bindings->count; i++)
		if (bindings->entries[i].address.port == address->port)
			return true;
	return false;
}

/* Only our own path is removed: another instance may have replaced a socket that it found dead. */
static void
remove_path(const struct binding *binding)
{
	struct stat status;

	if (has_path(&binding->address) && lstat(binding->address.host, &status) == 0 &&
		status.st_dev == binding->device && status.st_ino == binding->inode)
		(void)unlink(binding->address.host);
}

static void
let_go(struct binding *binding)
{
	remove_path(binding);
	for (unsigned i = 0; i < binding->fd_count; i++)
		(void)close(binding->fds[i]);
	free(binding->fds);
}

static void
forget(struct bindings *bindings)
{
	free(bindings->entries);
	bindings->entries = NULL;
	bindings->count = 0;
}

static void
remember_path(struct binding *binding)
{
	struct stat status;

	if (has_path(&binding->address) && lstat(binding->address.host, &status) == 0) {
		binding->device = status.st_dev;
		binding->inode = status.st_ino;
	}
}

/*
 * Bind @count sockets. The first finds out whether somebody else has the address, unless we have the
 * port ourselves: then "in use" would say nothing, as when a reload turns "*:443" into one address.
 */
static int
bind_all(struct binding *binding, bindings_listen *listener, struct socket_options options,
	unsigned count, struct diag *diag)
{
	binding->fds = calloc(count, sizeof(*binding->fds));
	if (!binding->fds)
		return diag_set(diag, "out of memory");
	while (binding->fd_count < count) {
		int fd = listener(&binding->address, &options, diag);
		if (fd < 0) {
			let_go(binding);
			return -1;
		}
		binding->fds[binding->fd_count++] = fd;
		remember_path(binding);
		options.share = SOCKET_FURTHER;
	}
	return 0;
}

int
bindings_add(struct bindings *next, const struct bindings *present, const struct address *address,
	const struct socket_options *options, unsigned workers, struct diag *diag)
{
	const struct binding *held = find(present, address);
	struct binding binding = {.address = *address};
	struct socket_options first = *options;

	if (find(next, address))
		return diag_set(diag, "two services listen on the same address");
	struct binding *grown = realloc(next->entries, (next->count + 1) * sizeof(*grown));
	if (!grown)
		return diag_set(diag, "out of memory");
	next->entries = grown;
	if (held) {
		binding = *held;
		binding.shared = true;
		binding.adapted = !is_same(address, &held->options, options);
	} else {
		first.share = holds_port(present, address) ? SOCKET_FURTHER : SOCKET_FIRST;
		if (bind_all(&binding, next->listen ? next->listen : socket_listen, first,
			    address->kind == ADDRESS_UNIX ? 1 : workers, diag) < 0)
			return -1;
	}
	binding.options = *options;
	grown[next->count++] = binding;
	return 0;
}

void
bindings_replace(struct bindings *present, struct bindings *next)
{
	for (size_t i = 0; i < present->count; i++)
		if (!find(next, &present->entries[i].address))
			let_go(&present->entries[i]);
	forget(present);
	present->entries = next->entries;
	present->count = next->count;
	next->entries = NULL;
	next->count = 0;
	for (size_t i = 0; i < present->count; i++)
		present->entries[i].shared = false;
}

/* Give the sockets of @binding what it now wants. Returns 0, or -1 with words. */
static int
adapt(const struct binding *binding, struct diag *diag)
{
	if (has_path(&binding->address)) {
		if (socket_own(binding->address.host, &binding->options, diag) == 0)
			return 0;
		return diag_prefix(diag, "unix:%s", binding->address.host);
	}
	for (unsigned i = 0; i < binding->fd_count; i++)
		socket_prepare(binding->fds[i], binding->options.keepalive);
	return 0;
}

int
bindings_adapt(struct bindings *present, struct diag *diag)
{
	int result = 0;

	for (size_t i = 0; i < present->count; i++) {
		struct binding *binding = &present->entries[i];
		if (binding->adapted && adapt(binding, diag) < 0)
			result = -1;
		binding->adapted = false;
	}
	return result;
}

void
bindings_cancel(struct bindings *next)
{
	for (size_t i = 0; i < next->count; i++)
		if (!next->entries[i].shared)
			let_go(&next->entries[i]);
	forget(next);
}

void
bindings_release(struct bindings *present)
{
	for (size_t i = 0; i < present->count; i++)
		let_go(&present->entries[i]);
	forget(present);
}
