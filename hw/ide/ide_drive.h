/*
 * IdeDrive: an ATA or ATAPI drive behind an IdeBus; what the files of this folder share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_IDE_DRIVE_H
#define HW_IDE_IDE_DRIVE_H

#include "hw/core/cd_drive.h"
#include "hw/ide/ide_bus.h"

#define IDE_BUFFER_SECTORS 128
#define IDE_BUFFER_BYTES   (IDE_BUFFER_SECTORS * DISK_SECTOR_BYTES)
#define IDE_PACKET_BYTES   12
#define IDE_MAX_MULTIPLE   16
#define IDE_NCQ_DEPTH      32

/* What the drive waits for, or does next (ide_transfer.c). */
typedef enum IdePhase {
    IDE_IDLE,
    IDE_LOAD,    /* ask the medium for a buffer */
    IDE_LOADED,  /* the medium answers */
    IDE_IN,      /* the buffer goes to the host */
    IDE_OUT,     /* the host fills the buffer */
    IDE_STORE,   /* give the buffer to the medium, or to who asked for it */
    IDE_STORED,
    IDE_SYNC,    /* flush, discard: no data */
    IDE_PACKET,  /* the host sends a packet */
    IDE_PHASES
} IdePhase;

/* A chain of registers that a LBA48 command reads two deep: [0] is the last written. */
typedef uint8_t IdePair[2];

struct IdeDrive {
    Device *dev;
    IdeBus *bus;
    unsigned unit;
    bool is_cd;
    DiskMedium *medium;       /* borrowed; NULL: none is in */
    /* what the drive says of itself */
    const char *model, *serial, *firmware; /* borrowed from the device */
    uint64_t wwn;
    uint16_t rotation_rate;
    unsigned physical_exponent; /* of a physical sector, in logical ones */
    uint32_t cyls, heads, secs; /* default translation */
    /* registers */
    IdePair features, count, lba_low, lba_mid, lba_high;
    uint8_t device, status, error, command;
    /* set by the guest */
    uint8_t multiple;        /* sectors of a block of READ MULTIPLE; 0: not set */
    uint8_t udma, mdma;      /* selected modes, as bits */
    uint8_t now_heads, now_secs; /* INITIALIZE DEVICE PARAMETERS */
    bool has_write_cache, had_write_cache; /* had_: at power on */
    bool has_look_ahead, has_smart, has_smart_autosave;
    uint8_t smart_selftest;
    uint8_t power;           /* CHECK POWER MODE's answer */
    /* a transfer */
    uint8_t phase;
    bool is_dma, is_pulled;  /* is_pulled: the loop in ide_transfer.c is running */
    bool is_waiting;         /* for the medium */
    int io_error;
    DiskRequest request;
    uint64_t sector;
    uint32_t left, block;    /* sectors */
    uint32_t pos, end, stop; /* in the buffer: host's place, what there is, end of a PIO block */
    uint32_t limit;          /* bytes of a PIO block; ATAPI */
    uint32_t buffer_bytes;
    uint8_t *buffer;
    /* ATAPI */
    uint8_t packet[IDE_PACKET_BYTES];
    CdDrive cd;
};

/* --- ide_channel.c --- */

void ide_drive_interrupt(IdeDrive *drive);
/* Registers as after a reset, with the signature. */
void ide_drive_set_signature(IdeDrive *drive);

/* --- ide_device.c --- */

bool ide_device_place(IdeBus *bus, Device *dev, Error **errp);

/* --- ide_command.c --- */

void ide_drive_command(IdeDrive *drive, uint8_t command);
/* A buffer from the host is whole, for a command that is no write. */
void ide_drive_take_buffer(IdeDrive *drive);
/* DATA SET MANAGEMENT: the next range of the buffer is being discarded; false: that was the last. */
bool ide_drive_discard_next(IdeDrive *drive);
/* READ VERIFY: what is read goes nowhere. */
bool ide_drive_is_verifying(const IdeDrive *drive);
/* What a drive forgets when it is reset; SRST keeps more. */
void ide_drive_reset(IdeDrive *drive, bool is_hard);

/* --- ide_transfer.c --- */

void ide_run(IdeDrive *drive);
/* From the medium: `block` sectors at a time. */
void ide_start_read(IdeDrive *drive, uint64_t sector, uint32_t sectors, uint32_t block,
                    bool is_dma);
void ide_start_write(IdeDrive *drive, uint64_t sector, uint32_t sectors, uint32_t block,
                     bool is_dma);
void ide_start_sync(IdeDrive *drive, DiskOp op);
/* `bytes` of the buffer to the host, or from it to ide_drive_take_buffer(). */
void ide_send_buffer(IdeDrive *drive, uint32_t bytes, bool is_dma);
void ide_receive_buffer(IdeDrive *drive, uint32_t bytes, bool is_dma);
void ide_finish(IdeDrive *drive);             /* well; interrupts */
void ide_fail(IdeDrive *drive, uint8_t error);
void ide_cancel(IdeDrive *drive);

/* --- ide_identify.c, ide_smart.c, ide_discard.c --- */

void ide_identify_disk(const IdeDrive *drive, uint8_t data[DISK_SECTOR_BYTES]);
void ide_identify_cd(const IdeDrive *drive, uint8_t data[DISK_SECTOR_BYTES]);
void ide_smart(IdeDrive *drive);

/* --- atapi.c --- */

void atapi_packet(IdeDrive *drive);           /* PACKET: ask for the bytes */
void atapi_execute(IdeDrive *drive);          /* they are there */
void atapi_finish(IdeDrive *drive);
void atapi_fail_io(IdeDrive *drive);
/* The next PIO block: its size goes to the byte count registers. */
void atapi_begin_block(IdeDrive *drive, bool to_host);

extern const VMState ide_drive_state;

#endif
