/*
 * The fw_cfg device from within its room.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NVRAM_FW_CFG_STATE_H
#define HW_NVRAM_FW_CFG_STATE_H

#include "hw/core/mmio_device.h"
#include "hw/nvram/fw_cfg.h"

#define FW_CFG_KEY_NONE  0xffff
/* Of keys: once asked for writing; now it means nothing. */
#define FW_CFG_WRITE_CHANNEL 0x4000
#define FW_CFG_MAX_FILES 0x4000
#define FW_CFG_MIN_SLOTS 0x10

typedef struct FwCfgFile {
    char name[FW_CFG_NAME_BYTES];
    FwCfgBlob blob;
} FwCfgFile;

typedef struct FwCfg {
    MmioDevice parent;
    MemoryRegion selector, data, dma; /* IO: selector is both of the first */
    FwCfgBlob keys[2][FW_CFG_FILE_FIRST]; /* generic, the architecture's */
    GArray *files;        /* of FwCfgFile, sorted by name; selectors follow the order */
    GByteArray *directory;
    uint16_t file_slots, selected;
    uint32_t offset;      /* of the next byte read */
    uint64_t dma_addr;
    uint32_t data_width;
    bool has_dma, restores_acpi;
} FwCfg;
DECLARE_CAST(FwCfg, FW_CFG)

/* fw_cfg_blobs.c */
/* NULL: there is nothing under this key. */
FwCfgBlob *fw_cfg_blob(FwCfg *s, uint16_t key);
void fw_cfg_blobs_init(FwCfg *s);
void fw_cfg_blobs_clear(FwCfg *s);
void fw_cfg_select(FwCfg *s, uint16_t key);
/* The next byte, 0 behind the end. */
uint8_t fw_cfg_next(FwCfg *s);
/* fw_cfg_dma.c: runs the command at s->dma_addr. */
void fw_cfg_dma_run(FwCfg *s);

#endif
