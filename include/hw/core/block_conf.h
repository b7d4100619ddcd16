/*
 * BlockConf: the properties that all devices with a medium share: which one, and what the guest
 * is told of it. There is no block layer yet: naming a drive fails as for one that is not there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BLOCK_CONF_H
#define HW_CORE_BLOCK_CONF_H

#include "qom/property.h"

#define BLOCK_SIZE_UNSET UINT32_MAX

typedef struct BlockConf {
    char *drive;
    uint64_t logical_bytes, physical_bytes; /* of a block; 0: the medium's, at least 512 */
    uint64_t min_io_bytes, opt_io_bytes, discard_bytes;
    int backend_defaults, write_cache;      /* OnOffAutoValue */
    int account_invalid, account_failed;
    int rerror, werror;                     /* BlockOnError */
    int32_t boot_index;                     /* -1: not in the order */
    bool is_shared;
} BlockConf;

typedef enum BlockOnError { BLOCK_ON_ERROR_REPORT, BLOCK_ON_ERROR_IGNORE, BLOCK_ON_ERROR_ENOSPC,
                            BLOCK_ON_ERROR_STOP, BLOCK_ON_ERROR_AUTO } BlockOnError;
extern const EnumTable block_on_error_table;
extern const PropertyKind property_drive, property_block_size, property_boot_index;

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
    PROP_ENUM("rerror", S, f.rerror, block_on_error_table, .initial = BLOCK_ON_ERROR_AUTO,         \
              .doc = "Error handling policy of reads"),                                            \
    PROP_ENUM("werror", S, f.werror, block_on_error_table, .initial = BLOCK_ON_ERROR_AUTO,         \
              .doc = "Error handling policy of writes")

/* .opaque = (char *)"/disk@0,0": what firmware calls the part of the device that it boots from. */
#define PROP_BOOT_INDEX(name, S, f, ...)                                                           \
    PROP_(property_boot_index, name, S, f, .is_live = true, .has_no_default = true,                \
          .initial = -1,                                                                           \
          .doc = "Place in the order in which firmware tries to boot", __VA_ARGS__)

#endif
