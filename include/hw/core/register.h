/*
 * Registers as tables: where a register is, what a write changes, what it resets to, what
 * happens. Access checks, reset, saved state, tracing and documentation come from the rows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_REGISTER_H
#define HW_CORE_REGISTER_H

#include "system/address_space.h"

struct Device;
struct VMField;

typedef struct RegDef {
    uint32_t at; /* byte offset of the first */
    const char *name;
    size_t field;       /* offset of the field in the device */
    uint8_t field_size; /* 1, 2, 4 or 8; 0: computed, has no field */
    uint16_t count;     /* a bank of equal ones; 0 is 1. The field is an array */
    uint16_t stride;    /* bytes between them; 0 is the map's width */
    uint64_t reset;
    uint64_t writable;   /* bits a write replaces */
    uint64_t clear_on_1; /* bits a written 1 clears */
    uint64_t set_on_1;   /* bits a written 1 sets */
    uint64_t read_mask;  /* bits a read shows; 0: all */
    bool clears_on_read;
    bool keeps_on_reset;
    /* After the field changed by a write (even to the same value). */
    void (*written)(struct Device *dev);
    void (*written_n)(struct Device *dev, unsigned n);
    /* In place of the field. */
    uint64_t (*read)(struct Device *dev, unsigned n);
    void (*write)(struct Device *dev, unsigned n, uint64_t value);
} RegDef;

typedef struct RegisterMap {
    const RegDef *regs;
    size_t count;
    uint64_t size;            /* bytes of the region */
    uint8_t width;            /* bytes of a register */
    uint8_t access_min, access_max; /* bytes a guest may access; 0: width */
    Endian endian;
} RegisterMap;

#define REG(at_, name_, S, f, ...)                                                                 \
    { .at = (at_), .name = (name_), .field = offsetof(S, f),                                       \
      .field_size = sizeof(((S *)0)->f), __VA_ARGS__ }
/* A row of equal registers in an array field. */
#define REG_BANK(at_, name_, S, f, n, ...)                                                         \
    { .at = (at_), .name = (name_), .field = offsetof(S, f), .count = (n),                         \
      .field_size = sizeof(((S *)0)->f[0]), __VA_ARGS__ }
#define REG_COMPUTED(at_, name_, ...) { .at = (at_), .name = (name_), __VA_ARGS__ }
#define REG_MAP(array, ...) { .regs = (array), .count = ARRAY_SIZE(array), __VA_ARGS__ }

/* A map behind a memory region. */
typedef struct RegisterBank {
    MemoryRegion region;
    struct Device *dev;
    const RegisterMap *map;
    uint8_t *rows; /* of each place the map's row, from 1 on; NULL: there are too many */
    MemoryOps ops;
} RegisterBank;

/* Makes the region; its owner frees it with register_bank_clear(). */
void register_bank_init(RegisterBank *bank, struct Device *dev, const RegisterMap *map,
                        const char *name);
void register_bank_clear(RegisterBank *bank);

/* The row that an offset belongs to, and which of its registers; NULL: there is none. */
const RegDef *register_find(const RegisterMap *map, uint64_t at, unsigned *n);
uint64_t register_read(struct Device *dev, const RegisterMap *map, uint64_t at);
void register_write(struct Device *dev, const RegisterMap *map, uint64_t at, uint64_t value);
void register_reset(struct Device *dev, const RegisterMap *map);
/* One line per register: name and value, for people. */
void register_print(GString *out, struct Device *dev, const RegisterMap *map);
/* Rows of saved state for all that hold state: what VM_REGISTERS stands for. Free them. */
size_t register_rows(const RegisterMap *map, struct VMField **rows);

#endif
