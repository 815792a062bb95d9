/* SPDX-License-Identifier: MIT */
/*
 * tls_words.h - GnuTLS's words for its errors, fit to stand inside a sentence of ours.
 */
#ifndef TUNNEL_TLS_WORDS_H
#define TUNNEL_TLS_WORDS_H

enum { TLS_WORDS_SIZE = 256 };

/* GnuTLS's words for @error without their full stop. */
struct tls_words {
	char text[TLS_WORDS_SIZE];
};

struct tls_words tls_words(int error);

/* GnuTLS's words for an @alert that came, or ours for one that it does not know. */
const char *tls_alert_words(int alert);

#endif
