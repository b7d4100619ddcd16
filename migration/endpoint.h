/*
 * Endpoint: an address opened for one migration, and the stream through it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_ENDPOINT_H
#define MIGRATION_ENDPOINT_H

#include "migration/address.h"
#include "migration/stream.h"

typedef enum EndpointDirection { ENDPOINT_OUTGOING, ENDPOINT_INCOMING } EndpointDirection;
typedef struct Endpoint Endpoint;

/*
 * Opens files, starts commands, listens, takes descriptors: what can fail at once. Machine lock;
 * in the thread of the monitor whose descriptors are meant. NULL with *errp set.
 */
Endpoint *endpoint_new(const MigrationAddress *address, EndpointDirection direction, Error **errp);
/* A command that still runs is killed. NULL is fine. */
void endpoint_free(Endpoint *e);

/* Where a listening endpoint can be reached; NULL if it does not listen on a socket. Free it. */
SocketAddress *endpoint_listening_at(Endpoint *e);

/* Cancelling the stream ends what follows. Valid as long as the endpoint. */
MigrationStream *endpoint_stream(Endpoint *e);
/* Connects, or waits for the one connection. Migration thread, no lock. */
bool endpoint_connect(Endpoint *e, Error **errp);
/* All was written (or read): waits for what a command says of it. Migration thread, no lock. */
bool endpoint_finish(Endpoint *e, Error **errp);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Endpoint, endpoint_free)

#endif
