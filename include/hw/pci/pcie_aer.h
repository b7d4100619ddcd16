/*
 * Advanced error reporting: what a function logs when something goes wrong, and the messages that
 * tell a root port. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_AER_H
#define HW_PCI_PCIE_AER_H

#include "hw/pci/pcie.h"

typedef struct PcieAerSpec {
    unsigned at;        /* in extended space */
    uint8_t version;    /* of the capability: 1 or 2 */
    uint16_t log_max;   /* errors with headers that are remembered, 0: one, no queue */
    uint8_t vector;     /* root ports: of MSI or MSI-X, for errors */
} PcieAerSpec;
/* After pcie_cap_init(); refuses log_max above 128. */
bool pcie_aer_init(PciDevice *dev, const PcieAerSpec *spec, Error **errp);

typedef struct PcieAerError {
    uint32_t status;    /* one bit of the (un)correctable error status */
    uint16_t source_id;
    bool is_correctable;
    bool is_advisory;   /* the requester can live with it, if it is not fatal */
    bool has_header, has_prefix;
    uint32_t header[4], prefix[4]; /* of the transaction, as in the specification's figures */
} PcieAerError;

/* As if the function had found it; false if it has no PCI Express capability or no such error. */
bool pcie_aer_inject(PciDevice *dev, const PcieAerError *error, Error **errp);
/* An error by its name ("COMP_TIME", "BAD_TLP"). */
bool pcie_aer_find(const char *name, uint32_t *status, bool *is_correctable);

#endif
