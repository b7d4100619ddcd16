/*
 * The main loop of a vCPU: finds the region to run, delivers what was raised, serves requests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/exec.h"

#include "accel/tcg/host.h"
#include "accel/tcg/icount.h"
#include "system/machine_lock.h"
#include "system/vcpu_thread.h"
#include "util/log.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* Whoever asks for these wants to see all of them. */
#define LOG_EACH_REGION (LOG_NOCHAIN | LOG_EXEC | LOG_CPU)

#define MAX_INSNS     64
#define MAX_HOT_INSNS 250

TcgOptions tcg_options = { .hot_after = 1000, .cache_bytes = 64 * MiB };

/* --- who runs, and who wants to be alone --- */

typedef struct ExecList {
    GMutex lock;
    GCond changed;
    TcgExec *first;
    unsigned running;
    TcgExec *alone; /* runs exclusively, or waits for the others to stop */
} ExecList;
static ExecList list;

void exec_each(void (*fn)(TcgCpu *cpu, void *opaque), void *opaque)
{
    g_mutex_lock(&list.lock);
    for (TcgExec *exec = list.first; exec; exec = exec->next) {
        fn(exec->cpu, opaque);
    }
    g_mutex_unlock(&list.lock);
}

static void want_exit(TcgCpu *cpu)
{
    __atomic_store_n(&cpu->exit_wanted, 1, __ATOMIC_SEQ_CST);
}

/* With the list's lock. */
static void begin_running(TcgExec *exec)
{
    while (list.alone && list.alone != exec) {
        g_cond_wait(&list.changed, &list.lock);
    }
    exec->is_running = true;
    list.running++;
}

static void end_running(TcgExec *exec)
{
    exec->is_running = false;
    list.running--;
    g_cond_broadcast(&list.changed);
}

static void exec_enter(TcgExec *exec)
{
    g_mutex_lock(&list.lock);
    begin_running(exec);
    g_mutex_unlock(&list.lock);
}

static void exec_leave(TcgExec *exec)
{
    g_mutex_lock(&list.lock);
    end_running(exec);
    g_mutex_unlock(&list.lock);
}

/* Lets somebody be alone who wants to. */
static void make_way(TcgExec *exec)
{
    g_mutex_lock(&list.lock);
    if (list.alone) {
        end_running(exec);
        begin_running(exec);
    }
    g_mutex_unlock(&list.lock);
}

static void begin_alone(TcgExec *exec)
{
    g_mutex_lock(&list.lock);
    end_running(exec);
    while (list.alone) {
        g_cond_wait(&list.changed, &list.lock);
    }
    list.alone = exec;
    for (TcgExec *other = list.first; other; other = other->next) {
        want_exit(other->cpu);
    }
    while (list.running) {
        g_cond_wait(&list.changed, &list.lock);
    }
    begin_running(exec);
    g_mutex_unlock(&list.lock);
}

static void end_alone(TcgExec *exec)
{
    g_mutex_lock(&list.lock);
    if (list.alone == exec) {
        list.alone = NULL;
        g_cond_broadcast(&list.changed);
    }
    g_mutex_unlock(&list.lock);
}

void tcg_exclusive(TcgCpu *cpu, void (*fn)(void *opaque), void *opaque)
{
    assert(!machine_lock_is_held());
    if (list.alone == cpu->exec) {
        fn(opaque);
        return;
    }
    begin_alone(cpu->exec);
    fn(opaque);
    end_alone(cpu->exec);
}

static void flush_later(TcgCpu *cpu, void *opaque)
{
    __atomic_store_n(&cpu->exec->is_flush_wanted, true, __ATOMIC_SEQ_CST);
    want_exit(cpu);
}

void tcg_tlb_flush_all_cpus(void)
{
    exec_each(flush_later, NULL);
}

void tcg_request_service(TcgCpu *cpu)
{
    want_exit(cpu);
    vcpu_thread_wake(cpu->vcpu);
}

void tcg_yield(TcgCpu *cpu)
{
    if (!tcg_options.is_single_thread) {
        g_thread_yield();
    } else if (vcpu_next(vcpu_first())) {
        __atomic_store_n(&cpu->vcpu->kick_wanted, 1, __ATOMIC_SEQ_CST);
        want_exit(cpu);
    }
}

/* --- vCPUs --- */

