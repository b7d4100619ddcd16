/*
 * intel-dsa: bits of registers, opcodes, flags and codes of descriptors (Data Streaming Accelerator
 * Architecture Specification, chapters 5, 8 and 9).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DMA_INTEL_DSA_DEFS_H
#define HW_DMA_INTEL_DSA_DEFS_H

/* GENCAP, GENCFG, GENCTRL, GENSTS, INTCAUSE */
#define DSA_GENCAP_BOF          BIT64(0)
#define DSA_GENCAP_CMDCAP       BIT64(4)
#define DSA_GENCAP_EVENT_LOG    BIT64(13) /* entries of 64 bytes */
#define DSA_GENCAP_CONFIGURABLE BIT64(31)
#define DSA_GENCFG_LIMIT        0xff
#define DSA_GENCFG_USER_IRQS    BIT(12)
#define DSA_GENCFG_EVENT_LOG    BIT(13)
#define DSA_GENCTRL_SWERROR     BIT(0)
#define DSA_GENCTRL_HALT        BIT(1)
#define DSA_GENCTRL_EVENT_LOG   BIT(2)
#define DSA_CAUSE_SWERROR       BIT(0)
#define DSA_CAUSE_COMMAND       BIT(1)
#define DSA_CAUSE_OCCUPANCY     BIT(2)
#define DSA_CAUSE_HALT          BIT(4)
#define DSA_CAUSE_EVENT_LOG     BIT(5)
#define DSA_WQCAP_ATS_CONTROL   BIT64(50)
#define DSA_WQCAP_OPCFG         BIT64(54)

/* WQCFG by dwords */
enum { DSA_WQ_SIZE, DSA_WQ_THRESHOLD, DSA_WQ_MODE, DSA_WQ_LIMITS, DSA_WQ_OCCUPANCY_IRQ,
       DSA_WQ_OCCUPANCY_LIMIT, DSA_WQ_STATE, DSA_WQ_OPCFG = 8 };
#define DSA_MODE_DEDICATED   BIT(0)
#define DSA_MODE_BOF         BIT(1)
#define DSA_MODE_NO_ATS      BIT(2)
#define DSA_MODE_NO_PRS      BIT(3)
#define DSA_MODE_PASID       BIT(28)
#define DSA_MODE_PRIVILEGED  BIT(29)
#define DSA_OCCUPANCY_ENABLE BIT(16)
#define DSA_OCCUPANCY_DONE   BIT(16) /* of DSA_WQ_STATE: the interrupt was generated */

/* Opcodes */
enum { DSA_NOOP = 0x00, DSA_BATCH = 0x01, DSA_DRAIN = 0x02, DSA_MOVE = 0x03, DSA_FILL = 0x04,
       DSA_COMPARE = 0x05, DSA_COMPARE_PATTERN = 0x06, DSA_CREATE_DELTA = 0x07,
       DSA_APPLY_DELTA = 0x08, DSA_DUALCAST = 0x09, DSA_CRC = 0x10, DSA_COPY_CRC = 0x11,
       DSA_DIF_CHECK = 0x12, DSA_DIF_INSERT = 0x13, DSA_DIF_STRIP = 0x14, DSA_DIF_UPDATE = 0x15,
       DSA_CACHE_FLUSH = 0x20, DSA_OPCODES = 0x40 };

/* Flags of a descriptor */
#define DSA_FENCE      BIT(0)
#define DSA_BOF        BIT(1)
#define DSA_CRAV       BIT(2)
#define DSA_RCR        BIT(3)
#define DSA_RCI        BIT(4)
#define DSA_CHECK      BIT(7)
#define DSA_CACHE      BIT(8)
#define DSA_TC_1       BIT(9)
#define DSA_TC_2       BIT(10)
#define DSA_TC_3       BIT(11)
#define DSA_TC_CR      BIT(12)
#define DSA_STRICT     BIT(13)
#define DSA_READBACK   BIT(14)
#define DSA_CRC_SEED   BIT(16) /* is in memory */
#define DSA_CRC_PLAIN  BIT(17) /* no inversion, no reflection */
#define DSA_CRC_MSB    BIT(18) /* of a byte comes first */

/* How a descriptor ends; from 0x51 on, errors of the device alone */
enum { DSA_SUCCESS = 0x01, DSA_FALSE = 0x02, DSA_PAGE_FAULT = 0x03, DSA_PAGE_INVALID = 0x04,
       DSA_MEMBER_FAILED = 0x05, DSA_LIST_FAULT = 0x06, DSA_DELTA_ORDER = 0x07,
       DSA_DELTA_RANGE = 0x08, DSA_DIF_ERROR = 0x09, DSA_BAD_OPCODE = 0x10, DSA_BAD_FLAGS = 0x11,
       DSA_BAD_RESERVED = 0x12, DSA_BAD_SIZE = 0x13, DSA_BAD_COUNT = 0x14, DSA_BAD_DELTA = 0x15,
       DSA_OVERLAP = 0x16, DSA_BAD_DUALCAST = 0x17, DSA_BAD_LIST = 0x18, DSA_BAD_HANDLE = 0x19,
       DSA_CRA_FAULT = 0x1a, DSA_BAD_CRA = 0x1b, DSA_BAD_ALIGNMENT = 0x1c,
       DSA_BAD_PRIVILEGE = 0x1d, DSA_BAD_CLASS = 0x1e, DSA_READ_ERROR = 0x20, DSA_WRITE_ERROR = 0x21,
       DSA_NO_TRANSLATION = 0x22, DSA_DRAIN_LOGGED = 0x26, DSA_BATCH_LOGGED = 0x27,
       DSA_BAD_PCI_CHANGE = 0x51, DSA_COMMAND_BUSY = 0x52, DSA_QUEUE_FULL = 0x53,
       DSA_LOG_LOST = 0x54 };
#define DSA_STATUS_WROTE BIT(7) /* beside a fault: it was a write's */

#endif
