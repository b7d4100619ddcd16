/*
 * ELF files: see hw/core/elf_image.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/elf_image.h"

#include <elf.h>

#include "util/byte_order.h"

typedef struct Reader {
    const uint8_t *file;
    size_t size;
    bool is_64;
    Endian endian;
} Reader;

/* A field that is `bytes32` or `bytes64` long, at one place or the other. */
#define FIELD(r, at, Type, f)                                                                      \
    ((r)->is_64 ?                                                                                  \
     load_bytes((at) + offsetof(Elf64_##Type, f), sizeof(((Elf64_##Type *)0)->f), (r)->endian) :   \
     load_bytes((at) + offsetof(Elf32_##Type, f), sizeof(((Elf32_##Type *)0)->f), (r)->endian))

bool elf_is_image(const uint8_t *file, size_t size)
{
    return size >= SELFMAG && !memcmp(file, ELFMAG, SELFMAG);
}

static bool reader_init(Reader *r, const uint8_t *file, size_t size, Error **errp)
{
    *r = (Reader){ file, size };
    if (!elf_is_image(file, size) || size < EI_NIDENT ||
        (file[EI_CLASS] != ELFCLASS32 && file[EI_CLASS] != ELFCLASS64) ||
        (file[EI_DATA] != ELFDATA2LSB && file[EI_DATA] != ELFDATA2MSB)) {
        return error_set(errp, "it is no ELF file of 32 or 64 bits");
    }
    r->is_64 = file[EI_CLASS] == ELFCLASS64;
    r->endian = file[EI_DATA] == ELFDATA2MSB ? ENDIAN_BIG : ENDIAN_LITTLE;
    return size >= (r->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)) ||
           error_set(errp, "the ELF header is cut off");
}

static bool add_segment(GArray *segments, const Reader *r, const uint8_t *header, Error **errp)
{
    uint64_t offset = FIELD(r, header, Phdr, p_offset);
    ElfSegment segment = {
        .addr = FIELD(r, header, Phdr, p_paddr),
        .memory_bytes = FIELD(r, header, Phdr, p_memsz),
        .file_bytes = FIELD(r, header, Phdr, p_filesz),
    };

    if (FIELD(r, header, Phdr, p_type) != PT_LOAD || !segment.memory_bytes) {
        return true;
    }
    if (offset > r->size || segment.file_bytes > r->size - offset ||
        segment.file_bytes > segment.memory_bytes) {
        return error_set(errp, "an ELF segment lies outside the file");
    }
    segment.bytes = r->file + offset;
    g_array_append_val(segments, segment);
    return true;
}

bool elf_image_init(ElfImage *image, const uint8_t *file, size_t size, Error **errp)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(ElfSegment));
    uint64_t at, count, step;
    Reader r;

    if (!reader_init(&r, file, size, errp)) {
        return false;
    }
    at = FIELD(&r, file, Ehdr, e_phoff);
    count = FIELD(&r, file, Ehdr, e_phnum);
    step = FIELD(&r, file, Ehdr, e_phentsize);
    if (count && (step < (r.is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || at > size ||
                  count * step > size - at)) {
        return error_set(errp, "the ELF program headers lie outside the file");
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!add_segment(segments, &r, file + at + i * step, errp)) {
            return false;
        }
    }
    image->entry = FIELD(&r, file, Ehdr, e_entry);
    image->segments = g_steal_pointer(&segments);
    return true;
}

void elf_image_clear(ElfImage *image)
{
    g_array_free(image->segments, TRUE);
}
