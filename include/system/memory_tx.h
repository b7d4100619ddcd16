/*
 * One access to memory: who asks, for what, and what came of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MEMORY_TX_H
#define SYSTEM_MEMORY_TX_H

#include "util/byte_order.h"

/* An address in an AddressSpace; one that a bus master's IOMMU translates is an IovaAddr. */
typedef uint64_t GuestAddr;
typedef uint64_t IovaAddr;

/* Everything known about who accesses; all zero (MEM_TX_NONE) is "nothing special". */
typedef struct MemTxAttrs {
    uint16_t requester_id;      /* PCI bus/device/function, 0 when there is none */
    bool has_requester_id : 1;
    bool has_pasid : 1;
    bool is_secure : 1;         /* Arm TrustZone; x86 SMM */
    bool is_user : 1;           /* unprivileged */
    bool is_memory : 1;         /* refuse anything but RAM and ROM: MEM_TX_ACCESS_ERROR */
    bool is_debug : 1;          /* a debugger's: may write to ROM, no side effects wanted */
    bool is_translated : 1;     /* the address comes from an ATS translation */
    bool is_deferrable : 1;     /* a write that may be answered with MEM_TX_RETRY (ENQCMD) */
    uint32_t pasid : 20;
} MemTxAttrs;
#define MEM_TX_NONE ((MemTxAttrs){ 0 })

/* Bits, so that the results of a split access are or-ed. */
typedef enum MemTxResult {
    MEM_TX_OK = 0,
    MEM_TX_ERROR = 1 << 0,        /* the device, or a translation on the way, refused */
    MEM_TX_DECODE_ERROR = 1 << 1, /* nobody answers at this address, or not to this size */
    MEM_TX_ACCESS_ERROR = 1 << 2, /* not allowed: attrs.is_memory, or a device entered again */
    MEM_TX_RETRY = 1 << 3,        /* a deferrable write was not accepted now; try again */
} MemTxResult;

/* Size in bytes (1, 2, 4, 8) and byte order of a load or store. */
typedef enum MemFormat {
    MEM_8 = 1,
    MEM_LE16 = 2,
    MEM_LE32 = 4,
    MEM_LE64 = 8,
    MEM_BIG_ENDIAN = 16,
    MEM_BE16 = MEM_BIG_ENDIAN | 2,
    MEM_BE32 = MEM_BIG_ENDIAN | 4,
    MEM_BE64 = MEM_BIG_ENDIAN | 8,
} MemFormat;

static inline unsigned mem_format_bytes(MemFormat format)
{
    return format & 15;
}

static inline Endian mem_format_endian(MemFormat format)
{
    return format & MEM_BIG_ENDIAN ? ENDIAN_BIG : ENDIAN_LITTLE;
}

/* The format of `bytes` (1, 2, 4, 8) in an order that is only known at run time. */
static inline MemFormat mem_format(unsigned bytes, Endian endian)
{
    return (MemFormat)(bytes | (endian == ENDIAN_BIG && bytes > 1 ? MEM_BIG_ENDIAN : 0));
}

#endif
