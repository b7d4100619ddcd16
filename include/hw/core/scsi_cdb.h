/*
 * What commands of SCSI have in common, whatever they are sent to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_SCSI_CDB_H
#define HW_CORE_SCSI_CDB_H

#include "util/byte_order.h"

#define SCSI_CDB_BYTES 16

typedef struct ScsiRange {
    uint64_t block, blocks;
} ScsiRange;

/* By the group of the operation code (SPC-4, 4.3). */
static inline ScsiRange scsi_cdb_range(const uint8_t cdb[SCSI_CDB_BYTES])
{
    switch (cdb[0] >> 5) {
    case 0:
        return (ScsiRange){ load_be32(cdb) & 0x1fffff, cdb[4] ? cdb[4] : 256 };
    case 1:
    case 2:
        return (ScsiRange){ load_be32(cdb + 2), load_be16(cdb + 7) };
    case 4:
        return (ScsiRange){ load_be64(cdb + 2), load_be32(cdb + 10) };
    default:
        return (ScsiRange){ load_be32(cdb + 2), load_be32(cdb + 6) };
    }
}

#endif
