/*
 * The user network's parts: the stack, and how its options are read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_USER_H
#define NET_USER_H

#include <slirp/libslirp.h>

#include "chardev/frontend.h"
#include "net/kinds.h"
#include "net/slirp_source.h"

/* A port of the network that leads to a chardev. */
typedef struct UserPort {
    struct UserNet *net;
    CharFrontend line;
    char *own;         /* the id of a chardev that was made for it; NULL: somebody else's */
    struct in_addr addr;
    int port;
} UserPort;

typedef struct UserNet {
    NetEnd end;
    Slirp *slirp;
    SlirpSource *source;
    char *detail;
    GPtrArray *ports; /* UserPort, owned */
    char *smb_folder; /* what a file server keeps; NULL: there is none */
    bool is_burst;
} UserNet;

/* `config` points into the options and *search; free that when the stack has been made. */
bool user_config(const NetdevUserOptions *options, SlirpConfig *config, GPtrArray **search,
                 Error **errp);

/* [tcp|udp]:[HOSTADDR]:PORT-[GUESTADDR]:PORT */
typedef struct UserForward {
    bool is_udp;
    struct in_addr host, guest;
    int host_port, guest_port;
} UserForward;
/* Without the guest's part if it is to be removed. */
bool user_parse_forward(const char *rule, bool has_guest, UserForward *out, Error **errp);
/* --- net/user_state.c --- */
void user_state_save(NetEnd *end, NetSaved *saved);
bool user_state_load(NetEnd *end, const NetSaved *saved, Error **errp);

/* --- net/user_smb.c --- */
/* `server`: its address; NULL: the usual one. */
bool user_smb_add(UserNet *net, const char *folder, const char *server, Error **errp);
void user_smb_clear(UserNet *net);

/* --- net/user_ports.c --- */
bool user_add_port(UserNet *net, const char *rule, Error **errp);
void user_port_free(void *port);
/* The guest may have connected, or taken what came: there may be room for more. */
void user_ports_go_on(UserNet *net);

#endif
