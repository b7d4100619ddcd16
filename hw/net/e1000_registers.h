/*
 * Rows of registers that all adapters of the family have, for each chip's table: those that drivers
 * touch for each frame come first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NET_E1000_REGISTERS_H
#define HW_NET_E1000_REGISTERS_H

#include "e1000.h"

#define RING_ADDR_BITS 0xfffffff0
#define RING_SIZE_BITS 0x000fff80

/* One of the array of registers; further ones of a bank follow it there. */
#define ROW(name_, ...)                                                                            \
    { .at = E1000_##name_, .name = #name_, .field = offsetof(E1000Nic, mac) + E1000_##name_,       \
      .field_size = 4, __VA_ARGS__ }
/* Of queue n. */
#define ROW_Q(name_, n, ...)                                                                       \
    { .at = E1000_##name_ + (n) * E1000_QUEUE_STEP, .name = #name_ #n,                             \
      .field = offsetof(E1000Nic, mac) + E1000_##name_ + (n) * E1000_QUEUE_STEP,                   \
      .field_size = 4, __VA_ARGS__ }
#define ALL .writable = UINT32_MAX

#define E1000_HOT_ROWS                                                                             \
    ROW(ICR, .read = e1000_read_icr, .write = e1000_write_icr),                                    \
    ROW(IMS, .set_on_1 = UINT32_MAX, .written = e1000_update_irq),                                 \
    REG_COMPUTED(E1000_IMC, "IMC", .write = e1000_write_imc),                                      \
    REG_COMPUTED(E1000_ICS, "ICS", .write = e1000_write_ics),                                      \
    ROW(ITR, .writable = 0xffff),                                                                  \
    ROW_Q(RDT, 0, .writable = 0xffff, .written = e1000_rx_ready),                                  \
    ROW_Q(TDT, 0, .writable = 0xffff, .written = e1000_transmit)

#define E1000_QUEUE_ROWS(n)                                                                        \
    ROW_Q(RDBAL, n, .writable = RING_ADDR_BITS), ROW_Q(RDBAH, n, ALL),                             \
    ROW_Q(RDLEN, n, .writable = RING_SIZE_BITS), ROW_Q(RDH, n, .writable = 0xffff),                \
    ROW_Q(TDBAL, n, .writable = RING_ADDR_BITS), ROW_Q(TDBAH, n, ALL),                             \
    ROW_Q(TDLEN, n, .writable = RING_SIZE_BITS), ROW_Q(TDH, n, .writable = 0xffff)

#define E1000_COMMON_ROWS                                                                          \
    ROW(CTRL_EXT, ALL),                                                                            \
    ROW(FLA, ALL), ROW(MDIC, ALL, .written = e1000_mdic_written),                                  \
    ROW(FCAL, ALL), ROW(FCAH, .writable = 0xffff), ROW(FCT, .writable = 0xffff),                   \
    ROW(VET, .writable = 0xffff), ROW(RCTL, ALL, .written = e1000_rx_ready),                       \
    ROW(FCTTV, .writable = 0xffff), ROW(TCTL, ALL, .written = e1000_transmit),                     \
    ROW(AIT, .writable = 0xffff),                                                                  \
    ROW(FCRTL, .writable = 0x8000fff8), ROW(FCRTH, .writable = 0x0000fff8),                        \
    ROW(RDFH, ALL), ROW(RDFT, ALL), ROW(RDFHS, ALL), ROW(RDFTS, ALL), ROW(RDFPC, ALL),             \
    ROW(RDTR, .writable = 0x8000ffff, .written = e1000_rdtr_written),                              \
    ROW(RADV, .writable = 0xffff), ROW(RSRPD, .writable = 0xfff),                                  \
    ROW(TDFPC, ALL), ROW(TIDV, .writable = 0xffff), ROW(TADV, .writable = 0xffff),                 \
    ROW(TSPMT, ALL),                                                                               \
    ROW(STATS, .count = E1000_STATS_COUNT, .clears_on_read = true),                                \
    ROW(MTA, ALL, .count = E1000_MTA_WORDS), ROW(VFTA, ALL, .count = E1000_VFTA_WORDS),            \
    ROW(RAL, ALL, .count = 2 * E1000_RA_COUNT, .written = e1000_address_written),                  \
    ROW(WUC, .writable = 0x8000000b, .clear_on_1 = WUC_PME_STATUS), ROW(WUFC, ALL), ROW(WUS, .clear_on_1 = UINT32_MAX),          \
    ROW(IPAV, ALL), ROW(IP4AT, ALL, .count = 8), ROW(IP6AT, ALL, .count = 4), ROW(WUPL, ALL),      \
    ROW(WUPM, ALL, .count = 32), ROW(FFLT, ALL, .count = 8),                                       \
    ROW(FFMT, ALL, .count = 256), ROW(FFVT, ALL, .count = 256)

#endif
