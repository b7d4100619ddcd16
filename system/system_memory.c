/*
 * The two address spaces every machine has: memory and I/O ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/address_space.h"

#define IO_BYTES (64 * KiB)

/* A port nobody answers floats high, which is no error. */
static uint64_t floating_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return UINT64_MAX;
}

static void floating_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
}

static const MemoryOps floating_ops = {
    .read = floating_read,
    .write = floating_write,
    .endian = ENDIAN_LITTLE,
    .is_lock_free = true,
    .valid = { .unaligned = true },
    .impl = { .max = 8, .unaligned = true },
};

static struct {
    MemoryRegion memory_root, io_root;
    AddressSpace memory, io;
} machine;

static void CONSTRUCTOR make_address_spaces(void)
{
    memory_region_init(&machine.memory_root, NULL, "system", MEMORY_SIZE_WHOLE);
    memory_region_init_io(&machine.io_root, NULL, &floating_ops, "io", IO_BYTES);
    address_space_init(&machine.memory, &machine.memory_root, "memory");
    address_space_init(&machine.io, &machine.io_root, "I/O");
}

AddressSpace *address_space_system(void)
{
    return &machine.memory;
}

AddressSpace *address_space_io(void)
{
    return &machine.io;
}

MemoryRegion *memory_region_system(void)
{
    return &machine.memory_root;
}

MemoryRegion *memory_region_io(void)
{
    return &machine.io_root;
}
