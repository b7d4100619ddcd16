/*
 * Programmable Attribute Maps: see pam.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "pam.h"

#define PAM_PRIORITY 1

/* --- read from PCI, written to DRAM: how a BIOS copies itself in place --- */

static MemTxResult shadow_read(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                               uint64_t *value)
{
    PamSegment *s = opaque;
    uint8_t buf[8] = { 0 };
    MemTxResult result =
        address_space_read(&s->pam->pci_space, s->base + offset, attrs, buf, bytes);

    *value = load_bytes(buf, bytes, ENDIAN_LITTLE);
    return result;
}

static MemTxResult shadow_write(void *opaque, uint64_t offset, unsigned bytes, MemTxAttrs attrs,
                                uint64_t value)
{
    PamSegment *s = opaque;
    uint8_t buf[8];

    store_bytes(buf, bytes, ENDIAN_LITTLE, value);
    return address_space_write(&s->pam->ram_space, s->base + offset, attrs, buf, bytes);
}

static const MemoryOps shadow_ops = {
    .read_attrs = shadow_read,
    .write_attrs = shadow_write,
    .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 8, .unaligned = true },
    .impl = { .min = 1, .max = 8, .unaligned = true },
};

static void make_spaces(Pam *pam)
{
    if (!pam->has_spaces) {
        address_space_init(&pam->ram_space, pam->ram, "pam-ram");
        address_space_init(&pam->pci_space, pam->pci, "pam-pci");
        pam->has_spaces = true;
    }
}

/* --- segments --- */

/* The last of them has a nibble for 64 KiB, the others have one for 16 KiB each. */
static MemoryWindow segment_window(unsigned n)
{
    return n == PAM_SEGMENTS - 1 ? (MemoryWindow){ 0xf0000, 64 * KiB } :
                                   (MemoryWindow){ 0xc0000 + n * 16 * KiB, 16 * KiB };
}

/* The first register is the last segment's, in its upper nibble; then two each, from the lower. */
static unsigned segment_mode(const uint8_t registers[PAM_REGISTERS], unsigned n)
{
    unsigned nibbles = n == PAM_SEGMENTS - 1 ? registers[0] >> 4 :
                                               registers[1 + n / 2] >> (n % 2 ? 4 : 0);

    return nibbles % PAM_MODES;
}

static void segment_init(PamSegment *s, Object *owner, MemoryWindow window)
{
    MemoryRegion *modes = s->modes;

    s->base = window.offset;
    memory_region_init_alias(&modes[0], owner, "pam-pci", s->pam->pci, window);
    memory_region_init_alias(&modes[PAM_READ], owner, "pam-rom", s->pam->ram, window);
    memory_region_set_read_only(&modes[PAM_READ], true);
    memory_region_init_io(&modes[PAM_WRITE], owner, &shadow_ops, "pam-shadow", window.size);
    memory_region_set_opaque(&modes[PAM_WRITE], s);
    memory_region_init_alias(&modes[PAM_READ | PAM_WRITE], owner, "pam-ram", s->pam->ram, window);
    for (unsigned mode = 0; mode < PAM_MODES; mode++) {
        memory_region_set_enabled(&modes[mode], mode == 0);
        memory_region_add_overlap(memory_region_system(), s->base, &modes[mode], PAM_PRIORITY);
    }
}

void pam_map(Pam *pam, Object *owner, MemoryRegion *ram, MemoryRegion *pci)
{
    pam->ram = ram;
    pam->pci = pci;
    memory_transaction_begin();
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        pam->segments[n].pam = pam;
        segment_init(&pam->segments[n], owner, segment_window(n));
    }
    memory_transaction_commit();
}

static void each_mode(Pam *pam, void (*fn)(MemoryRegion *mode))
{
    memory_transaction_begin();
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        for (unsigned mode = 0; mode < PAM_MODES; mode++) {
            fn(&pam->segments[n].modes[mode]);
        }
    }
    memory_transaction_commit();
}

static void unmap_mode(MemoryRegion *mode)
{
    memory_region_remove(memory_region_system(), mode);
}

void pam_unmap(Pam *pam)
{
    each_mode(pam, unmap_mode);
    if (pam->has_spaces) {
        address_space_clear(&pam->ram_space);
        address_space_clear(&pam->pci_space);
        pam->has_spaces = false;
    }
}

void pam_clear(Pam *pam)
{
    if (pam->ram) {
        each_mode(pam, memory_region_clear);
    }
}

void pam_update(Pam *pam, const uint8_t registers[PAM_REGISTERS])
{
    memory_transaction_begin();
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        unsigned wanted = segment_mode(registers, n);

        if (wanted == PAM_WRITE) {
            make_spaces(pam);
        }
        for (unsigned mode = 0; mode < PAM_MODES; mode++) {
            memory_region_set_enabled(&pam->segments[n].modes[mode], mode == wanted);
        }
    }
    memory_transaction_commit();
}
