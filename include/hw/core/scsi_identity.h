/*
 * ScsiIdentity: who a logical unit says it is, whatever it is behind (SPC-4 6.6, 7.8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_SCSI_IDENTITY_H
#define HW_CORE_SCSI_IDENTITY_H

#include "util/osdep.h"

#define SCSI_INQUIRY_BYTES 36
#define SCSI_VPD_HEAD      4
#define SCSI_VPD_BYTES     256 /* of a page, with its head */
enum { SCSI_VPD_PAGES = 0x00, SCSI_VPD_SERIAL = 0x80, SCSI_VPD_IDENTIFICATION = 0x83 };

typedef struct ScsiIdentity {
    const char *vendor, *product, *version;
    const char *serial, *device_id; /* NULL: none */
    uint64_t wwn, port_wwn;         /* 0: none */
    uint16_t port_index;
} ScsiIdentity;

/* Vendor, product and version, where INQUIRY has them. */
void scsi_identity_put_names(const ScsiIdentity *identity, uint8_t data[SCSI_INQUIRY_BYTES]);
/* Pages, from their fifth byte on; how many bytes. */
unsigned scsi_identity_put_serial(const ScsiIdentity *identity, uint8_t *data);
unsigned scsi_identity_put_designators(const ScsiIdentity *identity, uint8_t *data);

#endif
