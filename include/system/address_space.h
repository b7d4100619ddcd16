/*
 * Address spaces: what a bus master sees, and how it reads and writes.
 *
 * Making and destroying them is guarded by the machine lock. Accesses need no lock (a registered
 * thread, util/rcu.h): what an address means is looked up in an immutable view. Devices that are
 * reached are called under the machine lock, unless they declare .is_lock_free.
 *
 * An access may cross regions; it is done in order of address, and goes on past what fails. Results
 * are or-ed. Nothing at an address: reads give all ones, writes are dropped, MEM_TX_DECODE_ERROR.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_ADDRESS_SPACE_H
#define SYSTEM_ADDRESS_SPACE_H

#include "system/memory.h"
#include "util/rcu.h"

struct AddressSpace {
    char *name;
    MemoryRegion *root;
    /* The rest is the core's own. */
    struct FlatView *view; /* RCU */
    GList link;
    GPtrArray *listeners;  /* by priority */
    GArray *eventfds;      /* as listeners know them */
    size_t bounce_limit, bounce_used; /* bytes; atomic */
    GSList *map_retries;
};

/* `name` is copied, `root` borrowed. */
void address_space_init(AddressSpace *as, MemoryRegion *root, const char *name);
/* Its listeners must be gone. Readers may go on, and find nothing: free it after rcu_wait(). */
void address_space_clear(AddressSpace *as);

/* What every machine has: "memory" over the region "system", "I/O" over "io" (64 KiB). */
AddressSpace *address_space_system(void);
AddressSpace *address_space_io(void);
MemoryRegion *memory_region_system(void);
MemoryRegion *memory_region_io(void);

MemTxResult address_space_read(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, void *buf,
                               size_t bytes);
MemTxResult address_space_write(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                const void *buf, size_t bytes);
/* As address_space_read(), but what cannot be read gives zeros (the qtest protocol). */
MemTxResult address_space_read_or_zero(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                       void *buf, size_t bytes);
/* Writes RAM and ROM alike, skips everything else: for loaders and debuggers. */
MemTxResult address_space_write_rom(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                    const void *buf, size_t bytes);
MemTxResult address_space_fill(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, uint8_t value,
                               uint64_t bytes);

/*
 * One access of the format's size: in one piece in RAM when aligned, and as one access to a device
 * that takes the size and has all of it, whatever else covers its further bytes. *value is all
 * ones where it fails.
 */
MemTxResult address_space_load(AddressSpace *as, GuestAddr addr, MemFormat format,
                               MemTxAttrs attrs, uint64_t *value);
MemTxResult address_space_store(AddressSpace *as, GuestAddr addr, MemFormat format,
                                MemTxAttrs attrs, uint64_t value);
/* A 64-byte store in one piece, `addr` aligned to 64 (MOVDIR64B; ENQCMD if is_deferrable). */
MemTxResult address_space_store64(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs,
                                  const uint8_t data[64]);
/* Would an access be answered? Asks no device but .valid. */
bool address_space_accepts(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, uint64_t bytes,
                           bool is_write);

/* Where an address leads. */
typedef struct MemoryTarget {
    MemoryRegion *region; /* NULL: nobody is there (or a translation was refused) */
    uint64_t offset;      /* in the region */
    uint64_t bytes;       /* from here, how many go on in the same region; at least 1 */
    void *host;           /* RAM, ROM: the byte itself; NULL if this kind of access needs ops */
    bool is_writable;     /* through `host` */
    MemTxResult result;   /* why region is NULL */
} MemoryTarget;
/* Follows IOMMUs. Inside rcu_lock(); the answer is good until rcu_unlock(). */
void address_space_find(AddressSpace *as, GuestAddr addr, MemTxAttrs attrs, bool is_write,
                        MemoryTarget *target);

/*
 * A piece of an address space as host memory. RAM is mapped in place; anything else through a
 * bounce buffer, filled when mapped for reading and written back by unmap. `bytes` of the map may
 * be less than asked for: map the rest on its own. `host` NULL: nothing could be mapped (no RAM
 * there and no room for bounce buffers). Until unmapped, the RAM is not freed.
 */
typedef struct MemoryMap {
    void *host;
    size_t bytes;
    /* The rest is the core's own. */
    AddressSpace *as;
    MemoryRegion *region;
    GuestAddr addr;
    uint64_t offset;
    MemTxAttrs attrs;
    bool is_write, is_bounce;
    bool is_held; /* by another map of the region */
} MemoryMap;
bool address_space_map_read(MemoryMap *map, AddressSpace *as, GuestAddr addr, size_t bytes,
                            MemTxAttrs attrs);
bool address_space_map_write(MemoryMap *map, AddressSpace *as, GuestAddr addr, size_t bytes,
                             MemTxAttrs attrs);
/* The same, of the kind that `first` is, which stays longer: what both are in is held once. */
bool address_space_map_beside(MemoryMap *map, const MemoryMap *first, GuestAddr addr,
                              size_t bytes);
/* The first `written` bytes were changed (mapped for writing): marks or writes them. */
MemTxResult address_space_unmap(MemoryMap *map, size_t written);
/* How many bytes bounce buffers of this address space may take together; 4096 at first. */
void address_space_set_bounce_limit(AddressSpace *as, size_t bytes);
/* Calls fn once, from the thread that frees, when bounce buffers are freed after a map failed. */
typedef void MapRetryFn(void *opaque);
void address_space_on_map_retry(AddressSpace *as, MapRetryFn *fn, void *opaque);
void address_space_cancel_map_retry(AddressSpace *as, MapRetryFn *fn, void *opaque);

#endif
