/*
 * ScsiSense: why a SCSI command ended as it did; the same behind ATAPI.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_SCSI_SENSE_H
#define HW_CORE_SCSI_SENSE_H

#include "util/osdep.h"

#define SCSI_SENSE_BYTES 18

/* Key, additional code and its qualifier (SPC-4, annex D). */
typedef struct ScsiSense {
    uint8_t key, asc, ascq;
} ScsiSense;
#define SCSI_SENSE(key, asc, ascq) ((ScsiSense){ (key), (asc), (ascq) })
#define SCSI_NO_SENSE            SCSI_SENSE(0, 0, 0)
#define SCSI_NO_MEDIUM           SCSI_SENSE(2, 0x3a, 0)
#define SCSI_MEDIUM_ERROR        SCSI_SENSE(3, 0x11, 0)
#define SCSI_WRITE_ERROR         SCSI_SENSE(3, 0x0c, 0)
#define SCSI_INVALID_COMMAND     SCSI_SENSE(5, 0x20, 0)
#define SCSI_LBA_OUT_OF_RANGE    SCSI_SENSE(5, 0x21, 0)
#define SCSI_INVALID_FIELD       SCSI_SENSE(5, 0x24, 0)
#define SCSI_LUN_NOT_SUPPORTED   SCSI_SENSE(5, 0x25, 0)
#define SCSI_INVALID_PARAMETER   SCSI_SENSE(5, 0x26, 0)
#define SCSI_INCOMPATIBLE_FORMAT SCSI_SENSE(5, 0x30, 0)
#define SCSI_NO_SAVED_PAGES      SCSI_SENSE(5, 0x39, 0)
#define SCSI_REMOVAL_PREVENTED   SCSI_SENSE(5, 0x53, 2)
#define SCSI_MEDIUM_CHANGED      SCSI_SENSE(6, 0x28, 0)
#define SCSI_WAS_RESET           SCSI_SENSE(6, 0x29, 0)
#define SCSI_CAPACITY_CHANGED    SCSI_SENSE(6, 0x2a, 9)
#define SCSI_WRITE_PROTECTED     SCSI_SENSE(7, 0x27, 0)
#define SCSI_ABORTED             SCSI_SENSE(0xb, 0, 0)

/* Current, fixed format. */
static inline void scsi_fill_sense(uint8_t data[SCSI_SENSE_BYTES], ScsiSense sense)
{
    memset(data, 0, SCSI_SENSE_BYTES);
    data[0] = 0x70;
    data[2] = sense.key;
    data[7] = SCSI_SENSE_BYTES - 8;
    data[12] = sense.asc;
    data[13] = sense.ascq;
}

#endif
