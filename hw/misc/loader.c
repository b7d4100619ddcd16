/*
 * loader: puts a value or a file into memory at every reset and, if told so, has a CPU start
 * there. Files are ELF, or raw bytes at `addr`; U-Boot, a.out and compressed images are taken as
 * raw.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/elf_image.h"
#include "hw/core/machine.h"
#include "hw/core/roms.h"
#include "util/byte_order.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_CPU UINT32_MAX

typedef struct Loader {
    Device parent;
    char *file;
    uint64_t addr, data;
    uint32_t cpu_num;
    uint8_t data_len;
    bool is_data_big_endian, is_raw;
    GPtrArray *roms;
    uint64_t start; /* where the CPU starts */
} Loader;
DECLARE_CAST(Loader, LOADER)

static bool add_rom(Loader *loader, const RomSpec *spec, Error **errp)
{
    Rom *rom = rom_add(spec, errp);

    if (rom) {
        g_ptr_array_add(loader->roms, rom);
    }
    return rom;
}

static bool load_data(Loader *loader, Error **errp)
{
    uint8_t bytes[8];
    RomSpec spec = { "loader", loader->addr, loader->data_len, bytes, loader->data_len };

    if (loader->file) {
        return error_set(errp, "Specifying a file is not supported when loading memory values");
    }
    if (loader->is_raw) {
        return error_set(errp, "Specifying force-raw is not supported when loading memory values");
    }
    if (!loader->data_len) {
        return error_set(errp, "Both data and data-len must be specified");
    }
    if (loader->data_len > sizeof(bytes)) {
        return error_set(errp, "data-len cannot be greater then 8 bytes");
    }
    if (loader->is_data_big_endian) {
        store_be64(bytes, loader->data << (64 - loader->data_len * 8));
    } else {
        store_le64(bytes, loader->data);
    }
    return add_rom(loader, &spec, errp);
}

static bool load_elf(Loader *loader, const uint8_t *bytes, size_t size, Error **errp)
{
    uint64_t room = machine_current()->memory.size_bytes;
    ElfImage image;
    bool is_done = true;

    if (!elf_image_init(&image, bytes, size, errp)) {
        return false;
    }
    loader->start = image.entry;
    for (guint i = 0; i < image.segments->len && is_done; i++) {
        const ElfSegment *segment = &g_array_index(image.segments, ElfSegment, i);
        const RomSpec spec = { loader->file, segment->addr, segment->memory_bytes, segment->bytes,
                               segment->file_bytes };

        is_done = segment->memory_bytes <= room ?
                  add_rom(loader, &spec, errp) :
                  error_set(errp, "a segment has %" PRIu64 " bytes, more than the machine's memory",
                            segment->memory_bytes);
    }
    elf_image_clear(&image);
    return is_done;
}

static bool load_raw(Loader *loader, const uint8_t *bytes, size_t size, Error **errp)
{
    const RomSpec spec = { loader->file, loader->addr, size, bytes, size };
    uint64_t room = machine_current()->memory.size_bytes;

    if (size > room) {
        return error_set(errp, "it has %zu bytes, more than the machine's memory", size);
    }
    return add_rom(loader, &spec, errp);
}

/* NULL with errno set. A file that shrinks meanwhile gives fewer bytes. */
static uint8_t *read_file(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t *bytes = NULL;
    struct stat status;
    ssize_t got = 1;

    *size = 0;
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        errno = EINVAL;
    } else if (!(bytes = g_try_malloc(status.st_size + 1))) {
        errno = ENOMEM;
    } else {
        while (got > 0 && *size < status.st_size) {
            got = read(fd, bytes + *size, status.st_size - *size);
            *size += MAX(0, got);
        }
        if (got < 0) {
            g_clear_pointer(&bytes, g_free);
        }
    }
    close(fd);
    return bytes;
}

