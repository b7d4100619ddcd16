/*
 * IdeBus: a channel with up to two ATA or ATAPI drives, as its controller sees it: the registers
 * of the task file (ATA8-ACS, ATA/ATAPI-7 volume 2) and, for DMA and interrupts, an IdeTransport
 * that the controller implements.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_BUS_H
#define HW_IDE_IDE_BUS_H

#include "hw/core/bus.h"
#include "hw/core/disk_medium.h"

#define TYPE_IDE_BUS   "IDE"
#define IDE_MAX_UNITS  2

/* Offsets in the command block; offset 0 is the data port. */
enum {
    IDE_DATA, IDE_ERROR, IDE_FEATURES = IDE_ERROR, IDE_COUNT, IDE_LBA_LOW, IDE_LBA_MID,
    IDE_LBA_HIGH, IDE_DEVICE, IDE_STATUS, IDE_COMMAND = IDE_STATUS, IDE_REGISTERS
};

/* Status, error and control bits. */
enum {
    IDE_ST_ERR = 0x01, IDE_ST_DRQ = 0x08, IDE_ST_DSC = 0x10, IDE_ST_DF = 0x20,
    IDE_ST_DRDY = 0x40, IDE_ST_BSY = 0x80,
    IDE_ER_ABRT = 0x04, IDE_ER_IDNF = 0x10, IDE_ER_UNC = 0x40, IDE_ER_ICRC = 0x80,
    IDE_CTL_NIEN = 0x02, IDE_CTL_SRST = 0x04, IDE_CTL_HOB = 0x80,
    IDE_DEV_DEV = 0x10, IDE_DEV_LBA = 0x40,
};

typedef struct IdeBus IdeBus;
typedef struct IdeDrive IdeDrive;

typedef struct IdeTransport {
    /* The channel's interrupt, nIEN taken into account. */
    void (*interrupt)(void *opaque, bool is_up);
    /*
     * Moves up to `bytes` between `buf` and the guest's memory; how many it did. 0: the engine is
     * not running (ide_bus_dma_started() will be called), or has no more room for this command.
     */
    size_t (*dma)(void *opaque, uint8_t *buf, size_t bytes, bool to_memory);
    /* The drive waits, for dma() moved nothing: may give the command up. NULL: it waits. */
    void (*dma_stalled)(void *opaque);
    /* A block of PIO data is there, or is wanted: a controller without a data port moves it now
     * with ide_bus_pio_block(). NULL: the guest uses the data port. */
    void (*pio_ready)(void *opaque, bool to_host);
    /* A command or reset has ended: the task file holds the result. NULL: nobody cares. */
    void (*ended)(void *opaque);
} IdeTransport;

struct IdeBus {
    Bus parent;
    unsigned units;
    IdeDrive *drives[IDE_MAX_UNITS]; /* borrowed */
    const IdeTransport *transport;
    void *opaque;
    uint8_t device, control;
    bool is_interrupt_pending;
};
DECLARE_CAST(IdeBus, IDE_BUS)

extern const VMState ide_bus_state;

/* A child bus of `owner`, the next free of "ide.0", "ide.1", ... or "<id>.n". */
IdeBus *ide_bus_new(Device *owner, unsigned units, const IdeTransport *transport, void *opaque);
/* Power-on and bus reset: all commands are given up. */
void ide_bus_reset(IdeBus *bus);

uint8_t ide_bus_read(IdeBus *bus, unsigned reg);
void ide_bus_write(IdeBus *bus, unsigned reg, uint8_t value);
/* The data port: 2 or 4 bytes. */
uint32_t ide_bus_read_data(IdeBus *bus, unsigned bytes);
void ide_bus_write_data(IdeBus *bus, unsigned bytes, uint32_t value);
/* The control block: alternate status, device control. */
uint8_t ide_bus_read_alt_status(IdeBus *bus);
void ide_bus_write_control(IdeBus *bus, uint8_t value);

/* Is a drive selected that exists? */
bool ide_bus_has_drive(const IdeBus *bus);
/* The DMA engine runs: a drive that waits for it goes on. */
void ide_bus_dma_started(IdeBus *bus);
/* Gives up whatever the selected drive does, without a word. */
void ide_bus_cancel(IdeBus *bus);
/* The guest stopped the engine: a DMA command that is not ended is given up. */
void ide_bus_dma_cancelled(IdeBus *bus);
/* Is a DMA command waiting for the engine (or for room)? */
bool ide_bus_dma_is_waiting(const IdeBus *bus);
/* In pio_ready(): the whole block, its size in *bytes; then ide_bus_pio_done(). */
uint8_t *ide_bus_pio_block(IdeBus *bus, size_t *bytes);
void ide_bus_pio_done(IdeBus *bus);

/* --- for controllers without a task file of their own (hw/ide/ahci*.c) --- */

/* A register FIS: all of the task file at once, then the command. */
typedef struct IdeTaskFile {
    uint8_t command, device, control;
    uint16_t features, count;
    uint64_t lba; /* 48 bits */
} IdeTaskFile;
void ide_bus_issue(IdeBus *bus, const IdeTaskFile *file);
/* The bytes of a PACKET command, when the drive waits for them. */
void ide_bus_send_packet(IdeBus *bus, const uint8_t packet[12]);
void ide_bus_get_file(const IdeBus *bus, IdeTaskFile *file, uint8_t *status, uint8_t *error);
/* What PxSIG shows of the drive. */
uint32_t ide_bus_signature(const IdeBus *bus);
DiskMedium *ide_bus_medium(const IdeBus *bus);
/* How many NCQ commands the drive queues; 0: it has no NCQ. */
unsigned ide_bus_queue_depth(const IdeBus *bus);

#endif
