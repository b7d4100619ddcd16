/*
 * Guest memory: loads, stores, atomics. In place where the TLB says so; else the slow way, over
 * the page's end, to devices, to pages whose writes are told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#define PAGE_BYTES (UINT64_C(1) << TCG_PAGE_BITS)

static bool crosses_page(uint64_t addr, unsigned bytes)
{
    return (addr & (PAGE_BYTES - 1)) + bytes > PAGE_BYTES;
}

static void check_alignment(TcgCpu *cpu, IrMem mem, uint64_t addr, TcgAccess access)
{
    if ((mem & IR_MEM_ALIGNED) && (addr & (ir_mem_bytes(mem) - 1))) {
        cpu->ops->unaligned(cpu, &(TcgFault){ addr, access, ir_mem_mmu(mem), ir_mem_bytes(mem) });
    }
}

/* --- one page --- */

static void device_failed(TcgCpu *cpu, const TcgFault *fault, MemTxResult result)
{
    if (result != MEM_TX_OK && cpu->ops->bus_error) {
        cpu->ops->bus_error(cpu, fault, result);
    }
}

/* The largest piece that is a device's access. */
static unsigned piece(uint64_t addr, unsigned bytes)
{
    unsigned size = MIN(bytes, 8u);

    while (size & (size - 1)) {
        size &= size - 1;
    }
    return size;
}

static void read_device(TcgCpu *cpu, const TlbFull *full, const TcgFault *fault, void *out)
{
    TlbFull at = *full;
    GuestAddr phys = at.phys + (fault->addr - at.page);

    for (unsigned done = 0; done < fault->bytes;) {
        unsigned size = piece(phys + done, fault->bytes - done);
        uint64_t value;
        MemTxResult result = address_space_load(at.as, phys + done,
                                                mem_format(size, ENDIAN_LITTLE), at.attrs, &value);

        device_failed(cpu, fault, result);
        store_bytes((uint8_t *)out + done, size, ENDIAN_LITTLE, value);
        done += size;
    }
}

static void write_device(TcgCpu *cpu, const TlbFull *full, const TcgFault *fault, const void *in)
{
    TlbFull at = *full;
    GuestAddr phys = at.phys + (fault->addr - at.page);

    for (unsigned done = 0; done < fault->bytes;) {
        unsigned size = piece(phys + done, fault->bytes - done);
        uint64_t value = load_bytes((const uint8_t *)in + done, size, ENDIAN_LITTLE);

        device_failed(cpu, fault, address_space_store(at.as, phys + done,
                                                      mem_format(size, ENDIAN_LITTLE), at.attrs,
                                                      value));
        done += size;
    }
    tlb_follow_map(cpu);
}

/* Guests need not align what they access. */
#define UNALIGNED __attribute__((aligned(1), may_alias))
typedef uint16_t UNALIGNED Unaligned16;
typedef uint32_t UNALIGNED Unaligned32;
typedef uint64_t UNALIGNED Unaligned64;

/* One access in one piece, if it is aligned. */
static void copy(void *to, const void *from, unsigned bytes)
{
    switch (bytes) {
    case 1:
        *(uint8_t *)to = *(const uint8_t *)from;
        break;
    case 2:
        *(Unaligned16 *)to = *(const Unaligned16 *)from;
        break;
    case 4:
        *(Unaligned32 *)to = *(const Unaligned32 *)from;
        break;
    case 8:
        *(Unaligned64 *)to = *(const Unaligned64 *)from;
        break;
    default:
        memcpy(to, from, bytes);
        break;
    }
}

static void read_page(TcgCpu *cpu, const TcgFault *fault, void *out)
{
    const TlbFull *full = tlb_find(cpu, fault);

    if (G_UNLIKELY(full->is_watched)) {
        debug_note_access(cpu, fault);
    }
    if (full->host) {
        copy(out, full->host + (fault->addr - full->page), fault->bytes);
    } else {
        read_device(cpu, full, fault, out);
    }
}

static void write_page(TcgCpu *cpu, const TcgFault *fault, const void *in)
{
    const TlbFull *full = tlb_find(cpu, fault);

    if (G_UNLIKELY(full->is_watched)) {
        debug_note_access(cpu, fault);
    }
    if (full->host && full->is_host_writable) {
        uint8_t *host = full->host + (fault->addr - full->page);

        tlb_note_write(cpu, full, fault->addr, fault->bytes);
        copy(host, in, fault->bytes);
        tlb_wrote(full, fault->addr, fault->bytes);
    } else {
        write_device(cpu, full, fault, in);
    }
}

