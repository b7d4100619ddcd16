/*
 * Kernels with a PVH entry: ELF files whose note 18 of owner "Xen" (XEN_ELFNOTE_PHYS32_ENTRY)
 * holds the address to enter in 32-bit protected mode (Xen, docs/misc/pvh).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "util/byte_order.h"
#include "x86_kernel.h"

#define NOTE_PHYS32_ENTRY 18
#define HEADER_BYTES      8192 /* of the file, for firmware to look at */

static bool is_machine(const ElfImage *elf)
{
    return elf->endian == ENDIAN_LITTLE && (elf->machine == EM_386 || elf->machine == EM_X86_64);
}

/* Numbers of 4 bytes, or of 8 in newer 64-bit kernels. */
static bool find_entry(const ElfImage *elf, uint64_t *entry, Error **errp)
{
    size_t size;
    const uint8_t *note = elf_image_note(elf, "Xen", NOTE_PHYS32_ENTRY, &size);

    if (!note) {
        return error_set(errp, "Error loading uncompressed kernel without PVH ELF Note");
    }
    if (size != 4 && size != 8) {
        return error_set(errp, "its PVH ELF note has %zu bytes", size);
    }
    *entry = load_bytes(note, size, ENDIAN_LITTLE);
    return true;
}

/* Everything it loads lies in RAM; the extent is what firmware must leave alone. */
static bool measure(const X86KernelInput *in, X86Kernel *kernel, Error **errp)
{
    uint64_t low = UINT64_MAX, high = 0;

    for (guint i = 0; i < kernel->elf.segments->len; i++) {
        const ElfSegment *s = &g_array_index(kernel->elf.segments, ElfSegment, i);

        if (s->addr > in->room.ram_below_4g ||
            s->memory_bytes > in->room.ram_below_4g - s->addr) {
            return error_set(errp, "its segment of %" PRIu64 " bytes at 0x%" PRIx64 " is not in the "
                             "%" PRIu64 " bytes of RAM below 4 GiB", s->memory_bytes, s->addr,
                             in->room.ram_below_4g);
        }
        low = MIN(low, s->addr);
        high = MAX(high, s->addr + s->memory_bytes);
    }
    if (kernel->entry < low || kernel->entry >= high) {
        return error_set(errp, "its PVH entry 0x%" PRIx64 " is in none of its segments",
                         kernel->entry);
    }
    kernel->kernel = (X86Blob){ low, { NULL, high - low } };
    return true;
}

bool x86_pvh_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp)
{
    if (!elf_image_init(&kernel->elf, in->kernel.data, in->kernel.size, errp)) {
        return false;
    }
    kernel->kind = X86_KERNEL_PVH; /* which owns `elf` */
    if (!is_machine(&kernel->elf)) {
        return error_set(errp, "it is an ELF file for another machine");
    }
    if (!find_entry(&kernel->elf, &kernel->entry, errp) || !measure(in, kernel, errp)) {
        return false;
    }
    kernel->setup.bytes = (X86Bytes){ in->kernel.data, MIN(in->kernel.size, HEADER_BYTES) };
    return !in->initrd.size ||
           x86_kernel_place_initrd(in, kernel->kernel.addr + kernel->kernel.bytes.size, UINT32_MAX,
                                   kernel, errp);
}
