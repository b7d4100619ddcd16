/*
 * The parts of ICH9-LPC: PIRQs and root complex registers (ich9_lpc.c); power management, the SCI
 * and SMIs (ich9_lpc_pm.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_ICH9_LPC_H
#define HW_I386_ICH9_LPC_H

#include "hw/acpi/ich9_pm.h"
#include "hw/isa/isa.h"
#include "pc_host.h"
#include "reset_control.h"

#define ICH9_RCBA_BYTES (16 * KiB)
#define ICH9_PIRQS      8
#define ICH9_GSIS       24
#define ICH9_FIRST_PIRQ_GSI 16

/* What firmware and an SMI's source may agree on (docs of OVMF: "SMI feature negotiation"). */
#define ICH9_SMI_BROADCAST     BIT64(0)
#define ICH9_SMI_CPU_HOTPLUG   BIT64(1)
#define ICH9_SMI_CPU_HOTUNPLUG BIT64(2)

typedef struct Ich9Smi {
    uint64_t features;       /* properties: what can be agreed on */
    uint8_t supported[8];    /* little-endian, as firmware sees it */
    uint8_t requested[8];
    uint8_t is_agreed;
    uint64_t negotiated;
} Ich9Smi;

typedef struct Ich9Lpc {
    PciDevice parent;
    ResetControl reset_control;
    MemoryRegion root_complex;
    bool is_mapped;
    uint8_t registers[ICH9_RCBA_BYTES]; /* of the root complex */
    struct {
        uint64_t at, value;
        unsigned bytes;
    } pending; /* a write to them, while it is carried out */
    IrqLine gsi[ICH9_GSIS];
    Ich9Pm pm;
    Ich9Smi smi;
    bool is_sci_up;
    bool has_smm;        /* set by the board */
    bool forbids_reboot; /* property: the strap of GCS.NO_REBOOT */
    bool has_smm_compat; /* property, kept for old versions */
} Ich9Lpc;
DECLARE_CAST(Ich9Lpc, ICH9_LPC)

bool ich9_lpc_is_reboot_forbidden(const Ich9Lpc *s);
/* The level of a GSI may have changed. */
void ich9_lpc_update_gsi(Ich9Lpc *s, unsigned gsi);
/* Where the SCI goes. */
unsigned ich9_lpc_sci_gsi(const Ich9Lpc *s);

/* --- power management --- */

extern const struct HotplugHandler ich9_hotplug_handler;
extern const PciConfigRange ich9_lpc_kept_asleep[];

void ich9_lpc_pm_init(Ich9Lpc *s);
void ich9_lpc_pm_start(Ich9Lpc *s);
void ich9_lpc_pm_stop(Ich9Lpc *s);
void ich9_lpc_pm_reset_enter(Ich9Lpc *s);
void ich9_lpc_pm_reset_exit(Ich9Lpc *s);
void ich9_lpc_pm_config_written(Ich9Lpc *s, unsigned at, unsigned bytes);
void ich9_lpc_pm_loaded(Ich9Lpc *s);
extern const VMState ich9_smi_state;
/* Properties that tell ACPI tables' authors where things are. */
json_object *ich9_lpc_get_fact(Object *obj, const Property *p, Error **errp);
/* For the board: lets firmware ask for SMI features. */
bool ich9_lpc_offer_smi_features(Device *lpc, Device *fw_cfg, Error **errp);

#endif
