/* SPDX-License-Identifier: MIT */
/*
 * server.h - the role of serve: it takes generations from main and gives them to its workers.
 *
 * It opens nothing: configuration, keys, sockets and the log's descriptor come over the channel. A
 * generation is taken whole, or refused with words and the one before it goes on.
 */
#ifndef TUNNEL_SERVER_H
#define TUNNEL_SERVER_H

#include <stdbool.h>

#include "common/defs.h"

/*
 * Serve until main says to end or is gone; takes over @channel. Returns true if every tunnel came to
 * its own end, false if some were aborted or main was gone.
 */
MUST_USE bool server_run(int channel);

#endif
