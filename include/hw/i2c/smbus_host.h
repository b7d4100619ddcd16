/*
 * SmbusHost: the SMBus host controller of Intel chipsets, from PIIX4 (data sheet, 11.3 "SMBus IO
 * space") to ICH9 (19.2). Its device embeds it, maps the region and drives its line.
 *
 * Transfers take no time. An ICH checks packets (PEC; SMBus 2.0, 5.4); PIIX4 has no such thing. Not
 * modelled: the slave part, alerts, ARP and bit-banging; their registers read zero.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I2C_SMBUS_HOST_H
#define HW_I2C_SMBUS_HOST_H

#include "hw/i2c/i2c.h"

#define SMBUS_HOST_BYTES  64
#define SMBUS_BLOCK_BYTES 32

typedef struct SmbusHost SmbusHost;

typedef struct SmbusHostChip {
    bool is_ich; /* blocks byte by byte, the AUX registers, PEC, a semaphore */
    /* The interrupt's level, when it may have changed. */
    void (*set_irq)(SmbusHost *host, bool is_up);
} SmbusHostChip;

typedef enum SmbusPhase { SMBUS_IDLE, SMBUS_SENDING, SMBUS_RECEIVING, SMBUS_PHASE_COUNT }
    SmbusPhase;

struct SmbusHost {
    MemoryRegion io;
    const SmbusHostChip *chip;
    I2cBus *bus;
    uint8_t status, control, command, address, data0, data1, aux_control;
    uint8_t block[SMBUS_BLOCK_BYTES];
    uint8_t index;  /* in the block, of the next access */
    uint8_t byte;   /* HOST_BLOCK_DB in transfers byte by byte */
    uint8_t left;   /* bytes to come in such a transfer */
    SmbusPhase phase;
    uint8_t pec, aux_status;
    uint8_t crc;    /* of the transfer so far */
};

extern const VMState smbus_host_state;

/* In the owner's init; `chip` is borrowed. The bus is made in realize: host->bus. */
void smbus_host_init(SmbusHost *host, Device *owner, const SmbusHostChip *chip);
/* In its finalize. */
void smbus_host_clear(SmbusHost *host);
void smbus_host_reset(SmbusHost *host);

#endif
