/*
 * HMP commands that look at a CPU: the one that `cpu` chose, or the first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "hmp_handlers.h"
#include "hw/core/cpu_debug.h"
#include "hw/core/interrupt_stats.h"
#include "system/guest_debug.h"

static Cpu *chosen_cpu(const HmpSession *session)
{
    Vcpu *vcpu = session->cpu_index < 0 ? vcpu_first() : vcpu_by_index(session->cpu_index);

    return vcpu ? CPU(vcpu->object) : NULL;
}

void hmp_cpu(Hmp *hmp, json_object *args)
{
    int64_t index = hmp_int(args, "index");

    if (index < 0 || index >= VCPU_NO_INDEX || !vcpu_by_index(index)) {
        hmp_printf(hmp, "invalid CPU index\n");
    } else {
        hmp->session->cpu_index = index;
    }
}

/* --- registers --- */

static void print_registers(Cpu *cpu, void *opaque)
{
    Hmp *hmp = opaque;

    hmp_printf(hmp, "\nCPU#%u\n", cpu->vcpu.index);
    if (cpu_ops(cpu)->print_registers) {
        cpu_ops(cpu)->print_registers(cpu, hmp->out);
    }
}

void hmp_registers(Hmp *hmp, json_object *args)
{
    int64_t index = hmp_has(args, "vcpu") ? hmp_int(args, "vcpu") : hmp->session->cpu_index;
    Vcpu *chosen = index < 0 ? vcpu_first() : vcpu_by_index(MIN(index, VCPU_NO_INDEX));

    if (hmp_bool(args, "all")) {
        for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
            cpu_debug_call(CPU(vcpu->object), print_registers, hmp);
        }
    } else if (chosen) {
        cpu_debug_call(CPU(chosen->object), print_registers, hmp);
    } else if (hmp_has(args, "vcpu")) {
        hmp_printf(hmp, "CPU#%" PRId64 " not available\n", index);
    } else {
        hmp_printf(hmp, "No CPU available\n");
    }
}

typedef struct RegisterSearch {
    const char *name;
    uint64_t *value;
    bool is_found;
} RegisterSearch;

static void search_register(Cpu *cpu, void *opaque)
{
    RegisterSearch *search = opaque;

    search->is_found = cpu_debug(cpu)->find_register(cpu, search->name, search->value);
}

bool hmp_find_register(const HmpSession *session, const char *name, uint64_t *value)
{
    RegisterSearch search = { name, value, false };
    Cpu *cpu = chosen_cpu(session);

    if (cpu && cpu_debug(cpu)) {
        cpu_debug_call(cpu, search_register, &search);
    }
    return search.is_found;
}

/* --- what its debugging interface prints --- */

typedef struct Print {
    Hmp *hmp;
    size_t offset; /* in CpuDebug, of a function that prints */
} Print;

static void print(Cpu *cpu, void *opaque)
{
    Print *p = opaque;
    void (*fn)(Cpu *cpu, GString *out);

    memcpy(&fn, (const char *)cpu_debug(cpu) + p->offset, sizeof(fn));
    if (fn) {
        fn(cpu, p->hmp->out);
    } else {
        hmp_printf(p->hmp, "This CPU has none\n");
    }
}

static void print_of_cpu(Hmp *hmp, Cpu *cpu, size_t offset)
{
    if (!cpu) {
        hmp_printf(hmp, "No CPU available\n");
    } else if (!cpu_debug(cpu)) {
        hmp_printf(hmp, "This CPU cannot be looked into\n");
    } else {
        cpu_debug_call(cpu, print, &(Print){ hmp, offset });
    }
}

void hmp_tlb(Hmp *hmp, json_object *args)
{
    print_of_cpu(hmp, chosen_cpu(hmp->session), offsetof(CpuDebug, print_pages));
}

void hmp_mem(Hmp *hmp, json_object *args)
{
    print_of_cpu(hmp, chosen_cpu(hmp->session), offsetof(CpuDebug, print_ranges));
}

void hmp_lapic(Hmp *hmp, json_object *args)
{
    Vcpu *vcpu = vcpu_first();

    if (!hmp_has(args, "apic-id")) {
        print_of_cpu(hmp, chosen_cpu(hmp->session), offsetof(CpuDebug, print_controller));
        return;
    }
    while (vcpu && !(CPU(vcpu->object)->slot &&
                     CPU(vcpu->object)->slot->arch_id == (uint64_t)hmp_int(args, "apic-id"))) {
        vcpu = vcpu_next(vcpu);
    }
    print_of_cpu(hmp, vcpu ? CPU(vcpu->object) : NULL, offsetof(CpuDebug, print_controller));
}

