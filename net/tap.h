/*
 * TAP interfaces: how they are opened, named, and set up by a script or a helper.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include "net/kinds.h"

#define TAP_NAME_BYTES 16 /* IFNAMSIZ */

typedef enum TapHeader { TAP_HEADER_IF_POSSIBLE, TAP_HEADER_NO, TAP_HEADER_YES } TapHeader;

/* One queue: a descriptor that does not block, whose frames may begin with a header. */
typedef struct TapQueue {
    int fd;
    bool has_header;
} TapQueue;

/* --- tap.c --- */

typedef struct TapSpec {
    const char *id, *type;
    const char *name;        /* of the interface, for the script; may be empty */
    const char *down_script; /* NULL: none */
    const char *detail;      /* as "info network" shows it */
    const TapQueue *queues;  /* taken over */
    unsigned count;
} TapSpec;
void tap_add(const TapSpec *spec);

/* --- tap_host.c --- */

/* A new interface, or a queue of `name` (filled in if it is empty or a pattern). */
bool tap_host_open(char *name, TapHeader header, bool is_multi, TapQueue *queue, Error **errp);
/* One that somebody opened; takes it over. */
bool tap_host_adopt(int fd, TapQueue *queue, Error **errp);
/* From a helper that connects it to the bridge `br`. */
bool tap_host_ask_helper(const char *helper, const char *br, TapQueue *queue, Error **errp);
bool tap_host_run_script(const char *script, const char *name, Error **errp);
bool tap_host_limit(int fd, uint64_t bytes, Error **errp);
/* What the kernel lets undone in frames of the queue: NET_OFFLOAD_*. */
unsigned tap_host_offloads(int fd);
void tap_host_set_offload(int fd, unsigned offloads);
void tap_host_enable(int fd, bool is_on);

#endif
