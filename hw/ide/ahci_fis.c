/*
 * Frames an AHCI adapter puts into the received FIS area (AHCI 1.3.1, 4.2.1; SATA 3.x, 10.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ahci.h"

enum { AREA_PIO_SETUP = 0x20, AREA_D2H = 0x40, AREA_SDB = 0x58 };
enum { FIS_D2H = 0x34, FIS_PIO_SETUP = 0x5f, FIS_SDB = 0xa1 };
#define FIS_INTERRUPT 0x40
#define FIS_TO_HOST   0x20

static void put(AhciPort *port, unsigned area, const uint8_t *fis, size_t bytes)
{
    Ahci *a = port->ahci;

    if (a->cmd[port->n] & CMD_FRE) {
        pci_dma_write(&a->parent, ((uint64_t)a->fbu[port->n] << 32 | a->fb[port->n]) + area, fis,
                      bytes);
    }
}

/* What a D2H and a PIO setup frame have in common. */
static void fill(AhciPort *port, uint8_t fis[20], uint8_t type, uint8_t flags)
{
    IdeTaskFile file;

    ide_bus_get_file(port->bus, &file, &fis[2], &fis[3]);
    fis[0] = type;
    fis[1] = flags;
    fis[4] = file.lba;
    fis[5] = file.lba >> 8;
    fis[6] = file.lba >> 16;
    fis[7] = file.device;
    fis[8] = file.lba >> 24;
    fis[9] = file.lba >> 32;
    fis[10] = file.lba >> 40;
    fis[12] = file.count;
    fis[13] = file.count >> 8;
    port->ahci->tfd[port->n] = fis[3] << 8 | fis[2];
}

void ahci_send_d2h(AhciPort *port, bool interrupts)
{
    uint8_t fis[20] = { 0 };
    uint32_t bits = interrupts ? IS_DHRS : 0;

    fill(port, fis, FIS_D2H, interrupts ? FIS_INTERRUPT : 0);
    put(port, AREA_D2H, fis, sizeof(fis));
    if (fis[2] & IDE_ST_ERR) {
        bits |= IS_TFES;
    }
    ahci_raise(port, bits);
}

/* A drive that was reset says what it is; the host looks when it wants to. */
void ahci_send_signature(AhciPort *port)
{
    Ahci *a = port->ahci;

    if (ide_bus_has_drive(port->bus)) {
        port->has_told_signature = true;
        ahci_send_d2h(port, false);
        a->sig[port->n] = ide_bus_signature(port->bus);
    }
}

void ahci_send_pio_setup(AhciPort *port, size_t bytes, bool to_host, bool interrupts)
{
    uint8_t fis[20] = { 0 };

    fill(port, fis, FIS_PIO_SETUP, (interrupts ? FIS_INTERRUPT : 0) | (to_host ? FIS_TO_HOST : 0));
    fis[15] = IDE_ST_DRDY | IDE_ST_DSC; /* the status when the block is moved */
    fis[16] = bytes;
    fis[17] = bytes >> 8;
    put(port, AREA_PIO_SETUP, fis, sizeof(fis));
    port->ahci->tfd[port->n] = fis[15];
    ahci_raise(port, interrupts ? IS_PSS : 0);
}

/* The bits of the status that may change: all but BSY and DRQ. */
void ahci_send_sdb(AhciPort *port, uint32_t done, uint8_t error)
{
    Ahci *a = port->ahci;
    uint8_t status = IDE_ST_DRDY | IDE_ST_DSC | (error ? IDE_ST_ERR : 0);
    uint8_t fis[8] = { FIS_SDB, FIS_INTERRUPT, status & 0x77, error };

    store_le32(fis + 4, done);
    a->sact[port->n] &= ~done;
    put(port, AREA_SDB, fis, sizeof(fis));
    a->tfd[port->n] = error << 8 | (a->tfd[port->n] & 0x88) | fis[2];
    ahci_raise(port, IS_SDBS | (error ? IS_TFES : 0));
}
