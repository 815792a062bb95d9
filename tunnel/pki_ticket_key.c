/* SPDX-License-Identifier: MIT */
#include "tunnel/pki_ticket_key.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/diag.h"
#include "tunnel/command.h"
#include "tunnel/pki_arguments.h"
#include "tunnel/pki_store.h"
#include "tunnel/tls_words.h"

enum { SECRET_SIZE = 64, SECRET_MODE = 0600 };

/* May @path be replaced? A name that was mistyped must not cost another key. @was_there: it exists. */
static int
check_place(const char *path, bool *was_there, struct diag *diag)
{
	struct stat status;

	*was_there = lstat(path, &status) == 0;
	if (!*was_there && errno != ENOENT)
		return diag_set(diag, "%s: %s", path, strerror(errno));
	if (!*was_there || (S_ISREG(status.st_mode) && status.st_size == SECRET_SIZE))
		return 0;
	return diag_set(diag,
		"%s exists, is not a file of %d bytes and is not overwritten: take another name, "
		"or move it away",
		path, SECRET_SIZE);
}

static int
write_secret(const char *path, struct diag *diag)
{
	unsigned char secret[SECRET_SIZE];
	const gnutls_datum_t data = {secret, sizeof(secret)};
	int ret = gnutls_rnd(GNUTLS_RND_KEY, secret, sizeof(secret));

	if (ret < 0)
		return diag_set(diag, "random bytes: %s", tls_words(ret).text);
	ret = pki_store_replace(path, SECRET_MODE, &data, diag);
	gnutls_memset(secret, 0, sizeof(secret));
	return ret;
}

int
pki_ticket_key(const struct pki_arguments *arguments, struct diag *diag)
{
	const char *path = arguments->operands[0];
	bool was_there;

	if (check_place(path, &was_there, diag) < 0 || write_secret(path, diag) < 0)
		return EXIT_FAILED;
	printf("%s  the secret of session tickets: \"ticket-keys\" of every accepting end that is "
	       "to\n"
	       "resume the others' sessions, and nobody else's\n",
		path);
	if (was_there)
		printf("It is new: once it is loaded, sessions from before begin anew.\n");
	return EXIT_ENDED;
}
