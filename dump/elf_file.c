/*
 * A dump as an ELF core file of 64 bits: header, segments, notes, memory; with one section if there
 * are too many segments for the header to count. System V gABI, "Object Files".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "dump_parts.h"

#include <elf.h>

#include "system/target.h"

#define CHUNK_BYTES (256 * KiB)

/* Segments: the notes and one for each mapping. */
static unsigned segment_count(const Dump *dump)
{
    return dump->mappings->len + 1;
}

static bool has_section(const Dump *dump)
{
    return segment_count(dump) >= PN_XNUM;
}

static uint64_t notes_offset(const Dump *dump)
{
    return sizeof(Elf64_Ehdr) + (has_section(dump) ? sizeof(Elf64_Shdr) : 0) +
           (uint64_t)segment_count(dump) * sizeof(Elf64_Phdr);
}

static bool write_header(Dump *dump, Error **errp)
{
    bool has_it = has_section(dump);
    Elf64_Ehdr head = {
        .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
                     target_info()->is_big_endian ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT },
        .e_type = ET_CORE,
        .e_machine = dump->machine,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(head) + (has_it ? sizeof(Elf64_Shdr) : 0),
        .e_shoff = has_it ? sizeof(head) : 0,
        .e_ehsize = sizeof(head),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = has_it ? PN_XNUM : segment_count(dump),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = has_it,
    };
    Elf64_Shdr count = { .sh_info = segment_count(dump) };

    return dump_write(dump, &head, sizeof(head), errp) &&
           (!has_it || dump_write(dump, &count, sizeof(count), errp));
}

/* Where a byte of memory is in the file. */
static uint64_t memory_offset(const Dump *dump, GuestAddr physical)
{
    uint64_t offset = notes_offset(dump) + dump->notes->len;

    for (guint i = 0; i < dump->blocks->len; i++) {
        const DumpBlock *block = &g_array_index(dump->blocks, DumpBlock, i);

        if (physical - block->first < block->bytes) {
            return offset + (physical - block->first);
        }
        offset += block->bytes;
    }
    return offset;
}

static bool write_segments(Dump *dump, Error **errp)
{
    Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = notes_offset(dump),
                         .p_filesz = dump->notes->len, .p_memsz = dump->notes->len };
    bool is_ok = dump_write(dump, &notes, sizeof(notes), errp);

    for (guint i = 0; is_ok && i < dump->mappings->len; i++) {
        const CpuMapping *m = &g_array_index(dump->mappings, CpuMapping, i);
        Elf64_Phdr load = { .p_type = PT_LOAD, .p_offset = memory_offset(dump, m->physical),
                            .p_vaddr = m->addr, .p_paddr = m->physical, .p_filesz = m->bytes,
                            .p_memsz = m->bytes };

        is_ok = dump_write(dump, &load, sizeof(load), errp);
    }
    return is_ok;
}

static bool write_block(Dump *dump, const DumpBlock *block, Error **errp)
{
    g_autofree uint8_t *chunk = g_malloc(CHUNK_BYTES);

    for (uint64_t done = 0; done < block->bytes;) {
        size_t part = MIN(block->bytes - done, CHUNK_BYTES);

        address_space_read_or_zero(address_space_system(), block->first + done, MEM_TX_NONE, chunk,
                                   part);
        if (!dump_write(dump, chunk, part, errp)) {
            return false;
        }
        done += part;
        __atomic_fetch_add(&dump->completed, part, __ATOMIC_RELAXED);
    }
    return true;
}

bool dump_write_elf(Dump *dump, Error **errp)
{
    bool is_ok = write_header(dump, errp) && write_segments(dump, errp) &&
                 dump_write(dump, dump->notes->data, dump->notes->len, errp);

    for (guint i = 0; is_ok && i < dump->blocks->len; i++) {
        is_ok = write_block(dump, &g_array_index(dump->blocks, DumpBlock, i), errp);
    }
    return is_ok;
}
