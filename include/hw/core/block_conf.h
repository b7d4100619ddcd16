/*
 * BlockConf: the properties that all devices with a medium share: which one, and what the guest
 * is told of it. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BLOCK_CONF_H
#define HW_CORE_BLOCK_CONF_H

#include "block/block_backend.h"
#include "qom/property.h"

struct Device;

#define BLOCK_SIZE_UNSET UINT32_MAX

typedef struct BlockConf {
    BlockBackend *drive; /* referenced; NULL: none was given */
    uint64_t logical_bytes, physical_bytes; /* of a block; 0: the medium's, at least 512 */
    uint64_t min_io_bytes, opt_io_bytes, discard_bytes;
    int backend_defaults, write_cache;      /* OnOffAutoValue */
    int account_invalid, account_failed;
    int rerror, werror;                     /* BlockErrorPolicy */
    int32_t boot_index;                     /* -1: not in the order */
    uint32_t lcyls, lheads, lsecs;          /* geometry for firmware; 0: it finds one */
    bool is_shared;
} BlockConf;

extern const EnumTable block_on_error_table;
extern const PropertyKind property_drive, property_block_size, property_boot_index;

/* What the device is to its drive. */
typedef struct BlockConfUse {
    const BlockDeviceOps *ops; /* without .name, which is the device's id or path */
    bool is_read_only;   /* it never writes */
    bool has_removable;  /* a drive without a medium is made if there is none */
    bool is_resizable;   /* it tells the guest of new sizes */
} BlockConfUse;

/*
 * In realize: the device has the drive from now on, and `opaque` is for its ops. Fails without a
 * medium, unless it can be removed.
 */
bool block_conf_attach(BlockConf *conf, struct Device *dev, const BlockConfUse *use, void *opaque,
                       Error **errp);
/* In unrealize; also when it was not attached. Requests are waited for, or given up. */
void block_conf_detach(BlockConf *conf);
/* In unrealize of what can be unplugged: a drive of -drive's goes with its device. */
void block_conf_release(BlockConf *conf);
/* For ops->name of a device that is the `opaque`. */
char *block_conf_device_name(void *dev);
/* Sizes of blocks fit each other and the medium; what is 0 becomes what the medium has. */
bool block_conf_check_sizes(BlockConf *conf, Error **errp);

/* Rows for a table of properties; `f` is a BlockConf. */
#define PROP_BLOCK_CONF(S, f)                                                                      \
    PROP_(property_drive, "drive", S, f.drive, .has_no_default = true,                             \
          .doc = "Node name or ID of a block device to use as a backend"),                         \
    PROP_ON_OFF_AUTO("backend_defaults", S, f.backend_defaults,                                    \
                     .doc = "Take sizes from the back end"),                                       \
    PROP_(property_block_size, "logical_block_size", S, f.logical_bytes,                           \
          .doc = "A power of two between 512 B and 2 MiB"),                                        \
    PROP_(property_block_size, "physical_block_size", S, f.physical_bytes,                         \
          .doc = "A power of two between 512 B and 2 MiB"),                                        \
    PROP_SIZE("min_io_size", S, f.min_io_bytes, .doc = "Smallest transfer that is not slow"),      \
    PROP_SIZE("opt_io_size", S, f.opt_io_bytes, .doc = "Transfers of this size are fastest"),      \
    PROP_SIZE("discard_granularity", S, f.discard_bytes, .initial = BLOCK_SIZE_UNSET,              \
              .doc = "Bytes that are discarded together"),                                         \
    PROP_ON_OFF_AUTO("write-cache", S, f.write_cache, .doc = "Whether writes may be cached"),      \
    PROP_BOOL("share-rw", S, f.is_shared, .doc = "Others may write the same medium"),              \
    PROP_ON_OFF_AUTO("account-invalid", S, f.account_invalid,                                      \
                     .doc = "Count requests that make no sense"),                                  \
    PROP_ON_OFF_AUTO("account-failed", S, f.account_failed, .doc = "Count requests that failed")

#define PROP_BLOCK_ERRORS(S, f)                                                                    \
    PROP_ENUM("rerror", S, f.rerror, block_on_error_table, .initial = BLOCK_ERROR_AUTO,         \
              .doc = "Error handling policy of reads"),                                            \
    PROP_ENUM("werror", S, f.werror, block_on_error_table, .initial = BLOCK_ERROR_AUTO,         \
              .doc = "Error handling policy of writes")

#define PROP_BLOCK_FIRMWARE_CHS(S, f)                                                              \
    PROP_U32("lcyls", S, f.lcyls, .doc = "Cylinders firmware shall use"),                          \
    PROP_U32("lheads", S, f.lheads, .doc = "Heads firmware shall use"),                            \
    PROP_U32("lsecs", S, f.lsecs, .doc = "Sectors firmware shall use")

/* .opaque = (char *)"/disk@0,0": what firmware calls the part of the device that it boots from. */
#define PROP_BOOT_INDEX(name, S, f, ...)                                                           \
    PROP_(property_boot_index, name, S, f, .is_live = true, .has_no_default = true,                \
          .initial = -1,                                                                           \
          .doc = "Place in the order in which firmware tries to boot", __VA_ARGS__)

#endif
