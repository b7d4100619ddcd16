/*
 * Memory for an x86 CPU's plain C, by the engine's TLB; what fills and flushes that.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/memory.h"

#include "accel/tcg/memory.h"
#include "target/i386/execute.h"
#include "target/i386/svm.h"
#include "util/log.h"

#define PAGE_MASK ((UINT64_C(1) << TCG_PAGE_BITS) - 1)

/* --- what is where --- */

uint64_t x86_physical_mask(const X86Cpu *cpu)
{
    uint64_t mask = BIT64(cpu->phys_bits) - 1;
    bool is_masked = __atomic_load_n(&cpu->is_a20_masked, __ATOMIC_SEQ_CST);

    return is_masked && !cpu->state.is_in_smm ? mask & ~BIT64(20) : mask;
}

/*
 * The vCPU that drives the line sees the change with its next access, in the middle of a region;
 * the others before they run more code.
 */
void x86_cpu_set_a20(void *opaque, unsigned n, int level)
{
    X86Cpu *cpu = opaque;
    bool is_masked = !level;

    if (__atomic_exchange_n(&cpu->is_a20_masked, is_masked, __ATOMIC_SEQ_CST) == is_masked) {
        return;
    }
    tcg_tlb_flush_all_cpus();
    if (vcpu_is_self(&cpu->parent.vcpu)) {
        x86_flush_all(cpu, true);
    }
}

MemTxAttrs x86_mem_attrs(const X86Cpu *cpu)
{
    MemTxAttrs attrs = MEM_TX_NONE;

    attrs.is_secure = cpu->state.is_in_smm;
    return attrs;
}

AddressSpace *x86_memory_space(X86Cpu *cpu)
{
    return cpu->state.is_in_smm && cpu->has_smm_space ? &cpu->smm_space
                                                      : address_space_system();
}

/* --- the TLB's side --- */

/* An address that is none, or a page that is not there. */
static _Noreturn void raise_fault(X86Cpu *cpu, const TcgFault *fault, uint32_t error)
{
    if (log_enabled(LOG_MMU)) {
        log_printf("mmu: fault at %016" PRIx64 " access %d mode %u error %#x\n", fault->addr,
                   fault->access, fault->mmu, error);
    }
    x86_raise_page_fault(cpu, fault->addr, error);
}

/*
 * Outside 64-bit mode an access across 4 GiB wraps (see mode.c) or is beyond the limit of flat segments.
 * In compatibility mode what is further up is the CPU's own: tables, stacks of handlers.
 */
static bool is_address(const X86State *s, const TcgFault *fault)
{
    bool is_own = x86_is_long(s) && fault->addr > UINT32_MAX + (uint64_t)PAGE_MASK + 1;

    return x86_is_code64(s) || is_own ? x86_is_canonical(s, fault->addr)
                                      : tcg_further(&s->tcg, fault->addr, fault->bytes - 1) <= UINT32_MAX;
}

bool x86_tlb_fill(TcgCpu *tcg, const TcgFault *fault, bool is_probe, TcgPage *out)
{
    X86Cpu *cpu = x86_cpu_of(tcg);
    bool is_canonical = is_address(&cpu->state, fault);
    X86Page page = { 0 };

    if (!is_canonical || !x86_walk(cpu, fault->addr, (X86Access)fault->access, fault->mmu,
                                   &page)) {
        if (is_probe) {
            return false;
        }
        if (!is_canonical) {
            x86_raise_noncanonical(cpu, fault->addr);
        }
        if (page.nested_error) {
            x86_svm_exit(cpu, SVM_EXIT_NPF, page.nested_error, page.physical, 0);
        }
        raise_fault(cpu, fault, page.error);
    }
    *out = (TcgPage){ .phys = page.physical, .as = x86_memory_space(cpu),
                      .attrs = x86_mem_attrs(cpu), .page_bits = page.bits,
                      .can_read = page.is_readable, .can_write = page.is_writable,
                      .can_execute = page.is_executable, .is_global = page.is_global };
    return true;
}

/* Vectors want alignment or #GP(0); EFLAGS.AC wants it or #AC(0), of what is an address at all. */
void x86_unaligned(TcgCpu *tcg, const TcgFault *fault)
{
    if (fault->bytes >= 16) {
        x86_raise_gp(x86_cpu_of(tcg));
    }
    if (!is_address(&x86_cpu_of(tcg)->state, fault)) {
        x86_raise_noncanonical(x86_cpu_of(tcg), fault->addr);
    }
    x86_raise_error(x86_cpu_of(tcg), VECTOR_AC, 0);
}

void x86_flush_page(X86Cpu *cpu, uint64_t linear)
{
    tcg_tlb_flush_page(&cpu->state.tcg, linear, TCG_ALL_MMUS);
}

