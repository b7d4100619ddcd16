/*
 * What unit tests of ISA devices stand on: a machine with an ISA bus and nothing else, and ports.
 * Included by test programs only, once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ISA_ISA_TEST_H
#define HW_ISA_ISA_TEST_H

#include "hw/core/machine.h"
#include "hw/core/reset.h"
#include "hw/isa/isa.h"
#include "system/machine_lock.h"
#include "system/vmstate_kind.h"

static const MachineType isa_test_machine_type = {
    .name = "isa-test-machine", .parent = TYPE_MACHINE, .doc = "ISA bus alone",
    .is_without_ram = true,
};
MACHINE_TYPE(isa_test_machine_type)

static inline IsaBus *isa_test_bus(void)
{
    return ISA_BUS(bus_find("isa.0", TYPE_ISA_BUS));
}

/* Makes the machine; time moves when told, from 0. */
static inline void isa_test_start(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("isa-test-machine"));
    g_assert_true(device_realize_and_unref(device_new(TYPE_ISA_BRIDGE), bus_system(), NULL));
}

static inline int isa_test_run(void)
{
    int status = g_test_run();

    machine_unlock();
    return status;
}

/* Not realized yet: set properties, then isa_test_realize(). */
static inline void *isa_test_realize(Device *dev)
{
    g_autoptr(Error) err = NULL;

    device_realize_and_unref(dev, &isa_test_bus()->parent, &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    device_reset(dev);
    return dev;
}

static inline void *isa_test_add(const char *type)
{
    return isa_test_realize(device_new(type));
}

static inline uint64_t isa_test_in(uint32_t port, MemFormat format)
{
    uint64_t value;

    address_space_load(address_space_io(), port, format, MEM_TX_NONE, &value);
    return value;
}

static inline uint8_t inb(uint32_t port)
{
    return isa_test_in(port, MEM_8);
}

static inline void outb(uint32_t port, uint8_t value)
{
    address_space_store(address_space_io(), port, MEM_8, MEM_TX_NONE, value);
}

/* The level a device puts on the bus' interrupt n. */
static inline int isa_test_irq(unsigned n)
{
    return irq_level(&isa_test_bus()->out[n]);
}

/* Saves `from` and loads into `to`, of one type. */
static inline void isa_test_copy_state(Device *from, Device *to)
{
    const VMState *state = device_type_state(from->parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;
    g_autoptr(Error) err = NULL;

    vmstate_check(state);
    g_assert_true(vmstate_save(state, from, &writer, NULL));
    reader = (VMReader){ bytes->data, bytes->len };
    vmstate_load(state, to, &reader, &err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, NULL);
    g_assert_cmpuint(reader.pos, ==, reader.size);
}

#endif
