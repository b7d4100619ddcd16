/*
 * ID registers of Arm models, as their technical reference manuals give them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/arm/id_registers.h"

typedef struct IdRow {
    const char *model;
    ArmIdRegisters regs;
} IdRow;

static const IdRow rows[] = {
    { "a64fx",
      {
          .ctr = 0x86668006, .clidr = 0x80000023, .id_aa64pfr0 = 0x100111111, .id_aa64dfr0 =
          0x10305408, .id_aa64isar0 = 0x10211120, .id_aa64isar1 = 0x10001, .id_aa64mmfr0 = 0x1122,
          .id_aa64mmfr1 = 0x11212100, .id_aa64mmfr2 = 0x1011 } },
    { "cortex-a15",
      {
          .id_pfr0 = 0x1131, .id_pfr1 = 0x11011, .id_dfr0 = 0x2010555, .id_mmfr0 = 0x10201105,
          .id_mmfr1 = 0x20000000, .id_mmfr2 = 0x1240000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232041, .id_isar3 = 0x11112131,
          .id_isar4 = 0x10011142, .ctr = 0x8444c004, .clidr = 0xa200023 } },
    { "cortex-a35",
      {
          .id_pfr0 = 0x131, .id_pfr1 = 0x11011, .id_dfr0 = 0x3010066, .id_mmfr0 = 0x10201105,
          .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232042, .id_isar3 = 0x1112131,
          .id_isar4 = 0x11142, .id_isar5 = 0x11121, .mvfr0 = 0x10110222, .mvfr1 = 0x12111111,
          .mvfr2 = 0x43, .ctr = 0x84448004, .clidr = 0xa200023, .id_aa64pfr0 = 0x2222,
          .id_aa64dfr0 = 0x10305106, .id_aa64isar0 = 0x11120, .id_aa64mmfr0 = 0x101122 } },
    { "cortex-a53",
      {
          .id_pfr0 = 0x131, .id_pfr1 = 0x11011, .id_dfr0 = 0x3010066, .id_mmfr0 = 0x10101105,
          .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232042, .id_isar3 = 0x1112131,
          .id_isar4 = 0x11142, .id_isar5 = 0x11121, .mvfr0 = 0x10110222, .mvfr1 = 0x12111111,
          .mvfr2 = 0x43, .ctr = 0x84448004, .clidr = 0xa200023, .id_aa64pfr0 = 0x2222,
          .id_aa64dfr0 = 0x10305106, .id_aa64isar0 = 0x11120, .id_aa64mmfr0 = 0x1122 } },
    { "cortex-a57",
      {
          .id_pfr0 = 0x131, .id_pfr1 = 0x11011, .id_dfr0 = 0x3010066, .id_mmfr0 = 0x10101105,
          .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232042, .id_isar3 = 0x1112131,
          .id_isar4 = 0x11142, .id_isar5 = 0x11121, .mvfr0 = 0x10110222, .mvfr1 = 0x12111111,
          .mvfr2 = 0x43, .ctr = 0x8444c004, .clidr = 0xa200023, .id_aa64pfr0 = 0x2222,
          .id_aa64dfr0 = 0x10305106, .id_aa64isar0 = 0x11120, .id_aa64mmfr0 = 0x1124 } },
    { "cortex-a7",
      {
          .id_pfr0 = 0x1131, .id_pfr1 = 0x11011, .id_dfr0 = 0x2010555, .id_mmfr0 = 0x10101105,
          .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1240000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232041, .id_isar3 = 0x11112131,
          .id_isar4 = 0x10011142, .ctr = 0x84448003, .clidr = 0xa200023 } },
    { "cortex-a72",
      {
          .id_pfr0 = 0x131, .id_pfr1 = 0x11011, .id_dfr0 = 0x3010066, .id_mmfr0 = 0x10201105,
          .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 = 0x2102211, .id_isar0 =
          0x2101110, .id_isar1 = 0x13112111, .id_isar2 = 0x21232042, .id_isar3 = 0x1112131,
          .id_isar4 = 0x11142, .id_isar5 = 0x11121, .mvfr0 = 0x10110222, .mvfr1 = 0x12111111,
          .mvfr2 = 0x43, .ctr = 0x8444c004, .clidr = 0xa200023, .id_aa64pfr0 = 0x2222,
          .id_aa64dfr0 = 0x10305106, .id_aa64isar0 = 0x11120, .id_aa64mmfr0 = 0x1124 } },
    { "cortex-a76",
      {
          .id_pfr0 = 0x10010131, .id_pfr1 = 0x10000, .id_pfr2 = 0x11, .id_dfr0 = 0x4010088,
          .id_mmfr0 = 0x10201105, .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 =
          0x2122211, .id_mmfr4 = 0x21110, .id_isar0 = 0x2101110, .id_isar1 = 0x13112111, .id_isar2
          = 0x21232042, .id_isar3 = 0x1112131, .id_isar4 = 0x10142, .id_isar5 = 0x1011121,
          .id_isar6 = 0x10, .mvfr0 = 0x10110222, .mvfr1 = 0x13211111, .mvfr2 = 0x43, .ctr =
          0x8444c004, .clidr = 0x82000023, .id_aa64pfr0 = 0x1100000010111112, .id_aa64pfr1 = 0x10,
          .id_aa64dfr0 = 0x10305408, .id_aa64isar0 = 0x100010211120, .id_aa64isar1 = 0x100001,
          .id_aa64mmfr0 = 0x101122, .id_aa64mmfr1 = 0x10212122, .id_aa64mmfr2 = 0x1011 } },
    { "neoverse-n1",
      {
          .id_pfr0 = 0x10010131, .id_pfr1 = 0x10000, .id_pfr2 = 0x11, .id_dfr0 = 0x4010088,
          .id_mmfr0 = 0x10201105, .id_mmfr1 = 0x40000000, .id_mmfr2 = 0x1260000, .id_mmfr3 =
          0x2122211, .id_mmfr4 = 0x21110, .id_isar0 = 0x2101110, .id_isar1 = 0x13112111, .id_isar2
          = 0x21232042, .id_isar3 = 0x1112131, .id_isar4 = 0x10142, .id_isar5 = 0x1011121,
          .id_isar6 = 0x10, .mvfr0 = 0x10110222, .mvfr1 = 0x13211111, .mvfr2 = 0x43, .ctr =
          0x8444c004, .clidr = 0x82000023, .id_aa64pfr0 = 0x1100000010111112, .id_aa64pfr1 = 0x20,
          .id_aa64dfr0 = 0x10305408, .id_aa64isar0 = 0x100010211120, .id_aa64isar1 = 0x100001,
          .id_aa64mmfr0 = 0x101125, .id_aa64mmfr1 = 0x10212122, .id_aa64mmfr2 = 0x1011 } },
};

const ArmIdRegisters *arm_id_registers(const char *model)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!strcmp(rows[i].model, model)) {
            return &rows[i].regs;
        }
    }
    return NULL;
}
