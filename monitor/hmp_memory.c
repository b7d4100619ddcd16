/*
 * HMP commands on the memory map, ports and translated code; dumps are in hmp_dump.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "system/accel.h"
#include "system/address_space.h"
#include "system/memory_info.h"
#include "system/run_state.h"

#define PORT_MASK 0xffff

/* The sum of BSD's `sum`. */
void hmp_sum(Hmp *hmp, json_object *args)
{
    GuestAddr addr = hmp_int(args, "start");
    uint32_t size = hmp_int(args, "size");
    uint8_t chunk[4096];
    uint16_t sum = 0;

    while (size) {
        uint32_t part = MIN(size, sizeof(chunk));

        address_space_read_or_zero(address_space_system(), addr, MEM_TX_NONE, chunk, part);
        for (uint32_t i = 0; i < part; i++) {
            sum = (sum >> 1 | sum << 15) + chunk[i];
        }
        addr += part;
        size -= part;
    }
    hmp_printf(hmp, "%05d\n", sum);
}

/* "b", "w", "l": ports have their own letters. */
static unsigned port_bytes(json_object *args)
{
    const char *size = hmp_text(args, "size");

    return *size == 'b' ? 1 : *size == 'w' ? 2 : 4;
}

void hmp_port_read(Hmp *hmp, json_object *args)
{
    static const char letters[] = { [1] = 'b', [2] = 'w', [4] = 'l' };
    unsigned bytes = port_bytes(args), port = hmp_int(args, "addr") & PORT_MASK;
    uint64_t value;

    address_space_load(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                       &value);
    hmp_printf(hmp, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", letters[bytes], port, bytes * 2,
               bytes == 4 ? (uint32_t)value : value & ((1u << (bytes * 8)) - 1));
}

void hmp_port_write(Hmp *hmp, json_object *args)
{
    address_space_store(address_space_io(), hmp_int(args, "addr") & PORT_MASK,
                        mem_format(port_bytes(args), ENDIAN_LITTLE), MEM_TX_NONE,
                        hmp_int(args, "value"));
}

void hmp_mtree(Hmp *hmp, json_object *args)
{
    MemoryTreeOptions options = {
        .is_flat = hmp_bool(args, "flat"),
        .with_dispatch = hmp_bool(args, "dispatch"),
        .with_owners = hmp_bool(args, "owners"),
        .with_disabled = hmp_bool(args, "disabled"),
    };

    memory_print_tree(hmp->out, options);
}

void hmp_jit(Hmp *hmp, json_object *args)
{
    const AccelType *ops = accel_ops();

    if (ops && ops->print_translated) {
        ops->print_translated(accel_current(), hmp->out);
    } else {
        hmp_printf(hmp, "The accelerator translates nothing\n");
    }
}

void hmp_one_insn_per_tb(Hmp *hmp, json_object *args)
{
    const AccelType *ops = accel_ops();

    if (!ops || !ops->set_one_insn) {
        hmp_printf(hmp, "The accelerator translates nothing\n");
        return;
    }
    vcpu_pause_all();
    ops->set_one_insn(accel_current(), !hmp_has(args, "enable") || hmp_bool(args, "enable"));
    if (vm_is_running()) {
        vcpu_resume_all();
    }
}

void hmp_ramblock(Hmp *hmp, json_object *args)
{
    memory_print_ram_blocks(hmp->out);
}
