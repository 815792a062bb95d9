/* SPDX-License-Identifier: MIT */
/*
 * plain.h - the stream of a plaintext socket: what is sent is what is received.
 */
#ifndef TUNNEL_PLAIN_H
#define TUNNEL_PLAIN_H

struct stream_ops;

extern const struct stream_ops plain_ops;

#endif