void hmp_pic(Hmp *hmp, json_object *args)
{
    interrupt_stats_print(hmp->out);
}

void hmp_irq(Hmp *hmp, json_object *args)
{
    interrupt_stats_print_counts(hmp->out);
}

/* --- addresses --- */

typedef struct Lookup {
    uint64_t addr;
    CpuPlace place;
    bool is_found;
} Lookup;

static void look_up(Cpu *cpu, void *opaque)
{
    Lookup *lookup = opaque;

    lookup->is_found = cpu_debug(cpu)->locate(cpu, lookup->addr, &lookup->place);
}

void hmp_gva2gpa(Hmp *hmp, json_object *args)
{
    Lookup lookup = { .addr = hmp_int(args, "addr") };
    Cpu *cpu = chosen_cpu(hmp->session);

    if (!cpu) {
        hmp_printf(hmp, "No cpu\n");
        return;
    }
    if (cpu_debug(cpu)) {
        cpu_debug_call(cpu, look_up, &lookup);
    }
    if (lookup.is_found) {
        hmp_printf(hmp, "gpa: 0x%" PRIx64 "\n", lookup.place.physical);
    } else {
        hmp_printf(hmp, "Unmapped\n");
    }
}

/* Inside rcu_lock(). NULL: it has been said that it is not RAM. */
static void *find_ram(Hmp *hmp, GuestAddr addr, MemoryTarget *target)
{
    address_space_find(address_space_system(), addr, MEM_TX_NONE, false, target);
    if (!target->region) {
        hmp_printf(hmp, "Error: No memory is mapped at address 0x%" PRIx64 "\n", addr);
    } else if (!target->host) {
        hmp_printf(hmp, "Error: Memory at address 0x%" PRIx64 "is not RAM\n", addr);
    }
    return target->region ? target->host : NULL;
}

void hmp_gpa2hva(Hmp *hmp, json_object *args)
{
    GuestAddr addr = hmp_int(args, "addr");
    MemoryTarget target;
    void *host;

    RCU_GUARD();
    host = find_ram(hmp, addr, &target);
    if (host) {
        hmp_printf(hmp, "Host virtual address for 0x%" PRIx64 " (%s) is %p\n", addr,
                   target.region->name, host);
    }
}

#define PAGEMAP_PRESENT BIT64(63)
#define PAGEMAP_FRAME   (BIT64(55) - 1)

/* Of a byte of this process; the kernel shows frames to the privileged only. */
static bool host_physical(const void *host, uint64_t *physical, Error **errp)
{
    uint64_t page = sysconf(_SC_PAGESIZE), entry = 0;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0) {
        return error_set_errno(errp, errno, "Cannot open /proc/self/pagemap");
    }
    got = pread(fd, &entry, sizeof(entry), (uintptr_t)host / page * sizeof(entry));
    close(fd);
    if (got != sizeof(entry)) {
        return error_set(errp, "Cannot read /proc/self/pagemap");
    }
    if (!(entry & PAGEMAP_PRESENT)) {
        return error_set(errp, "Page not present");
    }
    *physical = (entry & PAGEMAP_FRAME) * page + (uintptr_t)host % page;
    return true;
}

void hmp_gpa2hpa(Hmp *hmp, json_object *args)
{
    GuestAddr addr = hmp_int(args, "addr");
    MemoryTarget target;
    uint64_t physical = 0;
    Error *err = NULL;
    void *host;

    RCU_GUARD();
    host = find_ram(hmp, addr, &target);
    if (!host) {
        return;
    }
    (void)*(volatile uint8_t *)host; /* there from now on */
    if (host_physical(host, &physical, &err)) {
        hmp_printf(hmp, "Host physical address for 0x%" PRIx64 " (%s) is 0x%" PRIx64 "\n", addr,
                   target.region->name, physical);
    } else {
        hmp_report(hmp, err);
    }
}

void hmp_memsave(Hmp *hmp, json_object *args)
{
    Cpu *cpu = chosen_cpu(hmp->session);

    if (cpu) {
        json_set(args, "cpu-index", json_object_new_int64(cpu->vcpu.index));
    }
    hmp_call(hmp, "memsave", args, NULL);
}

/* --- gdb --- */

void hmp_gdbserver(Hmp *hmp, json_object *args)
{
    const char *device = hmp_has(args, "device") ? hmp_text(args, "device") : DEBUG_SERVER_DEFAULT;
    Error *err = NULL;

    if (!debug_start_server(device, &err)) {
        hmp_report(hmp, err);
    } else if (!strcmp(device, "none")) {
        hmp_printf(hmp, "Disabled gdbserver\n");
    } else {
        hmp_printf(hmp, "Waiting for gdb connection on device '%s'\n", device);
    }
}
