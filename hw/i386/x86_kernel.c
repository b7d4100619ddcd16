/*
 * Kernels given with -kernel: files in, keys of fw_cfg out. See x86_kernel.h.
 *
 * fw_cfg must have its DMA interface: our option ROMs know no other way to memory above 1 MiB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/roms.h"
#include "hw/nvram/fw_cfg.h"
#include "x86_kernel.h"
#include "x86_linux.h"
#include "x86_option_rom.h"

#define PAGE_BYTES        4096
#define OLD_SETUP_ADDR    0x90000
#define CMDLINE_MAX_BYTES 0xffff

/* --- for parsers --- */

uint8_t *x86_kernel_buffer(X86Kernel *kernel, size_t size, Error **errp)
{
    uint8_t *buffer = g_try_malloc0(size);

    if (!buffer) {
        error_set(errp, "no memory for %zu bytes of it", size);
        return NULL;
    }
    g_ptr_array_add(kernel->owned, buffer);
    return buffer;
}

bool x86_kernel_place_initrd(const X86KernelInput *in, uint64_t lowest, uint64_t highest,
                             X86Kernel *kernel, Error **errp)
{
    const X86KernelRoom *room = &in->room;
    uint64_t usable = room->ram_below_4g - MIN(room->ram_below_4g, room->reserved_bytes);
    uint64_t last = MIN(highest, usable ? usable - 1 : 0);
    uint64_t addr = ROUND_DOWN(last - MIN(last, in->initrd.size), PAGE_BYTES);

    if (in->initrd.size > last || addr < lowest) {
        return error_set(errp, "initrd is too large, cannot support this. (max: %" PRIu64
                         ", need %zu)", last - MIN(last, lowest), in->initrd.size);
    }
    kernel->initrd = (X86Blob){ addr, in->initrd };
    return true;
}

/* --- from bytes --- */

static bool parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp)
{
    if (x86_linux_is_image(in->kernel)) {
        return x86_linux_parse(in, kernel, errp);
    }
    if (x86_multiboot_find(in->kernel) >= 0) {
        return x86_multiboot_parse(in, kernel, errp);
    }
    if (elf_is_image(in->kernel.data, in->kernel.size)) {
        return x86_pvh_parse(in, kernel, errp);
    }
    return x86_linux_parse(in, kernel, errp);
}

static void set_cmdline(X86Kernel *kernel, char *cmdline)
{
    kernel->cmdline.bytes = (X86Bytes){ (uint8_t *)cmdline, strlen(cmdline) + 1 };
    g_ptr_array_add(kernel->owned, cmdline);
}

X86Kernel *x86_kernel_parse(const X86KernelInput *in, Error **errp)
{
    X86Kernel *kernel = g_new0(X86Kernel, 1);

    kernel->owned = g_ptr_array_new_with_free_func(g_free);
    kernel->mappings = g_ptr_array_new_with_free_func((GDestroyNotify)g_mapped_file_unref);
    if (!parse(in, kernel, errp)) {
        x86_kernel_free(kernel);
        return NULL;
    }
    if (kernel->kind != X86_KERNEL_MULTIBOOT) {
        set_cmdline(kernel, g_strdup(in->cmdline));
    }
    return kernel;
}

void x86_kernel_free(X86Kernel *kernel)
{
    if (!kernel) {
        return;
    }
    if (kernel->elf.segments) {
        elf_image_clear(&kernel->elf);
    }
    if (kernel->roms) {
        g_ptr_array_unref(kernel->roms);
    }
    g_ptr_array_unref(kernel->owned);
    g_ptr_array_unref(kernel->mappings);
    g_free(kernel);
}

/* --- from files --- */

static bool map_file(GPtrArray *mappings, const char *path, X86Bytes *bytes, Error **errp)
{
    g_autoptr(GError) why = NULL;
    GMappedFile *file = g_mapped_file_new(path, FALSE, &why);

    if (!file) {
        return error_set(errp, "%s", why->message);
    }
    g_ptr_array_add(mappings, file);
    *bytes = (X86Bytes){ (const uint8_t *)g_mapped_file_get_contents(file),
                         g_mapped_file_get_length(file) };
    return bytes->size || error_set(errp, "%s: it is empty", path);
}

char *x86_module_next(const char **list)
{
    GString *item = g_string_new(NULL);
    const char *at = *list;

    for (; *at; at++) {
        if (*at == ',' && *++at != ',') { /* two of them are one of the name's */
            break;
        }
        g_string_append_c(item, *at);
    }
    *list = at;
    return g_string_free(item, FALSE);
}

/* "file arguments": the file is the first word. */
static bool map_module(GPtrArray *mappings, const char *item, GArray *modules, Error **errp)
{
    g_autofree char *path = g_strndup(item, strcspn(item, " "));
    X86Module module = { .cmdline = item };

    if (!map_file(mappings, path, &module.bytes, errp)) {
        return false;
    }
    g_array_append_val(modules, module);
    return true;
}

static bool map_modules(GPtrArray *mappings, const char *list, GPtrArray *texts, GArray *modules,
                        Error **errp)
{
    while (*list) {
        char *item = x86_module_next(&list);

        g_ptr_array_add(texts, item);
        if (*item && !map_module(mappings, item, modules, errp)) {
            return false;
        }
    }
    return true;
}

static bool is_multiboot(X86Bytes image)
{
    return !x86_linux_is_image(image) && x86_multiboot_find(image) >= 0;
}