void tcg_cpu_init(TcgCpu *cpu, Vcpu *vcpu, const TcgTargetOps *ops, AddressSpace *as)
{
    TcgExec *exec = g_new0(TcgExec, 1);

    region_init();
    cpu->vcpu = vcpu;
    cpu->ops = ops;
    cpu->as = as;
    cpu->exec = exec;
    exec->cpu = cpu;
    exec->exception = -1;
    tlb_init(cpu);
    vcpu->accel_data = cpu;
    g_mutex_lock(&list.lock);
    exec->next = list.first;
    list.first = exec;
    g_mutex_unlock(&list.lock);
}

void tcg_cpu_clear(TcgCpu *cpu)
{
    TcgExec **at = &list.first;

    g_mutex_lock(&list.lock);
    while (*at != cpu->exec) {
        at = &(*at)->next;
    }
    *at = cpu->exec->next;
    g_mutex_unlock(&list.lock);
    tlb_clear(cpu);
    if (cpu->exec->once) {
        region_free(cpu->exec->once);
    }
    g_free(cpu->exec->values);
    g_free(cpu->exec);
    cpu->vcpu->accel_data = NULL;
}

/* --- raising --- */

const TcgRegion *exec_current_region(const TcgCpu *cpu)
{
    return cpu->frame ? interp_region(cpu) : cpu->host_pc ? host_region(cpu) : NULL;
}

/* Not all of the region was done. */
static void count_restored(TcgCpu *cpu)
{
    const TcgRegion *region = tcg_options.is_counting ? exec_current_region(cpu) : NULL;
    TcgKey key;
    unsigned done = 0;

    if (!region) {
        return;
    }
    cpu->ops->get_key(cpu, &key);
    while (done < region->guest_insns && region->insns[done] != (uint16_t)(key.pc - region->key.pc)) {
        done++;
    }
    cpu->icount -= MAX((int)region->guest_insns - (int)done - 1, 0);
}

void tcg_restore(TcgCpu *cpu)
{
    if (cpu->frame) {
        interp_restore(cpu);
    } else if (cpu->host_pc) {
        host_restore(cpu);
    }
    count_restored(cpu);
}

void tcg_raise(TcgCpu *cpu, int exception)
{
    assert(exception >= 0);
    tcg_restore(cpu);
    cpu->exec->exception = exception;
    siglongjmp(cpu->exec->back, 1);
}

void tcg_exit_to_main(TcgCpu *cpu)
{
    tcg_restore(cpu);
    siglongjmp(cpu->exec->back, 1);
}

/* Something was raised, from anywhere below the loop. */
static void come_back(TcgCpu *cpu)
{
    cpu->host_pc = 0;
    cpu->frame = NULL;
    cpu->exec->last_exit = NULL;
    cpu->exec->is_insn_alone = false;
    debug_forget_hits(cpu);
    tcg_translation_abandon();
    if (machine_lock_is_held()) {
        machine_unlock();
    }
    end_alone(cpu->exec);
}

/* --- finding regions --- */

static uint32_t mode_of(TcgExec *exec, const TcgKey *key)
{
    uint64_t h = (key->flags * 0x9e3779b97f4a7c15u ^ key->cs_base * 0xff51afd7ed558ccdu) >> 60;
    TcgMode *mode = &exec->modes[h % TCG_MODES];

    if (!mode->number || mode->flags != key->flags || mode->cs_base != key->cs_base) {
        *mode = (TcgMode){ key->cs_base, key->flags, region_mode(key->cs_base, key->flags) };
    }
    return mode->number;
}

static void flush_regions(void *opaque)
{
    region_flush_all();
}

static TcgRegion *translate(TcgCpu *cpu, const TcgKey *key, const TcgLimits *limits)
{
    TcgRegion *region;

    while (region_is_full() || !(region = tcg_translate_region(cpu, key, limits))) {
        tcg_exclusive(cpu, flush_regions, NULL);
    }
    return region;
}

/* The second page is where it was, for a region that reaches there. */
static bool is_still_there(TcgCpu *cpu, const TcgRegion *region, bool *is_global)
{
    TcgCodePage page;

    if (region->page_count == 1) {
        return true;
    }
    *is_global = false;
    return tcg_find_code(cpu, region->second_page, true, &page) && page.ram == region->ram[1];
}

/* The table's region for the jump's PC and mode, or NULL. */
static TcgRegion *look_up(TcgCpu *cpu, const TcgKey *key, TcgJump *jump)
{
    uint64_t offset = key->pc & ((UINT64_C(1) << TCG_PAGE_BITS) - 1);
    TcgCodePage page;

    tcg_find_code(cpu, key->pc, false, &page);
    jump->is_global = page.is_global;
    if (page.ram != TCG_NOT_RAM) {
        jump->region = region_find(key, jump->mode, page.ram + offset);
    }
    if (jump->region && !is_still_there(cpu, jump->region, &jump->is_global)) {
        jump->region = NULL;
    }
    return jump->region;
}