/* --- the slow way --- */

static void read_slow(TcgCpu *cpu, IrMem mem, uint64_t addr, void *out)
{
    TcgFault fault = { addr, TCG_READ, ir_mem_mmu(mem), ir_mem_bytes(mem) };

    check_alignment(cpu, mem, addr, TCG_READ);
    if (mem & IR_MEM_PROBE) {
        tcg_probe(cpu, TCG_READ, fault.mmu, addr, fault.bytes);
    } else if (crosses_page(addr, fault.bytes)) {
        unsigned first = PAGE_BYTES - (addr & (PAGE_BYTES - 1)), bytes = fault.bytes;

        fault.bytes = first;
        read_page(cpu, &fault, out);
        fault.addr = tcg_further(cpu, addr, first);
        fault.bytes = bytes - first;
        read_page(cpu, &fault, (uint8_t *)out + first);
    } else {
        read_page(cpu, &fault, out);
    }
}

static void write_slow(TcgCpu *cpu, IrMem mem, uint64_t addr, const void *in)
{
    TcgFault fault = { addr, TCG_WRITE, ir_mem_mmu(mem), ir_mem_bytes(mem) };

    check_alignment(cpu, mem, addr, TCG_WRITE);
    if (crosses_page(addr, fault.bytes)) {
        unsigned first = PAGE_BYTES - (addr & (PAGE_BYTES - 1)), bytes = fault.bytes;

        /* Neither half is written if one of them faults. */
        tlb_find(cpu, &fault);
        fault.addr = tcg_further(cpu, addr, first);
        fault.bytes = bytes - first;
        tlb_find(cpu, &fault);
        write_page(cpu, &fault, (const uint8_t *)in + first);
        fault.addr = addr;
        fault.bytes = first;
        write_page(cpu, &fault, in);
    } else {
        write_page(cpu, &fault, in);
    }
}

/* --- values --- */

static uint64_t swap(uint64_t value, unsigned bytes)
{
    return __builtin_bswap64(value) >> (64 - 8 * bytes);
}