/* Everything the options name, into `in`. */
static bool map_files(const Machine *machine, X86KernelInput *in, GPtrArray *mappings,
                      GPtrArray *texts, GArray *modules, Error **errp)
{
    if (!map_file(mappings, machine->kernel, &in->kernel, errp) ||
        (machine->dtb && !map_file(mappings, machine->dtb, &in->dtb, errp))) {
        return false;
    }
    if (!machine->initrd) {
        return true;
    }
    if (!is_multiboot(in->kernel)) {
        return map_file(mappings, machine->initrd, &in->initrd, errp);
    }
    return map_modules(mappings, machine->initrd, texts, modules, errp);
}

X86Kernel *x86_kernel_load(const Machine *machine, const X86KernelRoom *room, Error **errp)
{
    g_autoptr(GPtrArray) mappings =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_mapped_file_unref);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) modules = g_array_new(FALSE, FALSE, sizeof(X86Module));
    X86KernelInput in = { .name = machine->kernel, .room = *room,
                          .cmdline = machine->append ? machine->append : "" };
    X86Kernel *kernel = NULL;

    if (map_files(machine, &in, mappings, texts, modules, errp)) {
        in.modules = (const X86Module *)modules->data;
        in.module_count = modules->len;
        kernel = x86_kernel_parse(&in, errp);
    }
    if (kernel) {
        g_ptr_array_extend_and_steal(kernel->mappings, g_steal_pointer(&mappings));
    } else {
        error_prefix(errp, "could not load kernel '%s': ", machine->kernel);
    }
    return kernel;
}

bool x86_kernel_append(X86Kernel *kernel, const char *text, Error **errp)
{
    size_t size = kernel->cmdline.bytes.size + strlen(text) + 1;

    if (!kernel->cmdline.bytes.size) {
        return error_set(errp, "the kernel's command line cannot be changed any more");
    }
    if (kernel->cmdline.addr >= OLD_SETUP_ADDR) { /* it ends where its room ends */
        return error_set(errp, "the kernel is too old to have its command line changed");
    }
    if (size > CMDLINE_MAX_BYTES) {
        return error_set(errp, "the kernel's command line of %zu bytes is too long", size);
    }
    set_cmdline(kernel, g_strdup_printf("%s %s", (const char *)kernel->cmdline.bytes.data, text));
    return true;
}

/* --- to firmware --- */

static void publish_bytes(Device *fw_cfg, uint16_t key, X86Bytes bytes)
{
    FwCfgBlob blob = { .data = (void *)bytes.data, .size = bytes.size, .is_borrowed = true };

    fw_cfg_set(fw_cfg, key, &blob);
}

static void publish_blob(Device *fw_cfg, const X86Blob *blob, uint16_t addr_key,
                         uint16_t size_key, uint16_t data_key)
{
    if (blob->bytes.size) {
        fw_cfg_set_u32(fw_cfg, addr_key, blob->addr);
        fw_cfg_set_u32(fw_cfg, size_key, blob->bytes.size);
        publish_bytes(fw_cfg, data_key, blob->bytes);
    }
}

static bool add_roms(X86Kernel *kernel, Error **errp)
{
    kernel->roms = g_ptr_array_new_with_free_func((GDestroyNotify)rom_remove);
    for (guint i = 0; i < kernel->elf.segments->len; i++) {
        const ElfSegment *s = &g_array_index(kernel->elf.segments, ElfSegment, i);
        const RomSpec spec = { "kernel", s->addr, s->memory_bytes, s->bytes, s->file_bytes, true };
        Rom *rom = rom_add(&spec, errp);

        if (!rom) {
            return false;
        }
        g_ptr_array_add(kernel->roms, rom);
    }
    return true;
}

bool x86_kernel_publish(X86Kernel *kernel, Device *fw_cfg, Error **errp)
{
    if (!fw_cfg_has_dma(fw_cfg)) {
        return error_set(errp, "-kernel needs fw_cfg with DMA (dma_enabled=on)");
    }
    if (kernel->kind == X86_KERNEL_PVH && !kernel->roms && !add_roms(kernel, errp)) {
        return false;
    }
    publish_blob(fw_cfg, &kernel->setup, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA);
    publish_blob(fw_cfg, &kernel->kernel, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE,
                 FW_CFG_KERNEL_DATA);
    publish_blob(fw_cfg, &kernel->initrd, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE,
                 FW_CFG_INITRD_DATA);
    publish_blob(fw_cfg, &kernel->cmdline, FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE,
                 FW_CFG_CMDLINE_DATA);
    if (kernel->kind != X86_KERNEL_LINUX) {
        fw_cfg_set_u32(fw_cfg, FW_CFG_KERNEL_ENTRY, kernel->entry);
    }
    return true;
}

const char *x86_kernel_rom_name(const X86Kernel *kernel)
{
    static const char *const names[] = {
        [X86_KERNEL_LINUX] = "linuxboot_dma.bin",
        [X86_KERNEL_PVH] = "pvh.bin",
        [X86_KERNEL_MULTIBOOT] = "multiboot_dma.bin",
    };

    return names[kernel->kind];
}

bool x86_kernel_offer_rom(const X86Kernel *kernel, Device *fw_cfg, Error **errp)
{
    const char *name = x86_kernel_rom_name(kernel);
    g_autofree char *file = g_strdup_printf("genroms/%s", name);
    X86Bytes rom = x86_option_rom(name);
    FwCfgBlob blob = { .data = (void *)rom.data, .size = rom.size, .is_borrowed = true };

    return fw_cfg_add_file(fw_cfg, file, &blob, errp);
}
