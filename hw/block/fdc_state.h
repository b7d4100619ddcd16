/*
 * Fdc: a floppy disk controller; what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_FDC_STATE_H
#define HW_BLOCK_FDC_STATE_H

#include "hw/block/fdc.h"
#include "hw/core/block_conf.h"
#include "hw/core/bus.h"
#include "hw/core/disk_backend.h"
#include "hw/isa/isa_dma.h"

#define FDC_MAX_PARAMS 17
#define FDC_MAX_TRACK  84

typedef struct FdcGeometry {
    uint8_t last_sector, tracks, heads;
} FdcGeometry;

typedef struct FloppyBus {
    Bus parent;
    struct Fdc *fdc;
} FloppyBus;
DECLARE_CAST(FloppyBus, FLOPPY_BUS)

typedef struct Floppy {
    Device parent;
    BlockConf conf;     /* properties */
    uint32_t unit;
    int wanted_type;    /* FdcDriveType */
    FdcDriveType type;
    DiskBackend backend;
    DiskMedium *medium; /* borrowed; NULL: none is in */
    FdcGeometry geometry;
} Floppy;
DECLARE_CAST(Floppy, FLOPPY)

typedef enum FdcPhase { FDC_COMMAND, FDC_DATA, FDC_RESULT } FdcPhase;

/* What the controller keeps of a drive, whether it is there or not. */
typedef struct FdcDrive {
    uint8_t track;
    bool has_changed; /* the disk, since the head last moved */
} FdcDrive;

typedef struct Fdc {
    IsaDevice parent;
    MemoryRegion ports[2];
    IrqLine irq;
    Timer id_timer;         /* READ ID waits for an address mark */
    FloppyBus *bus;
    Floppy *floppies[FDC_DRIVES];
    uint32_t iobase, irq_number, dma_channel; /* properties */
    int wanted_types[FDC_DRIVES], fallback;
    int32_t boot_index[FDC_DRIVES];
    /* registers */
    uint8_t dor, tdr, dsr, ccr, sra;
    uint8_t status0;
    uint8_t resets_to_sense;  /* polling after a reset: one for each of four drives */
    uint8_t srt_hut, hlt_nd, config, pretrk, perpendicular, options;
    bool is_locked;
    FdcDrive drives[4];
    /* a command */
    uint8_t phase, current;   /* current: drive */
    uint8_t fifo[FDC_MAX_PARAMS + 1];
    uint8_t pos, length;      /* in the fifo */
    /* its data */
    uint32_t total, done;     /* bytes */
    uint8_t cylinder, head, sector, size_code;
    uint8_t status1, status2;
    bool has_sector, is_waiting, is_scan_equal, is_dma;
    uint8_t buffer[DISK_SECTOR_BYTES];
    DiskRequest request;
} Fdc;
DECLARE_CAST(Fdc, FDC)

/* floppy.c */
extern const EnumTable fdc_drive_type_table;

/* fdc_command.c */
uint8_t fdc_read_data(Fdc *fdc);
void fdc_write_data(Fdc *fdc, uint8_t value);
uint8_t fdc_main_status(const Fdc *fdc);
void fdc_reset(Fdc *fdc, bool is_hard);
void fdc_set_irq(Fdc *fdc, bool is_up);
void fdc_finish(Fdc *fdc, uint8_t status0, uint8_t status1, uint8_t status2);
void fdc_read_id_done(Fdc *fdc);
Floppy *fdc_floppy(const Fdc *fdc, unsigned n); /* NULL: none, or no disk in it */

/* fdc_transfer.c */
void fdc_start_transfer(Fdc *fdc);
void fdc_start_format(Fdc *fdc);
/* Moves on as far as it goes. */
void fdc_run(Fdc *fdc);
uint8_t fdc_pio_read(Fdc *fdc);
void fdc_pio_write(Fdc *fdc, uint8_t value);
size_t fdc_dma(void *opaque, unsigned channel, size_t done, size_t bytes);
void fdc_cancel(Fdc *fdc);

#endif
