/*
 * What the files of the memory core share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_CORE_H
#define SYSTEM_MEMORY_CORE_H

#include "system/address_space.h"
#include "system/flat_view.h"
#include "system/memory_listener.h"

/* --- changes (memory_transaction.c), under the machine lock --- */

/* What is seen through `mr` changed: all that it is part of will be rendered again. */
void memory_changed(MemoryRegion *mr);
/* `mr` goes away. */
void memory_forget_changed(MemoryRegion *mr);
/* Doorbells or coalescing changed: listeners are told at the commit. */
void memory_eventfds_changed(void);
/* All address spaces, in the order they were made: GList of AddressSpace. */
const GList *address_space_list(void);

/* --- logs (memory_log.c) --- */

/* BIT(DirtyClient): the region's own and those of all RAM. */
uint8_t memory_region_log_mask(const MemoryRegion *mr);

/* --- listeners (memory_listener.c) --- */

/* Tells the listeners of `as` how `view` differs from what it shows now. */
void address_space_notify(AddressSpace *as, FlatView *view);
void address_space_notify_eventfds(AddressSpace *as, FlatView *view);
/* Its begin, unless it had that in this commit. */
void memory_listener_enter_commit(MemoryListener *listener);
/* Ends the commit for all that had their begin. */
void memory_listeners_commit(void);
MemorySection memory_section_of(AddressSpace *as, const FlatRange *range);

/* --- doorbells and coalescing (memory_eventfd.c) --- */

/* To one listener, all that its address space has; before and after it is in the list. */
void memory_listener_add_eventfds(MemoryListener *listener);
void memory_listener_del_eventfds(MemoryListener *listener);
void memory_region_clear_eventfds(MemoryRegion *mr);
/* Signals the doorbells a write matches; false if there is none. Takes no lock. */
bool memory_ring_eventfds(MemoryRegion *mr, uint64_t offset, unsigned bytes, uint64_t value);
void memory_flush_coalesced(void);

/* --- host memory (memory_host.c) --- */

uint64_t memory_host_load(const void *at, MemFormat format);
void memory_host_store(void *at, MemFormat format, uint64_t value);

/* --- access (memory_dispatch.c) --- */

/* One access to a device, of 1, 2, 4 or 8 bytes. */
MemTxResult memory_dispatch_read(MemoryRegion *mr, uint64_t offset, MemFormat format,
                                 MemTxAttrs attrs, uint64_t *value);
MemTxResult memory_dispatch_write(MemoryRegion *mr, uint64_t offset, MemFormat format,
                                  MemTxAttrs attrs, uint64_t value);
/* Does a store of 64 bytes reach it in one piece? */
bool memory_dispatch_takes_64(const MemoryRegion *mr, uint64_t offset);
MemTxResult memory_dispatch_write64(MemoryRegion *mr, uint64_t offset, MemTxAttrs attrs,
                                    const uint8_t data[64]);
bool memory_dispatch_accepts(MemoryRegion *mr, uint64_t offset, unsigned bytes, bool is_write,
                             MemTxAttrs attrs);
/* Of `bytes` of a buffer that reaches `mr` at `offset`, how many go into the next access. */
unsigned memory_dispatch_step(const MemoryRegion *mr, uint64_t offset, uint64_t bytes);

#endif
