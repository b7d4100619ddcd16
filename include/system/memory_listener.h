/*
 * Listeners: who must know the memory map itself (accelerators, vfio, vhost) is told how each new
 * view of an address space differs from the last.
 *
 * In one commit a listener gets: begin; what went, from high priority to low; what came or stayed,
 * from low to high, by address; eventfds and coalesced ranges likewise; commit. All hooks run under
 * the machine lock and may be NULL. They do not change the memory map.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_LISTENER_H
#define SYSTEM_MEMORY_LISTENER_H

#include "system/address_space.h"

typedef struct MemoryListener MemoryListener;

/* A piece of an address space that one region answers. */
typedef struct MemorySection {
    AddressSpace *as;
    GuestAddr first, last; /* inclusive */
    MemoryRegion *region;
    uint64_t offset;       /* of `first` in the region */
    uint8_t *host;         /* of `first`, if reads need no ops */
    bool is_read_only, is_nonvolatile;
    uint8_t log_mask;      /* BIT(DirtyClient) */
} MemorySection;

typedef struct MemoryListenerOps {
    const char *name;
    int priority; /* higher hears later of what comes, earlier of what goes */
    void (*begin)(MemoryListener *listener);
    void (*commit)(MemoryListener *listener);
    void (*region_add)(MemoryListener *listener, const MemorySection *section);
    void (*region_del)(MemoryListener *listener, const MemorySection *section);
    /* It is as it was. */
    void (*region_nop)(MemoryListener *listener, const MemorySection *section);
    /* A mask of clients was 0 / becomes 0, or changes in between: `old` and `new`. */
    void (*log_start)(MemoryListener *listener, const MemorySection *section, uint8_t old,
                      uint8_t new);
    void (*log_stop)(MemoryListener *listener, const MemorySection *section, uint8_t old,
                     uint8_t new);
    /* Bring what you know of written pages into the RAM block's bitmaps. */
    void (*log_sync)(MemoryListener *listener, const MemorySection *section);
    /* Bits were cleared: report the next write again. */
    void (*log_clear)(MemoryListener *listener, const MemorySection *section);
    bool (*log_global_start)(MemoryListener *listener, Error **errp);
    void (*log_global_stop)(MemoryListener *listener);
    void (*eventfd_add)(MemoryListener *listener, const MemorySection *section,
                        const MemoryEventfd *eventfd);
    void (*eventfd_del)(MemoryListener *listener, const MemorySection *section,
                        const MemoryEventfd *eventfd);
    void (*coalesced_add)(MemoryListener *listener, const MemorySection *section);
    void (*coalesced_del)(MemoryListener *listener, const MemorySection *section);
} MemoryListenerOps;

struct MemoryListener {
    const MemoryListenerOps *ops;
    AddressSpace *as;
    bool is_in_commit; /* the core's: has had its begin */
};

/* Hears at once of all that is there (begin, adds, commit); unregistering, of its going. */
void memory_listener_register(MemoryListener *listener, const MemoryListenerOps *ops,
                              AddressSpace *as);
void memory_listener_unregister(MemoryListener *listener);

#endif