static void remember(TcgCpu *cpu, TcgJump *jump)
{
    jump->code = jump->region->entry;
    tlb_remember_jump(cpu, jump);
}

/* One that is run once and is in no table. */
static TcgRegion *translate_once(TcgCpu *cpu, const TcgKey *key)
{
    TcgLimits limits = { .max_insns = 1, .is_single_step = true };

    cpu->is_one_insn = false;
    cpu->exec->is_insn_alone = true;
    return translate(cpu, key, &limits);
}

/* It was hot, and dropped to be made otherwise. */
static bool takes_again(TcgExec *exec, const TcgKey *key)
{
    bool is_it = exec->has_again && !memcmp(&exec->again, key, sizeof(*key));

    exec->has_again &= !is_it;
    return is_it;
}

void exec_make_again(TcgCpu *cpu)
{
    TcgRegion *region = (TcgRegion *)exec_current_region(cpu);

    cpu->exec->again = region->key;
    cpu->exec->has_again = region->is_hot;
    region_retire(region);
}

static TcgRegion *find_region(TcgCpu *cpu)
{
    TcgLimits limits = { .max_insns = tcg_options.is_one_insn ? 1 : MAX_INSNS };
    TcgKey key;
    const TcgJump *known;
    TcgJump jump = { 0 };

    cpu->ops->get_key(cpu, &key);
    if (G_UNLIKELY(cpu->is_one_insn || cpu->vcpu->step)) {
        return translate_once(cpu, &key);
    }
    jump.pc = key.pc;
    jump.mode = mode_of(cpu->exec, &key);
    known = tlb_known_jump(cpu, key.pc, jump.mode);
    if (known) {
        return known->region;
    }
    if (!look_up(cpu, &key, &jump)) {
        if (takes_again(cpu->exec, &key)) {
            limits.max_insns = MAX_HOT_INSNS;
            limits.is_hot = true;
        }
        jump.region = translate(cpu, &key, &limits);
        jump.mode = jump.region->mode; /* another number, if all were flushed */
        jump.is_global = false;
    }
    if (jump.region->is_cached) {
        remember(cpu, &jump);
    }
    return jump.region;
}

const void *exec_next_code(TcgCpu *cpu)
{
    TcgKey key;
    const TcgJump *known;
    TcgJump jump = { 0 };

    cpu->host_pc = 0;
    if (__atomic_load_n(&cpu->exit_wanted, __ATOMIC_RELAXED) || cpu->vcpu->is_halted ||
        cpu->is_one_insn || log_enabled(LOG_EACH_REGION)) {
        return NULL;
    }
    cpu->ops->get_key(cpu, &key);
    jump.pc = key.pc;
    jump.mode = mode_of(cpu->exec, &key);
    known = tlb_known_jump(cpu, key.pc, jump.mode);
    if (known) {
        return known->code;
    }
    if (!look_up(cpu, &key, &jump) || !jump.region->entry) {
        return NULL;
    }
    remember(cpu, &jump);
    return jump.code;
}

/* --- the loop --- */

#if defined(__x86_64__)
static void use_guest_fp(TcgCpu *cpu)
{
    if (cpu->ops->host_fp_offset) {
        cpu->host_mxcsr = _mm_getcsr();
        _mm_setcsr(*(uint32_t *)((char *)cpu + cpu->ops->host_fp_offset));
    }
}

static void use_host_fp(TcgCpu *cpu)
{
    if (cpu->ops->host_fp_offset && cpu->host_mxcsr) {
        *(uint32_t *)((char *)cpu + cpu->ops->host_fp_offset) = _mm_getcsr();
        _mm_setcsr(cpu->host_mxcsr);
        cpu->host_mxcsr = 0;
    }
}
#else
static void use_guest_fp(TcgCpu *cpu)
{
}

static void use_host_fp(TcgCpu *cpu)
{
}
#endif

static void log_state(TcgCpu *cpu)
{
    g_autoptr(GString) out = g_string_new(NULL);

    cpu->ops->print_state(cpu, out);
    log_printf("%s", out->str);
}

