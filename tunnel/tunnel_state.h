/* SPDX-License-Identifier: MIT */
/*
 * tunnel_state.h - what a tunnel is made of, for tunnel.c, which moves it, and report.c, which tells of it.
 */
#ifndef TUNNEL_TUNNEL_STATE_H
#define TUNNEL_TUNNEL_STATE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/list.h"
#include "tunnel/dial.h"
#include "tunnel/loop.h"
#include "tunnel/relay.h"
#include "tunnel/stream.h"

struct greeting;
struct group;
struct service;
struct transport;

enum tunnel_state {
	TUNNEL_GREETING,
	TUNNEL_HANDSHAKING,
	TUNNEL_DIALING,
	TUNNEL_RELAYING,
	TUNNEL_OVER,
};

struct tunnel {
	struct list link; /* on the loop's list */
	struct loop *loop;
	struct group *group;	   /* as long as the service is not chosen */
	struct service *service;   /* until then the group's main one */
	struct greeting *greeting; /* while greeting */
	char *sni;		   /* the name that the client sent; NULL: none */
	uint64_t serial;
	enum tunnel_state state : 8;
	enum io wanted : 8;	 /* while handshaking: what for */
	bool half_closed;	 /* one way has ended */
	bool client_ended_first; /* once half-closed */
	bool starved;		 /* reads nothing until there is memory for it, or it has waited */
	struct transport *client, *backend;
	struct relay to_backend, to_client;
	struct waker waker; /* of both streams */
	struct turn turn;
	struct ev_timer timer;
	struct dial *dial;
	struct dial_waiter waiter;
	struct packed_endpoint *client_address;
	struct packed_endpoint *backend_address; /* the one that failed, too; NULL: not known */
	double started, active; /* by common/clock.h: of the accept, of the last byte */
};

#endif
