/*
 * Ahci: an AHCI host adapter (Serial ATA AHCI 1.3.1, as a 1.0 adapter); what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_IDE_AHCI_H
#define HW_IDE_AHCI_H

#include "hw/ide/ide_bus.h"
#include "hw/pci/pci_device.h"

#define AHCI_PORTS      6
#define AHCI_SLOTS      32
#define AHCI_NCQ_BYTES  (128 * DISK_SECTOR_BYTES)

/* GHC, PxCMD, PxIS */
enum {
    GHC_HR = 0x1, GHC_IE = 0x2, GHC_AE = 0x80000000,
    CMD_ST = 0x1, CMD_SUD = 0x2, CMD_POD = 0x4, CMD_CLO = 0x8, CMD_FRE = 0x10,
    CMD_CCS_SHIFT = 8, CMD_CCS = 0x1f00, CMD_FR = 0x4000, CMD_CR = 0x8000,
    CMD_WRITABLE = 0x0f000017,
    IS_DHRS = 0x1, IS_PSS = 0x2, IS_SDBS = 0x8, IS_DPS = 0x20, IS_OFS = 0x1000000,
    IS_IFS = 0x8000000, IS_HBFS = 0x20000000, IS_TFES = 0x40000000,
    IS_CLEARABLE = 0xfd8000af, IE_WRITABLE = 0xfdc000ff,
    SCTL_DET = 0xf,
};

struct Ahci;

/* A queued command. */
typedef struct AhciNcq {
    struct AhciPort *port;
    DiskRequest request;
    bool is_used, is_write;
    uint8_t tag;
    uint64_t sector;
    uint32_t left;       /* sectors */
    uint64_t done_bytes;
    DmaList list;
    uint8_t *buf;
} AhciNcq;

typedef struct AhciPort {
    struct Ahci *ahci;
    unsigned n;
    IdeBus *bus;
    /* the command that the drive works on */
    bool is_active;
    uint8_t slot;
    bool is_atapi, was_pio_in, has_list;
    uint64_t header;     /* its address */
    uint64_t done_bytes;
    bool wants_dps;      /* a descriptor asked for an interrupt */
    DmaList list;
    bool is_looping;
    bool is_halted;      /* an error: until ST is cleared */
    bool has_told_signature;
    AhciNcq ncq[AHCI_SLOTS];
} AhciPort;

typedef struct Ahci {
    PciDevice parent;
    RegisterBank bank;
    MemoryRegion idp;
    uint32_t idp_index;
    uint32_t cap, ghc, is, pi, vs;
    uint32_t clb[AHCI_PORTS], clbu[AHCI_PORTS], fb[AHCI_PORTS], fbu[AHCI_PORTS];
    uint32_t px_is[AHCI_PORTS], px_ie[AHCI_PORTS], cmd[AHCI_PORTS], tfd[AHCI_PORTS];
    uint32_t sig[AHCI_PORTS], sctl[AHCI_PORTS], serr[AHCI_PORTS], sact[AHCI_PORTS];
    uint32_t ci[AHCI_PORTS];
    AhciPort ports[AHCI_PORTS];
} Ahci;
DECLARE_CAST(Ahci, AHCI)

/* ahci.c */
void ahci_raise(AhciPort *port, uint32_t bits);
void ahci_update_irq(Ahci *ahci);

/* ahci_fis.c: frames to the guest's memory; they update PxTFD and raise what they ask for. */
void ahci_send_d2h(AhciPort *port, bool interrupts);
void ahci_send_pio_setup(AhciPort *port, size_t bytes, bool to_host, bool interrupts);
/* `done`: tags that ended; `error` with a status of ERR: 0 is well. */
void ahci_send_sdb(AhciPort *port, uint32_t done, uint8_t error);
void ahci_send_signature(AhciPort *port);

/* ahci_command.c */
extern const IdeTransport ahci_transport; /* its opaque is the AhciPort */
/* Issues what PxCI asks for, as far as it goes. */
void ahci_run(AhciPort *port);
/* The engine is stopped or reset: nothing of it goes on. */
void ahci_stop(AhciPort *port);
/* The descriptors of a header. False: they cannot be had. */
bool ahci_get_list(AhciPort *port, const uint8_t header[32], DmaList *list, bool *wants_dps);

/* ahci_ncq.c */
void ahci_ncq_issue(AhciPort *port, unsigned slot, const uint8_t header[32],
                    const uint8_t fis[64]);
void ahci_ncq_stop(AhciPort *port);

#endif