void x86_flush_all(X86Cpu *cpu, bool with_global)
{
    cpu->state.pkru_used &= with_global ? 0 : UINT32_MAX;
    if (cpu->state.tcg.tlb_state) {
        if (with_global) {
            tcg_tlb_flush(&cpu->state.tcg, TCG_ALL_MMUS);
        } else {
            tcg_tlb_flush_all_tags(&cpu->state.tcg, TCG_ALL_MMUS);
        }
    }
}

void x86_set_pkru(X86Cpu *cpu, uint32_t value)
{
    uint32_t change = cpu->state.pkru ^ value;

    cpu->state.pkru = value;
    if (change & cpu->state.pkru_used) {
        x86_flush_all(cpu, true);
    }
}

/* Host and guests of VMRUN have their own. */
static uint64_t space_tag(const X86Cpu *cpu, uint64_t pcid)
{
    return pcid | (cpu->state.svm.is_guest ? (uint64_t)cpu->state.svm.asid << 12 : 0);
}

void x86_flush_pcid(X86Cpu *cpu, uint64_t pcid)
{
    tcg_tlb_flush_tag(&cpu->state.tcg, space_tag(cpu, pcid), TCG_ALL_MMUS);
}

void x86_switch_space(X86Cpu *cpu, bool keeps)
{
    uint64_t tag = space_tag(cpu, cpu->state.cr4 & CR4_PCIDE ? cpu->state.cr3 & 0xfff : 0);

    tcg_tlb_set_tag(&cpu->state.tcg, tag);
    if (!keeps) {
        tcg_tlb_flush_tag(&cpu->state.tcg, tag, TCG_ALL_MMUS);
    }
}

/* --- linear memory --- */

static IrMem mem_of(unsigned bytes, X86Mmu mmu)
{
    return (IrMem)__builtin_ctz(bytes) | IR_MEM_MMU(mmu);
}

/* An operand: EFLAGS.AC counts, which is for user pages alone. */
static IrMem operand_mem(const X86Cpu *cpu, unsigned bytes, X86Mmu mmu)
{
    bool is_checked = cpu->state.mode & X86_MODE_ALIGN && mmu == X86_MMU_USER;

    return mem_of(bytes, mmu) | (is_checked ? IR_MEM_ALIGNED : 0);
}

uint64_t x86_read(X86Cpu *cpu, uint64_t linear, unsigned bytes, X86Mmu mmu)
{
    return tcg_load(&cpu->state.tcg, operand_mem(cpu, bytes, mmu), linear);
}

void x86_write(X86Cpu *cpu, uint64_t linear, unsigned bytes, uint64_t value, X86Mmu mmu)
{
    tcg_store(&cpu->state.tcg, operand_mem(cpu, bytes, mmu), linear, value);
}

void x86_check_writable(X86Cpu *cpu, uint64_t linear, size_t bytes, X86Mmu mmu)
{
    while (bytes > 0) {
        size_t part = MIN(bytes, PAGE_MASK + 1 - (linear & PAGE_MASK));

        tcg_probe(&cpu->state.tcg, TCG_WRITE, mmu, linear, part);
        linear = tcg_further(&cpu->state.tcg, linear, part);
        bytes -= part;
    }
}

/* Pieces of eight bytes, then what is left. */
static unsigned piece(size_t bytes)
{
    return bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
}

void x86_read_bytes(X86Cpu *cpu, uint64_t linear, void *out, size_t bytes, X86Mmu mmu)
{
    uint8_t *at = out;

    while (bytes > 0) {
        unsigned n = piece(bytes);
        uint64_t value = tcg_load(&cpu->state.tcg, mem_of(n, mmu), linear);

        memcpy(at, &value, n);
        at += n;
        linear = tcg_further(&cpu->state.tcg, linear, n);
        bytes -= n;
    }
}

void x86_write_bytes(X86Cpu *cpu, uint64_t linear, const void *data, size_t bytes, X86Mmu mmu)
{
    const uint8_t *at = data;

    x86_check_writable(cpu, linear, bytes, mmu);
    while (bytes > 0) {
        unsigned n = piece(bytes);
        uint64_t value = 0;

        memcpy(&value, at, n);
        tcg_store(&cpu->state.tcg, mem_of(n, mmu), linear, value);
        at += n;
        linear = tcg_further(&cpu->state.tcg, linear, n);
        bytes -= n;
    }
}

/* --- physical memory --- */

uint64_t x86_read_physical(X86Cpu *cpu, uint64_t physical, unsigned bytes)
{
    uint64_t value;

    address_space_load(x86_memory_space(cpu), physical, mem_format(bytes, ENDIAN_LITTLE),
                       x86_mem_attrs(cpu), &value);
    return bytes == 8 ? value : value & (BIT64(8 * bytes) - 1);
}

void x86_write_physical(X86Cpu *cpu, uint64_t physical, unsigned bytes, uint64_t value)
{
    address_space_store(x86_memory_space(cpu), physical, mem_format(bytes, ENDIAN_LITTLE),
                        x86_mem_attrs(cpu), value);
}
