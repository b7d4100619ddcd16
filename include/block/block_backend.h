/*
 * BlockBackend: what a device has of a drive, whether a medium is in it or not: requests, the
 * tray, what happens to errors, counts. Named ones come from -drive; a device that is given a
 * node gets one without a name.
 *
 * Machine lock, but for requests, which follow block_submit().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_BACKEND_H
#define BLOCK_BLOCK_BACKEND_H

#include "block/block_node.h"
#include "util/notifier.h"

typedef struct BlockBackend BlockBackend;

/* What a device does for its drive; any may be NULL. */
typedef struct BlockDeviceOps {
    /* Its id or path, as clients know it; free it. */
    char *(*name)(void *opaque);
    /* Another medium, or another size. */
    void (*changed)(void *opaque);
    /* A medium comes or goes: the device looks, its tray does what that means. */
    void (*load)(void *opaque, bool is_loaded);
    /* The user would like to have it; `is_forced`: the guest was not asked. */
    void (*eject_request)(void *opaque, bool is_forced);
    bool (*is_tray_open)(void *opaque);
    bool (*is_locked)(void *opaque);
    bool has_removable;
} BlockDeviceOps;

typedef enum BlockErrorPolicy {
    BLOCK_ERROR_REPORT, BLOCK_ERROR_IGNORE, BLOCK_ERROR_ENOSPC, BLOCK_ERROR_STOP, BLOCK_ERROR_AUTO
} BlockErrorPolicy;

/* --- making them --- */

/* `name` NULL: none. One reference. */
BlockBackend *block_backend_new(const char *name, Error **errp);
BlockBackend *block_backend_ref(BlockBackend *drive);
void block_backend_unref(BlockBackend *drive); /* NULL is fine; the last waits for requests */
/* By name; borrowed, or NULL. */
BlockBackend *block_backend_find(const char *name);
/* By the device's id or path too; with an error. */
BlockBackend *block_backend_of_device(const char *id, Error **errp);
const char *block_backend_name(const BlockBackend *drive); /* "" if it has none */
/* All, in the order they were made. */
void block_backend_each(void (*fn)(void *opaque, BlockBackend *drive), void *opaque);
/* The drive forgets its name: it is gone as soon as its device is. */
void block_backend_hide(BlockBackend *drive);

/* --- the medium --- */

/* Takes a reference of its own. */
bool block_backend_insert(BlockBackend *drive, BlockNode *node, Error **errp);
/* Waits for requests. */
void block_backend_remove(BlockBackend *drive);
BlockNode *block_backend_node(const BlockBackend *drive); /* NULL: no medium */
uint64_t block_backend_bytes(const BlockBackend *drive);  /* 0: no medium */
bool block_backend_is_read_only(const BlockBackend *drive);

/* --- the device --- */

/* One at a time. `opaque` lives until it detaches. */
bool block_backend_attach(BlockBackend *drive, const BlockDeviceOps *ops, void *opaque,
                          Error **errp);
void block_backend_detach(BlockBackend *drive);
bool block_backend_has_device(const BlockBackend *drive);
/* What the device does with a medium, now and in future. */
bool block_backend_set_perms(BlockBackend *drive, unsigned perms, unsigned shared, Error **errp);
/* Off: what has been written is durable. */
void block_backend_set_write_cache(BlockBackend *drive, bool is_on);
bool block_backend_has_write_cache(const BlockBackend *drive);
void block_backend_set_policy(BlockBackend *drive, BlockErrorPolicy on_read,
                              BlockErrorPolicy on_write);
BlockErrorPolicy block_backend_policy(const BlockBackend *drive, bool is_read);
/* Whether requests that made no sense, or failed, count as use of the drive. */
void block_backend_set_accounting(BlockBackend *drive, bool of_invalid, bool of_failed);
void block_backend_accounting(const BlockBackend *drive, bool *of_invalid, bool *of_failed);
/* What its requests came to so far. */
void block_backend_use(const BlockBackend *drive, BlockOp op, uint64_t *operations,
                       uint64_t *bytes);
/* The guest moved its tray: clients are told. */
void block_backend_tray_moved(BlockBackend *drive, bool is_open);

/* --- requests --- */

/* Bounds, permission and policy are looked after. It ends with 0 or a negative errno. */
void block_backend_submit(BlockBackend *drive, BlockRequest *request);
/* Blocking, in this thread; counted, without policy. Not while others are under way. */
int block_backend_io(BlockBackend *drive, const BlockIo *io);
int block_backend_read(BlockBackend *drive, uint64_t offset, void *buf, size_t bytes);
int block_backend_write(BlockBackend *drive, uint64_t offset, const void *buf, size_t bytes);
/* Requests that make no sense, which the device refused itself. */
void block_backend_count_invalid(BlockBackend *drive, BlockOp op);
/* Waits until none is under way. Those that wait for the VM to run are given up (-ECANCELED)
 * with `gives_up`. */
void block_backend_drain(BlockBackend *drive, bool gives_up);
void block_drain_all(void);
/* None begins until block_backend_end_quiet(); nests. */
void block_backend_begin_quiet(BlockBackend *drive);
void block_backend_end_quiet(BlockBackend *drive);

/* --- what the machine does for drives --- */

typedef struct BlockMachineOps {
    void (*stop)(void);       /* for an error: "io-error" */
} BlockMachineOps;
void block_set_machine_ops(const BlockMachineOps *ops);
/* The VM runs (again), or no longer: failed requests are tried again; all is waited for and
 * written. */
void block_vm_runs(void);
void block_vm_stopped(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BlockBackend, block_backend_unref)

#endif