static bool load_file(Loader *loader, Error **errp)
{
    size_t size;
    g_autofree uint8_t *bytes = read_file(loader->file, &size);
    bool is_done;

    if (!bytes) {
        return error_set_errno(errp, errno, "Cannot load specified image %s", loader->file);
    }
    is_done = !loader->is_raw && elf_is_image(bytes, size) ?
              load_elf(loader, bytes, size, errp) : load_raw(loader, bytes, size, errp);
    if (!is_done) {
        error_prefix(errp, "Cannot load specified image %s: ", loader->file);
    }
    return is_done;
}

/* Something to load, or a CPU to start. */
static bool load(Loader *loader, Error **errp)
{
    loader->start = loader->addr;
    if (loader->data || loader->data_len || loader->is_data_big_endian) {
        return load_data(loader, errp);
    }
    if (loader->file) {
        return load_file(loader, errp);
    }
    if (loader->is_raw || !loader->addr) {
        return error_set(errp, "please include valid arguments");
    }
    return loader->cpu_num != NO_CPU ||
           error_set(errp, "cpu_num must be specified when setting a program counter");
}

static bool check_cpu(const Loader *loader, Error **errp)
{
    Vcpu *vcpu = loader->cpu_num != NO_CPU ? vcpu_by_index(loader->cpu_num) : NULL;

    if (loader->cpu_num == NO_CPU) {
        return true;
    }
    if (!vcpu) {
        return error_set(errp, "Specified boot CPU#%u is nonexistent", loader->cpu_num);
    }
    return loader->data_len || cpu_ops(CPU(vcpu->object))->set_pc ||
           error_set(errp, "CPU#%u cannot be told where to start", loader->cpu_num);
}

static void forget_roms(Loader *loader)
{
    if (loader->roms) {
        g_ptr_array_free(loader->roms, TRUE);
        loader->roms = NULL;
    }
}

static bool loader_realize(Device *dev, Error **errp)
{
    Loader *loader = LOADER(dev);

    loader->roms = g_ptr_array_new_with_free_func((GDestroyNotify)rom_remove);
    if (load(loader, errp) && check_cpu(loader, errp)) {
        return true;
    }
    forget_roms(loader);
    return false;
}

static void loader_unrealize(Device *dev)
{
    forget_roms(LOADER(dev));
}

static void loader_reset_exit(Device *dev)
{
    Loader *loader = LOADER(dev);
    Vcpu *vcpu = loader->cpu_num != NO_CPU && !loader->data_len ?
                 vcpu_by_index(loader->cpu_num) : NULL;

    if (vcpu) {
        cpu_ops(CPU(vcpu->object))->set_pc(CPU(vcpu->object), loader->start);
    }
}

static const Property loader_props[] = {
    PROP_U64("addr", Loader, addr, .doc = "Where to load to, or to start"),
    PROP_U64("data", Loader, data, .doc = "Value to load"),
    PROP_U8("data-len", Loader, data_len, .doc = "Bytes of the value: 1 to 8"),
    PROP_BOOL("data-be", Loader, is_data_big_endian, .doc = "The value is big endian"),
    PROP_U32("cpu-num", Loader, cpu_num, .initial = NO_CPU, .doc = "CPU that starts there"),
    PROP_STR("file", Loader, file, .doc = "File to load"),
    PROP_BOOL("force-raw", Loader, is_raw, .doc = "Load an ELF file as it is"),
};

static const DeviceType loader_type = {
    .name = "loader",
    .doc = "Generic Loader",
    .size = sizeof(Loader),
    .parent = TYPE_DEVICE,
    .category = DEVICE_CATEGORY_MISC,
    .access = DEVICE_ACCESS_USER,
    .is_not_hotpluggable = true,
    .properties = PROPERTIES(loader_props),
    .realize = loader_realize,
    .unrealize = loader_unrealize,
    .reset_exit = loader_reset_exit,
};
DEVICE_TYPE(loader_type)
