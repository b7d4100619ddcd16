/*
 * ELF files: see hw/core/elf_image.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/elf_image.h"

#include <elf.h>

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

static bool add_segment(ElfImage *image, const Reader *r, const uint8_t *header, Error **errp)
{
    uint64_t offset = FIELD(r, header, Phdr, p_offset);
    uint32_t type = FIELD(r, header, Phdr, p_type);
    ElfSegment segment = {
        .addr = FIELD(r, header, Phdr, p_paddr),
        .memory_bytes = FIELD(r, header, Phdr, p_memsz),
        .file_bytes = FIELD(r, header, Phdr, p_filesz),
    };

    if (type != PT_NOTE && (type != PT_LOAD || !segment.memory_bytes)) {
        return true;
    }
    if (offset > r->size || segment.file_bytes > r->size - offset ||
        (type == PT_LOAD && segment.file_bytes > segment.memory_bytes)) {
        return error_set(errp, "an ELF segment lies outside the file");
    }
    segment.bytes = r->file + offset;
    g_array_append_val(type == PT_NOTE ? image->notes : image->segments, segment);
    return true;
}

static bool add_segments(ElfImage *image, const Reader *r, Error **errp)
{
    uint64_t at = FIELD(r, r->file, Ehdr, e_phoff);
    uint64_t count = FIELD(r, r->file, Ehdr, e_phnum);
    uint64_t step = FIELD(r, r->file, Ehdr, e_phentsize);

    if (count && (step < (r->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || at > r->size ||
                  count * step > r->size - at)) {
        return error_set(errp, "the ELF program headers lie outside the file");
    }
    for (uint64_t i = 0; i < count; i++) {
        if (!add_segment(image, r, r->file + at + i * step, errp)) {
            return false;
        }
    }
    return true;
}

bool elf_image_init(ElfImage *image, const uint8_t *file, size_t size, Error **errp)
{
    Reader r;

    if (!reader_init(&r, file, size, errp)) {
        return false;
    }
    *image = (ElfImage){
        .entry = FIELD(&r, file, Ehdr, e_entry),
        .machine = FIELD(&r, file, Ehdr, e_machine),
        .is_64 = r.is_64,
        .endian = r.endian,
        .segments = g_array_new(FALSE, FALSE, sizeof(ElfSegment)),
        .notes = g_array_new(FALSE, FALSE, sizeof(ElfSegment)),
    };
    if (!add_segments(image, &r, errp)) {
        elf_image_clear(image);
        return false;
    }
    return true;
}

void elf_image_clear(ElfImage *image)
{
    g_array_free(image->segments, TRUE);
    g_array_free(image->notes, TRUE);
    *image = (ElfImage){ 0 };
}

/* A run of notes: lengths of name and content, type, then both, each filled up to 4 bytes. */
static const uint8_t *find_note(const ElfSegment *notes, Endian endian, const char *owner,
                                uint32_t type, size_t *size)
{
    uint64_t at = 0, owner_bytes = strlen(owner) + 1;

    while (notes->file_bytes - at >= 12) {
        const uint8_t *note = notes->bytes + at;
        uint64_t name_bytes = load_bytes(note, 4, endian);
        uint64_t content_bytes = load_bytes(note + 4, 4, endian);
        uint64_t content = at + 12 + ROUND_UP(name_bytes, 4);

        if (content > notes->file_bytes || content_bytes > notes->file_bytes - content) {
            return NULL;
        }
        if (load_bytes(note + 8, 4, endian) == type && name_bytes == owner_bytes &&
            !memcmp(note + 12, owner, owner_bytes)) {
            *size = content_bytes;
            return notes->bytes + content;
        }
        at = MIN(content + ROUND_UP(content_bytes, 4), notes->file_bytes);
    }
    return NULL;
}

const uint8_t *elf_image_note(const ElfImage *image, const char *owner, uint32_t type,
                              size_t *size)
{
    const uint8_t *found = NULL;

    for (guint i = 0; i < image->notes->len && !found; i++) {
        found = find_note(&g_array_index(image->notes, ElfSegment, i), image->endian, owner, type,
                          size);
    }
    return found;
}
