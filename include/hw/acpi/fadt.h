/*
 * FADT and FACS (ACPI 6.4, 5.2.9 and 5.2.10).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_FADT_H
#define HW_ACPI_FADT_H

#include "hw/acpi/tables.h"

/* Bits of `flags`. */
enum {
    FADT_WBINVD = 1u << 0,
    FADT_PROC_C1 = 1u << 2,
    FADT_P_LVL2_UP = 1u << 3,
    FADT_PWR_BUTTON = 1u << 4,
    FADT_SLP_BUTTON = 1u << 5,
    FADT_RTC_S4 = 1u << 7,
    FADT_TMR_VAL_EXT = 1u << 8,
    FADT_RESET_REG_SUP = 1u << 10,
    FADT_USE_PLATFORM_CLOCK = 1u << 15,
    FADT_FORCE_APIC_CLUSTER = 1u << 18,
    FADT_FORCE_APIC_PHYSICAL = 1u << 19,
    FADT_HW_REDUCED_ACPI = 1u << 20,
};
/* Bits of `iapc_boot_arch` and `arm_boot_arch`. */
enum {
    FADT_LEGACY_DEVICES = 1u << 0,
    FADT_8042 = 1u << 1,
    FADT_NO_VGA = 1u << 2,
    FADT_PSCI_COMPLIANT = 1u << 0,
    FADT_PSCI_USE_HVC = 1u << 1,
};

/*
 * A register block is said once; its 32-bit form, for blocks in I/O space, and its length follow.
 * Without FADT_HW_REDUCED_ACPI the DSDT's address stands in both its forms, else in the 64-bit
 * one alone, so that the tables may be anywhere.
 */
typedef struct AcpiFadt {
    uint8_t revision, minor; /* 1, 3 to 6 */
    uint32_t dsdt;           /* places in the tables' blob */
    uint32_t facs;
    bool has_facs;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
    AcpiAddress pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
    uint8_t gpe1_base, cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat;
    uint16_t flush_size, flush_stride;
    uint8_t duty_offset, duty_width;
    uint8_t day_alarm, month_alarm, century; /* indices in RTC memory; 0: none */
    uint16_t iapc_boot_arch;
    uint32_t flags;
    AcpiAddress reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    AcpiAddress sleep_control, sleep_status; /* revision 5 */
    char hypervisor_vendor[8];               /* revision 6, not NUL-terminated */
} AcpiFadt;

uint32_t acpi_tables_add_fadt(AcpiTables *t, const AcpiFadt *fadt);
/* Returns its place, which only the FADT refers to. */
uint32_t acpi_tables_add_facs(AcpiTables *t);

#endif
