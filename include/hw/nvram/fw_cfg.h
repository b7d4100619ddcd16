/*
 * fw_cfg: named and numbered blobs that the machine hands to its firmware.
 *
 * Blobs are in host memory and owned by the device unless said otherwise. A guest reads them
 * through a selector and a data register, or by DMA, which can also write those that allow it.
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NVRAM_FW_CFG_H
#define HW_NVRAM_FW_CFG_H

#include "hw/core/device.h"
#include "util/json.h"

#define TYPE_FW_CFG     "fw_cfg"
#define TYPE_FW_CFG_IO  "fw_cfg_io"
#define TYPE_FW_CFG_MEM "fw_cfg_mem"

#define FW_CFG_IO_PORT    0x510
#define FW_CFG_NAME_BYTES 56 /* of a file, with the NUL */

enum {
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04, FW_CFG_NB_CPUS = 0x05, FW_CFG_MACHINE_ID = 0x06,
    FW_CFG_KERNEL_ADDR = 0x07, FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_KERNEL_CMDLINE = 0x09,
    FW_CFG_INITRD_ADDR = 0x0a, FW_CFG_INITRD_SIZE = 0x0b, FW_CFG_BOOT_DEVICE = 0x0c,
    FW_CFG_NUMA = 0x0d, FW_CFG_BOOT_MENU = 0x0e, FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10, FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13, FW_CFG_CMDLINE_SIZE = 0x14, FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16, FW_CFG_SETUP_SIZE = 0x17, FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_ARCH_LOCAL = 0x8000,
};

/* A guest has selected the blob: bring it up to date. */
typedef void FwCfgSelectFn(void *opaque);
/* A guest has written `bytes` at `offset`. */
typedef void FwCfgWriteFn(void *opaque, size_t offset, size_t bytes);

typedef struct FwCfgBlob {
    void *data;
    size_t size;
    bool is_borrowed;    /* not freed with the device */
    bool is_writable;
    FwCfgSelectFn *select;
    FwCfgWriteFn *written;
    void *opaque;        /* of both */
} FwCfgBlob;

/* The one of this machine, or NULL. */
Device *fw_cfg_find(void);
bool fw_cfg_has_dma(Device *dev);
/* For the keys above, FW_CFG_FILE_DIR not among them; what was there is replaced. */
void fw_cfg_set(Device *dev, uint16_t key, const FwCfgBlob *blob);
/* A copy; integers are little-endian, strings with their NUL. */
void fw_cfg_set_copy(Device *dev, uint16_t key, const void *data, size_t bytes);
void fw_cfg_set_u16(Device *dev, uint16_t key, uint16_t value);
void fw_cfg_set_u32(Device *dev, uint16_t key, uint32_t value);
void fw_cfg_set_u64(Device *dev, uint16_t key, uint64_t value);
void fw_cfg_set_string(Device *dev, uint16_t key, const char *text);
/* Sorted by name. Fails when there is one of this name or no room; then `blob` is the caller's. */
bool fw_cfg_add_file(Device *dev, const char *name, const FwCfgBlob *blob, Error **errp);
/* Replaces the contents of a file, or adds it. */
bool fw_cfg_modify_file(Device *dev, const char *name, const FwCfgBlob *blob, Error **errp);
/* Of a file; NULL: there is none. Borrowed. */
const FwCfgBlob *fw_cfg_file(Device *dev, const char *name);
/* -fw_cfg: {"name": N, "file": F | "string": S}. */
bool fw_cfg_add_option(Device *dev, json_object *options, Error **errp);

#endif
