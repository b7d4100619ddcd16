/*
 * Drives as -drive gives them: a medium, its options, and where on the board it goes. Boards ask
 * for those of the interfaces that they have.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef BLOCK_BLOCK_DRIVE_H
#define BLOCK_BLOCK_DRIVE_H

#include "block/block_backend.h"
#include "util/enum_table.h"
#include "util/json.h"

typedef enum BlockInterface {
    BLOCK_IF_NONE, BLOCK_IF_IDE, BLOCK_IF_SCSI, BLOCK_IF_FLOPPY, BLOCK_IF_PFLASH, BLOCK_IF_MTD,
    BLOCK_IF_SD, BLOCK_IF_VIRTIO, BLOCK_IF_XEN, BLOCK_IF_COUNT
} BlockInterface;
extern const EnumTable block_interface_names;

typedef struct BlockDrive {
    BlockBackend *backend;
    BlockInterface interface;
    unsigned bus, unit;
    bool is_cdrom;
    bool is_default; /* the user did not ask for it */
    bool is_taken;   /* a board made a device for it */
} BlockDrive;

/*
 * `keys` is an object of texts, as -drive has them, with dots in their names. Without "if" it is
 * for `interface`, without a place the first free one. NULL: it cannot be had.
 */
BlockDrive *block_drive_add(json_object *keys, BlockInterface interface, Error **errp);
/* A drive, which its device keeps without a name and a medium; or a node that a client made. */
bool block_drive_delete(const char *id, Error **errp);
/* Its device is unplugged: the drive goes with it. No effect on what is none of -drive's. */
void block_drive_forget(BlockBackend *backend);
/* What its image has goes into the one behind it, and from it; "all": of every drive. The machine
 * waits. */
bool block_drive_commit(const char *name, Error **errp);
/* media=cdrom; false also for what is none of -drive's. */
bool block_drive_is_cdrom(const BlockBackend *backend);
/* Also marks it as taken; NULL: there is none. */
BlockDrive *block_drive_take(BlockInterface interface, unsigned bus, unsigned unit);
BlockDrive *block_drive_find(BlockInterface interface, unsigned bus, unsigned unit);
/* The n-th of an interface, in the order they were given; NULL: there are no more. */
BlockDrive *block_drive_nth(BlockInterface interface, unsigned n);
/* How many units each bus of an interface has on this board; 0: there is one endless bus. */
void block_drive_set_units(BlockInterface interface, unsigned units);
/* False: the board has no place for one that a user asked for. */
bool block_drives_check(Error **errp);
void block_drives_cleanup(void);

#endif
