/*
 * Fuzzes the three parsers of kernel images. Whatever is accepted lies in RAM and can be handed
 * to firmware; where it can be started without firmware, the state is in bounds too.
 *
 * The first byte says what goes with the image: bit 0 an initial RAM disk, bit 1 a device tree,
 * bit 2 a command line, bits 3 and 4 modules.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "x86_direct.h"

#define RAM_BYTES (64 * MiB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_blob(const X86Blob *blob)
{
    check(blob->bytes.size <= RAM_BYTES && blob->addr <= RAM_BYTES - blob->bytes.size);
}

/* Reads every byte, so that a bad pointer is found. */
static void read_all(X86Bytes bytes)
{
    for (size_t i = 0; bytes.data && i < bytes.size; i++) {
        (void)*(volatile const uint8_t *)&bytes.data[i];
    }
}

static void check_kernel(const X86Kernel *kernel)
{
    const X86Blob *const blobs[] = { &kernel->setup, &kernel->kernel, &kernel->initrd,
                                     &kernel->cmdline };

    for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
        check_blob(blobs[i]);
        read_all(blobs[i]->bytes);
    }
}

static void check_direct(const X86Kernel *kernel)
{
    g_autoptr(E820) memory = e820_new();
    X86DirectRoom room = { .memory = memory, .rsdp = 0xe0000 };
    X86DirectBoot boot;

    e820_add(memory, 0, RAM_BYTES, E820_RAM);
    if (x86_direct_boot(kernel, &room, &boot, NULL)) {
        for (guint i = 0; i < boot.pieces->len; i++) {
            check_blob(&g_array_index(boot.pieces, X86Blob, i));
            read_all(g_array_index(boot.pieces, X86Blob, i).bytes);
        }
        x86_direct_boot_clear(&boot);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t extra[5000];
    const X86Module modules[] = { { { extra, sizeof(extra) }, "a b" }, { { extra, 1 }, "c" },
                                  { { NULL, 0 }, "" } };
    X86KernelInput in = { .name = "kernel", .cmdline = "", .room = { RAM_BYTES, 128 * KiB } };
    Error *err = NULL;
    X86Kernel *kernel;

    if (!size) {
        return 0;
    }
    in.kernel = (X86Bytes){ data + 1, size - 1 };
    in.initrd.data = in.dtb.data = extra;
    in.initrd.size = data[0] & 1 ? sizeof(extra) : 0;
    in.dtb.size = data[0] & 2 ? sizeof(extra) : 0;
    in.cmdline = data[0] & 4 ? "console=ttyS0 vga=0x305" : "";
    in.modules = modules;
    in.module_count = data[0] >> 3 & 3;
    kernel = x86_kernel_parse(&in, &err);
    check(!kernel == !!err);
    if (kernel) {
        check_kernel(kernel);
        check_direct(kernel);
    }
    x86_kernel_free(kernel);
    error_free(err);
    return 0;
}
