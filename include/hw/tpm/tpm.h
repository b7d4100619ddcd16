/*
 * A machine's TPM, for boards: they tell firmware and the guest of it.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_TPM_TPM_H
#define HW_TPM_TPM_H

#include "backends/tpm.h"
#include "hw/core/device.h"

#define TYPE_TPM_DEVICE  "tpm-if"
#define TYPE_TPM_TIS     "tpm-tis"
#define TYPE_TPM_CRB     "tpm-crb"

#define TPM_ADDRESS      0xfed40000 /* of either's registers */
#define TPM_TIS_BYTES    0x5000
#define TPM_CRB_BYTES    0x1000
#define TPM_CRB_CONTROL  (TPM_ADDRESS + 0x40) /* what a TPM2 table calls the control area */
#define TPM_PPI_ADDRESS  0xfed45000
#define TPM_PPI_BYTES    0x400
#define TPM_PPI_MEMORY_CLEAR 0x15a /* in it; bit 0: clear memory at the next reset */
#define TPM_LOG_BYTES    (64 * KiB)

/* What a device tells of itself. */
typedef struct TpmDevice {
    TpmVersion (*version)(Device *dev);
    bool (*has_ppi)(Device *dev);
} TpmDevice;

/* The one there is, or NULL. */
Device *tpm_find(void);
TpmVersion tpm_version(Device *dev);
/* It has a physical presence interface, at TPM_PPI_ADDRESS. */
bool tpm_has_ppi(Device *dev);

#endif