static uint64_t extend(IrMem mem, uint64_t value)
{
    unsigned bytes = ir_mem_bytes(mem);

    if (mem & IR_MEM_SWAP) {
        value = swap(value, bytes);
    }
    if (mem & IR_MEM_SIGNED) {
        value = (int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
    }
    return value;
}

uint64_t tcg_load(TcgCpu *cpu, IrMem mem, uint64_t addr)
{
    unsigned bytes = ir_mem_bytes(mem);
    const void *host = tlb_fast_read(cpu, ir_mem_mmu(mem), addr, bytes);
    uint64_t value = 0;

    if (G_LIKELY(host) && !((mem & IR_MEM_ALIGNED) && (addr & (bytes - 1)))) {
        copy(&value, host, bytes);
    } else {
        read_slow(cpu, mem, addr, &value);
    }
    return extend(mem, value);
}

void tcg_store(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t value)
{
    unsigned bytes = ir_mem_bytes(mem);
    void *host = tlb_fast_write(cpu, ir_mem_mmu(mem), addr, bytes);

    if (mem & IR_MEM_SWAP) {
        value = swap(value, bytes);
    }
    if (G_LIKELY(host) && !((mem & IR_MEM_ALIGNED) && (addr & (bytes - 1)))) {
        copy(host, &value, bytes);
    } else {
        write_slow(cpu, mem, addr, &value);
    }
}

void tcg_load_bytes(TcgCpu *cpu, IrMem mem, uint64_t addr, void *bytes)
{
    unsigned count = ir_mem_bytes(mem);
    const void *host = tlb_fast_read(cpu, ir_mem_mmu(mem), addr, count);

    if (host && !((mem & IR_MEM_ALIGNED) && (addr & (count - 1)))) {
        memcpy(bytes, host, count);
    } else {
        read_slow(cpu, mem, addr, bytes);
    }
}

void tcg_store_bytes(TcgCpu *cpu, IrMem mem, uint64_t addr, const void *bytes)
{
    unsigned count = ir_mem_bytes(mem);
    void *host = tlb_fast_write(cpu, ir_mem_mmu(mem), addr, count);

    if (host && !((mem & IR_MEM_ALIGNED) && (addr & (count - 1)))) {
        memcpy(host, bytes, count);
    } else {
        write_slow(cpu, mem, addr, bytes);
    }
}

/* --- places --- */

void *tcg_host(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, unsigned bytes)
{
    TcgFault fault = { addr, access, mmu, bytes };
    const TlbFull *full;
    void *fast;

    assert(access != TCG_EXECUTE && !crosses_page(addr, bytes));
    fast = access == TCG_WRITE ? tlb_fast_write(cpu, mmu, addr, bytes) : tlb_fast_read(cpu, mmu, addr, bytes);
    if (fast) {
        return fast;
    }
    full = tlb_find(cpu, &fault);
    if (!full->host || full->is_watched || (access == TCG_WRITE && !full->is_host_writable)) {
        return NULL;
    }
    if (access == TCG_WRITE) {
        uint8_t *host = full->host + (addr - full->page);

        tlb_note_write(cpu, full, addr, bytes);
        return host;
    }
    return full->host + (addr - full->page);
}

void tcg_wrote(TcgCpu *cpu, unsigned mmu, uint64_t addr, unsigned bytes)
{
    TcgFault fault = { addr, TCG_WRITE, mmu, bytes };
    const TlbFull *full;

    if (!tlb_fast_write(cpu, mmu, addr, bytes)) {
        full = tlb_probe(cpu, &fault);
        if (full && full->block) {
            tlb_wrote(full, addr, bytes);
        }
    }
}

void tcg_probe(TcgCpu *cpu, TcgAccess access, unsigned mmu, uint64_t addr, unsigned bytes)
{
    while (bytes > 0) {
        unsigned part = MIN(bytes, PAGE_BYTES - (addr & (PAGE_BYTES - 1)));

        tlb_find(cpu, &(TcgFault){ addr, access, mmu, part });
        addr = tcg_further(cpu, addr, part);
        bytes -= part;
    }
}

/* --- atomics --- */

typedef struct Atomic {
    IrOp op; /* CMPXCHG too */
    IrMem mem;
    uint64_t expected, value;
} Atomic;

static uint64_t apply(const Atomic *a, uint64_t old)
{
    switch (a->op) {
    case IR_FETCH_ADD:
        return old + a->value;
    case IR_FETCH_AND:
        return old & a->value;
    case IR_FETCH_OR:
        return old | a->value;
    case IR_FETCH_XOR:
        return old ^ a->value;
    default:
        return a->value;
    }
}

/* x86 locks unaligned places too; others take the exclusive way. */
#if defined(__x86_64__)
#define CAN_LOCK_UNALIGNED true
#else
#define CAN_LOCK_UNALIGNED false
#endif

#define ATOMIC_IN_PLACE(type)                                                                      \
    static uint64_t atomic_##type(const Atomic *a, type *at)                                       \
    {                                                                                              \
        type old = __atomic_load_n(at, __ATOMIC_RELAXED), new;                                     \
        do {                                                                                       \
            uint64_t seen = a->mem & IR_MEM_SWAP ? swap(old, sizeof(type)) : old;                  \
            if (a->op == IR_CMPXCHG && seen != (type)a->expected) {                                \
                new = old;                                                                         \
            } else {                                                                               \
                new = apply(a, seen);                                                              \
                new = a->mem & IR_MEM_SWAP ? swap(new, sizeof(type)) : new;                        \
            }                                                                                      \
        } while (!__atomic_compare_exchange_n(at, &old, new, false, __ATOMIC_SEQ_CST,              \
                                              __ATOMIC_RELAXED));                                  \
        return a->mem & IR_MEM_SWAP ? swap(old, sizeof(type)) : old;                               \
    }
ATOMIC_IN_PLACE(uint8_t)
ATOMIC_IN_PLACE(uint16_t)
ATOMIC_IN_PLACE(uint32_t)
ATOMIC_IN_PLACE(uint64_t)

static uint64_t atomic_host(const Atomic *a, void *at)
{
    switch (ir_mem_bytes(a->mem)) {
    case 1:
        return atomic_uint8_t(a, at);
    case 2:
        return atomic_uint16_t(a, at);
    case 4:
        return atomic_uint32_t(a, at);
    default:
        return atomic_uint64_t(a, at);
    }
}

/* Over a page's end, or in a device: nobody else runs meanwhile. */
typedef struct ExclusiveAtomic {
    const Atomic *a;
    TcgCpu *cpu;
    uint64_t addr, old;
} ExclusiveAtomic;

static void atomic_exclusive(void *opaque)
{
    ExclusiveAtomic *x = opaque;
    IrMem mem = x->a->mem & ~(IR_MEM_SIGNED | IR_MEM_ALIGNED);
    unsigned bytes = ir_mem_bytes(mem);
    uint64_t mask = UINT64_MAX >> (64 - 8 * bytes);

    x->old = tcg_load(x->cpu, mem, x->addr);
    if (x->a->op != IR_CMPXCHG || x->old == (x->a->expected & mask)) {
        tcg_store(x->cpu, mem, x->addr, apply(x->a, x->old));
    }
}

static uint64_t atomic(TcgCpu *cpu, const Atomic *a, uint64_t addr)
{
    unsigned bytes = ir_mem_bytes(a->mem), mmu = ir_mem_mmu(a->mem);
    void *host;

    check_alignment(cpu, a->mem, addr, TCG_WRITE);
    if (!crosses_page(addr, bytes) && (CAN_LOCK_UNALIGNED || IS_ALIGNED(addr, bytes))) {
        host = tcg_host(cpu, TCG_WRITE, mmu, addr, bytes);
        if (host) {
            uint64_t old = atomic_host(a, host);

            tcg_wrote(cpu, mmu, addr, bytes);
            return old;
        }
    }
    /* What can raise or leave does so before the others stop. */
    tcg_probe(cpu, TCG_WRITE, mmu, addr, bytes);
    ExclusiveAtomic x = { a, cpu, addr, 0 };

    tcg_exclusive(cpu, atomic_exclusive, &x);
    return x.old;
}

uint64_t tcg_atomic(TcgCpu *cpu, IrOp op, IrMem mem, uint64_t addr, uint64_t value)
{
    return atomic(cpu, &(Atomic){ op, mem, 0, value }, addr);
}

uint64_t tcg_cmpxchg(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t expected, uint64_t value)
{
    return atomic(cpu, &(Atomic){ IR_CMPXCHG, mem, expected, value }, addr);
}

typedef struct Exclusive16 {
    TcgCpu *cpu;
    unsigned mmu;
    uint64_t addr;
    uint64_t *expected;
    const uint64_t *value;
    bool is_done;
} Exclusive16;

static void cmpxchg16_exclusive(void *opaque)
{
    Exclusive16 *x = opaque;
    IrMem mem = IR_MEM_128 | IR_MEM_MMU(x->mmu);
    uint64_t old[2];

    tcg_load_bytes(x->cpu, mem, x->addr, old);
    x->is_done = !memcmp(old, x->expected, 16);
    tcg_store_bytes(x->cpu, mem, x->addr, x->is_done ? x->value : old);
    memcpy(x->expected, old, 16);
}

#if defined(__x86_64__)
static bool cmpxchg16_host(void *at, uint64_t expected[2], const uint64_t value[2])
{
    bool is_done;

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(is_done), "+m"(*(unsigned __int128 *)at), "+a"(expected[0]),
                       "+d"(expected[1])
                     : "b"(value[0]), "c"(value[1])
                     : "memory");
    return is_done;
}
#endif

bool tcg_cmpxchg16(TcgCpu *cpu, IrMem mem, uint64_t addr, uint64_t expected[2],
                   const uint64_t value[2])
{
    Exclusive16 x = { cpu, ir_mem_mmu(mem), addr, expected, value, false };

    check_alignment(cpu, (mem & ~IR_MEM_SIZE) | IR_MEM_128, addr, TCG_WRITE);
#if defined(__x86_64__)
    if (IS_ALIGNED(addr, 16)) {
        void *host = tcg_host(cpu, TCG_WRITE, x.mmu, addr, 16);

        if (host) {
            bool is_exchanged = cmpxchg16_host(host, expected, value);

            tcg_wrote(cpu, x.mmu, addr, 16);
            return is_exchanged;
        }
    }
#endif
    tcg_probe(cpu, TCG_WRITE, x.mmu, addr, 16);
    tcg_exclusive(cpu, cmpxchg16_exclusive, &x);
    return x.is_done;
}
