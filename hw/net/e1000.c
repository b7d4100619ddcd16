/*
 * e1000: the PCI adapters before PCI Express, by their chip: 82540EM, 82544GC, 82545EM (PCI/PCI-X
 * Family of Gigabit Ethernet Controllers Software Developer's Manual): one queue each way, legacy
 * receive descriptors, INTA. Left out: fibre (SerDes), and PCI-X.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000_registers.h"

#define IO_BAR   1
#define IO_BYTES 64

static const RegDef e1000_regs[] = {
    E1000_HOT_ROWS,
    E1000_QUEUE_ROWS(0),
    ROW(CTRL, ALL, .reset = 0x00140240, .written = e1000_ctrl_written),
    ROW(STATUS, .read = e1000_read_status),
    ROW(EECD, .writable = EECD_SK | EECD_CS | EECD_DI | EECD_REQ | 0x30,
        .reset = EECD_PRES | EECD_DO, .written = e1000_eecd_written),
    ROW(EERD, ALL, .written = e1000_eerd_written),
    E1000_COMMON_ROWS,
    ROW(LEDCTL, ALL, .reset = 0x00000602), ROW(MANC, ALL, .reset = 0x00222300),
    ROW(PBA, ALL, .reset = 0x00100030), ROW(TIPG, .writable = 0x3fffffff),
    ROW_Q(RXDCTL, 0, ALL), ROW_Q(TXDCTL, 0, ALL), ROW(TDFH, ALL), ROW(TDFT, ALL),
    ROW(TDFHS, ALL), ROW(TDFTS, ALL), ROW(RXCSUM, .writable = 0x07ff), ROW(SWSM, ALL),
};
#define E1000_MAP REG_MAP(e1000_regs, .size = E1000_BAR_BYTES, .width = 4, .endian = ENDIAN_LITTLE)
static const RegisterMap e1000_map = E1000_MAP;

#define MODEL(phy_id_2_)                                                                           \
    { .registers = &e1000_map, .queues = 1, .status = 0x80080781, .phy_id_2 = (phy_id_2_),         \
      .nvm_compat = 0x0000, .nvm_init_2 = 0x3040, .io_bar = IO_BAR, .io_bytes = IO_BYTES,          \
      .eerd_shift = 8, .eerd_done = EERD_DONE_8254X }
static const E1000Model model_82540 = MODEL(0x0c20);
static const E1000Model model_82544 = MODEL(0x0c30);

static const Property e1000_props[] = {
    PROP_BOOL("autonegotiation", E1000Nic, negotiates, .initial = true,
              .doc = "The link goes down while the PHY negotiates, as drivers expect"),
    PROP_BOOL("mitigation", E1000Nic, uses_mitigation, .initial = true,
              .doc = "ITR limits how often there is an interrupt"),
};

#define CHIP(symbol, name_, id, chip, model_)                                                      \
    static const E1000Type symbol = {                                                              \
        .name = (name_),                                                                           \
        .doc = "Intel " chip " Gigabit Ethernet",                                                  \
        .parent = TYPE_E1000_BASE,                                                                 \
        .size = sizeof(E1000Nic),                                                                  \
        .device_id = (id), .revision = 3,                                                          \
        .romfile = "efi-e1000.rom",                                                                \
        .model = &(model_),                                                                        \
        .registers = E1000_MAP,                                                                    \
        .properties = PROPERTIES(e1000_props),                                                     \
        .vmstate = &e1000_state,                                                                   \
        .interfaces = (const InterfaceImpl[]){ { TYPE_PCI_CONVENTIONAL }, { 0 } },                 \
    };                                                                                             \
    PCI_DEVICE_TYPE(symbol)
CHIP(e1000_82540, "e1000", 0x100e, "82540EM", model_82540)
CHIP(e1000_82544, "e1000-82544gc", 0x100c, "82544GC", model_82544)
CHIP(e1000_82545, "e1000-82545em", 0x100f, "82545EM", model_82540)
