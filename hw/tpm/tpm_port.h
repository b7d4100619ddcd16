/*
 * TpmPort: what TPM devices share behind their registers: the back end, the buffer of commands and
 * answers, the physical presence interface, what is migrated.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_TPM_TPM_PORT_H
#define HW_TPM_TPM_PORT_H

#include "hw/tpm/tpm.h"
#include "util/notifier.h"

typedef struct TpmPort {
    Device *dev;
    TpmBackend *backend;   /* property; referenced */
    bool has_ppi;          /* property */
    TpmUser user;
    TpmRequest request;
    uint8_t buffer[TPM_BUFFER_BYTES_MAX];
    bool is_started;       /* the back end is; else commands fail */
    bool is_established;   /* the flag, as of the last start or reset of it */
    bool is_given_away;    /* saved: a migration may have taken the TPM */
    Notifier resumed;
    TpmStatePart parts[TPM_STATE_PARTS]; /* while migrated */
    MemoryRegion ppi_region;
    uint8_t ppi[TPM_PPI_BYTES];
} TpmPort;

/* Rows of a device's state; its hooks call tpm_port_pre_save() and tpm_port_post_load(). */
extern const VMState tpm_port_state, tpm_ppi_state;

extern const PropertyKind property_tpmdev;
#define PROP_TPMDEV(S, f)                                                                          \
    PROP_(property_tpmdev, "tpmdev", S, f.backend, .has_no_default = true,                         \
          .doc = "ID of a tpm to use as a backend")
#define PROP_TPM_PPI(S, f)                                                                         \
    PROP_BOOL("ppi", S, f.has_ppi, .initial = true, .doc = "Has a physical presence interface")

typedef void TpmPortAnswered(void *opaque, TpmRequest *request);

void tpm_port_init(TpmPort *port, Device *dev);
void tpm_port_finalize(TpmPort *port);
/* Attaches to the back end and maps the PPI into `memory`; `buffer_bytes` as in TpmUser. */
bool tpm_port_realize(TpmPort *port, MemoryRegion *memory, size_t buffer_bytes,
                      TpmPortAnswered *answered, Error **errp);
void tpm_port_unrealize(TpmPort *port, MemoryRegion *memory);
/* The TPM begins anew, unless its state is on the way. */
void tpm_port_reset(TpmPort *port);
/* Hands the buffer's first `bytes` over; they are replaced by the answer. */
void tpm_port_run(TpmPort *port, uint8_t locality, size_t bytes);
void tpm_port_reset_established(TpmPort *port, uint8_t locality);
/* What is under way is answered first. */
bool tpm_port_pre_save(TpmPort *port, Error **errp);
bool tpm_port_post_load(TpmPort *port, Error **errp);

#endif