static void run_region(TcgCpu *cpu, TcgRegion *region)
{
    if (log_enabled(LOG_CPU) && cpu->ops->print_state && log_wants_address(region->key.pc)) {
        log_state(cpu);
    }
    if (log_enabled(LOG_EXEC) && log_wants_address(region->key.pc)) {
        log_printf("Trace %u: %p [%" PRIx64 "/%" PRIx64 "/%" PRIx64 "]\n", cpu->vcpu->index,
                   (void *)region, region->key.cs_base, region->key.pc, region->key.flags);
    }
    if (!region->is_cached) {
        cpu->exec->once = region;
    }
    use_guest_fp(cpu);
    if (region->interp) {
        interp_run(cpu, region);
    } else {
        cpu->exec->last_exit = host_run(cpu, region);
    }
    use_host_fp(cpu);
}

/* The region has been run often: makes one in its place that follows jumps. */
static TcgRegion *promote(TcgCpu *cpu, TcgRegion *region)
{
    TcgLimits limits = { .max_insns = MAX_HOT_INSNS, .is_hot = true };
    TcgRegion *hot;

    if (!region->is_cached || region->is_hot || tcg_options.is_one_insn ||
        tcg_options.is_counting) {
        return region;
    }
    hot = tcg_translate_region(cpu, &region->key, &limits);
    if (!hot) {
        return region;
    }
    region_retire(region);
    return hot;
}

static uint64_t limit_of(const TcgCpu *cpu)
{
    return __atomic_load_n(&cpu->icount_limit, __ATOMIC_RELAXED);
}

/* Instead of one that leads beyond the count's limit, its first instruction. */
static TcgRegion *count_region(TcgCpu *cpu, TcgRegion *region)
{
    if (!tcg_options.is_counting || cpu->icount + region->guest_insns <= limit_of(cpu)) {
        return region;
    }
    if (!region->is_cached) {
        region_free(region);
    }
    cpu->is_one_insn = true;
    return find_region(cpu);
}

static void run_next(TcgCpu *cpu)
{
    TcgExec *exec = cpu->exec;
    TcgRegion *region = count_region(cpu, find_region(cpu));

    if (exec->last_exit && host_is_promotion(exec->last_exit)) {
        region = promote(cpu, region);
    } else if (exec->last_exit) {
        if (!log_enabled(LOG_EACH_REGION)) {
            host_link(exec->last_exit, region);
        }
    }
    exec->last_exit = NULL;
    run_region(cpu, region);
    if (G_UNLIKELY(exec->is_insn_alone)) {
        exec->is_insn_alone = false;
        debug_between_insns(cpu);
    }
}

/* False: the thread is needed elsewhere. */
static bool serve(TcgCpu *cpu)
{
    TcgExec *exec = cpu->exec;

    make_way(exec);
    tlb_follow_map(cpu);
    /* What was unmapped may be freed now. */
    rcu_unlock();
    rcu_lock();
    if (__atomic_load_n(&cpu->vcpu->kick_wanted, __ATOMIC_SEQ_CST) ||
        exec->debug.is_stop_wanted) {
        return false;
    }
    if (!(cpu->vcpu->step & VCPU_STEP_NO_IRQ)) {
        cpu->ops->service(cpu);
    }
    return !cpu->vcpu->is_halted;
}

static void loop(TcgCpu *cpu)
{
    TcgExec *exec = cpu->exec;

    if (sigsetjmp(exec->back, 0)) {
        use_host_fp(cpu);
        come_back(cpu);
    }
    for (;;) {
        if (exec->once) {
            region_free(exec->once);
            exec->once = NULL;
        }
        if (exec->exception >= 0) {
            int exception = exec->exception;

            exec->exception = -1;
            cpu->ops->deliver(cpu, exception);
            if (G_UNLIKELY(cpu->vcpu->step || exec->debug.hits || exec->debug.has_hit)) {
                debug_between_insns(cpu);
            }
        }
        if (__atomic_load_n(&cpu->exit_wanted, __ATOMIC_RELAXED)) {
            __atomic_exchange_n(&cpu->exit_wanted, 0, __ATOMIC_SEQ_CST);
            if (!serve(cpu)) {
                return;
            }
        }
        if (cpu->vcpu->is_halted) {
            return;
        }
        if (tcg_options.is_counting && cpu->icount >= limit_of(cpu)) {
            if (!icount_turn(cpu)) {
                return;
            }
            continue;
        }
        run_next(cpu);
    }
}

void exec_run(Vcpu *vcpu)
{
    TcgCpu *cpu = tcg_cpu_of(vcpu);

    if (tcg_options.is_counting) {
        icount_begin(cpu);
    }
    machine_unlock();
    rcu_lock();
    exec_enter(cpu->exec);
    want_exit(cpu);
    loop(cpu);
    exec_leave(cpu->exec);
    rcu_unlock();
    machine_lock();
    if (tcg_options.is_counting) {
        icount_end(cpu);
    }
    debug_make_stop(cpu);
}
