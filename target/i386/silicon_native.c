/*
 * Running a case on the host's CPU: a signal handler swaps in its registers, returns into the code,
 * and the signal that ends it finds what came out. In a child process, which a case may kill.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/exception.h"
#include "target/i386/silicon.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#define XSAVE_HEADER 512
#define YMM_AT 576
#define SECONDS_PER_CASE 2

struct SiliconNative {
    unsigned room;
    volatile unsigned next; /* shared with the child */
    SiliconCase cases[];
};

#if defined(__x86_64__)

#include <asm/ldt.h>

static SiliconCase *current;
static ucontext_t home;
static uint8_t home_fp[4096] __attribute__((aligned(64)));
static unsigned fp_bytes;

static const int register_order[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* The kernel's frame has an XSAVE area in the standard format. */
static void put_vectors(uint8_t *fp, const SiliconState *s)
{
    uint64_t *bv = (uint64_t *)(fp + XSAVE_HEADER);

    memcpy(fp, s->legacy, 24);
    memcpy(fp + 24, &s->mxcsr, 4);
    memcpy(fp + 32, s->legacy + 32, 128);
    for (unsigned n = 0; n < SILICON_VECTORS; n++) {
        memcpy(fp + 160 + 16 * n, s->vec[n], 16);
        memcpy(fp + YMM_AT + 16 * n, &s->vec[n][2], 16);
    }
    *bv |= 7;
}

static void get_vectors(const uint8_t *fp, SiliconState *s)
{
    uint64_t bv = *(const uint64_t *)(fp + XSAVE_HEADER);

    memcpy(s->legacy, fp, 160);
    memcpy(&s->mxcsr, fp + 24, 4);
    for (unsigned n = 0; n < SILICON_VECTORS; n++) {
        memset(s->vec[n], 0, 32);
        if (bv & 2) {
            memcpy(s->vec[n], fp + 160 + 16 * n, 16);
        }
        if (bv & 4) {
            memcpy(&s->vec[n][2], fp + YMM_AT + 16 * n, 16);
        }
    }
}

/* Nobody else needs these in 64-bit code. */
static void load_data_segments(uint32_t es, uint32_t ds)
{
    __asm__ volatile("mov %0, %%es; mov %1, %%ds" : : "r"(es), "r"(ds));
}

static void begin(ucontext_t *uc)
{
    SiliconState *s = &current->before;
    greg_t *regs = uc->uc_mcontext.gregs;

    home = *uc;
    memcpy(home_fp, uc->uc_mcontext.fpregs, fp_bytes);
    for (unsigned n = 0; n < 16; n++) {
        regs[register_order[n]] = s->gpr[n];
    }
    regs[REG_RIP] = silicon_case_at(current);
    regs[REG_EFL] = s->eflags | 0x202;
    regs[REG_CSGSFS] = (regs[REG_CSGSFS] & 0xffffffff0000) | s->seg[1] | (greg_t)s->seg[2] << 48;
    load_data_segments(s->seg[0], s->seg[3]);
    put_vectors((uint8_t *)uc->uc_mcontext.fpregs, s);
}

static void end(ucontext_t *uc)
{
    SiliconState *s = &current->native;
    greg_t *regs = uc->uc_mcontext.gregs;
    fpregset_t fp = uc->uc_mcontext.fpregs;

    for (unsigned n = 0; n < 16; n++) {
        s->gpr[n] = regs[register_order[n]];
    }
    s->rip = regs[REG_RIP];
    s->eflags = regs[REG_EFL];
    s->vector = regs[REG_TRAPNO];
    s->error = regs[REG_ERR];
    s->cr2 = regs[REG_CR2];
    __asm__("mov %%es, %0" : "=r"(s->seg[0]));
    __asm__("mov %%ds, %0" : "=r"(s->seg[3]));
    s->seg[1] = regs[REG_CSGSFS];
    s->seg[2] = (uint64_t)regs[REG_CSGSFS] >> 48;
    get_vectors((const uint8_t *)fp, s);
    current->is_done = true;
    memcpy(uc->uc_mcontext.gregs, home.uc_mcontext.gregs, sizeof(home.uc_mcontext.gregs));
    memcpy(fp, home_fp, fp_bytes);
}

/*
 * The case may have set AC; and NT and ID, which the kernel would keep for the next. Below what the compiler may
 * have put under the stack's end.
 */
static void clear_flags(void)
{
    __asm__ volatile("sub $128, %%rsp\n\tpushfq\n\tandl $~0x244000, (%%rsp)\n\tpopfq\n\t"
                     "add $128, %%rsp" : : : "cc", "memory");
}

static void handle(int signal, siginfo_t *info, void *context)
{
    clear_flags();
    if (signal == SIGUSR1) {
        begin(context);
    } else {
        end(context);
    }
}

static unsigned xsave_bytes(void)
{
    uint32_t eax = 0xd, ebx, ecx = 0, edx;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return MIN(ebx, sizeof(home_fp));
}

static void install_handlers(void)
{
    static const int signals[] = { SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS };
    static uint8_t stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK |
                                                                    SA_NODEFER };

    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        sigaction(signals[i], &action, NULL);
    }
    signal(SIGALRM, SIG_DFL);
    fp_bytes = xsave_bytes();
}

static bool install_ldt(void)
{
    for (unsigned n = 0; n < SILICON_LDT_COUNT; n++) {
        const SiliconSegment *s = &silicon_ldt[n];
        struct user_desc desc = { .entry_number = n, .base_addr = s->base, .limit = s->limit,
                                  .seg_32bit = s->is_32, .contents = s->contents,
                                  .read_exec_only = s->is_read_only, .limit_in_pages = s->is_in_pages,
                                  .seg_not_present = s->is_absent };

        if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc))) {
            return false;
        }
    }
    return true;
}

bool silicon_native_descriptor(uint16_t selector, uint64_t *descriptor)
{
    uint32_t access = 0, limit = 0;
    bool is_there;

    __asm__("lar %2, %0; setz %1" : "+r"(access), "=q"(is_there) : "r"((uint32_t)selector) : "cc");
    __asm__("lsl %1, %0" : "+r"(limit) : "r"((uint32_t)selector) : "cc");
    limit = access & 0x800000 ? limit >> 12 : limit;
    *descriptor = (limit & 0xffff) | (uint64_t)(limit & 0xf0000) << 32 | (uint64_t)(access & 0xf0ff00) << 32;
    return is_there;
}

/* Some kernels, guests of some hypervisors, take one and do not use it. */
bool silicon_native_has_ldt(void)
{
    static int answer; /* 0: not known */
    uint64_t descriptor;

    if (!answer) {
        answer = install_ldt() && silicon_native_descriptor(SILICON_SELECTOR(SILICON_DATA_16), &descriptor) ? 1 : 2;
    }
    return answer == 1;
}

static bool map_at(uint64_t at, size_t bytes, int protection)
{
    return mmap((void *)(uintptr_t)at, bytes, protection,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
           (void *)(uintptr_t)at;
}

static void run_one(SiliconCase *c)
{
    uint8_t *code = (uint8_t *)(uintptr_t)SILICON_CODE_AT;
    uint8_t *data = (uint8_t *)(uintptr_t)SILICON_DATA_AT;

    current = c;
    memset(code, 0xcc, 4096);
    memcpy(code, c->code, c->code_bytes);
    memcpy(data, c->before.data, SILICON_DATA_BYTES);
    alarm(SECONDS_PER_CASE);
    raise(SIGUSR1);
    alarm(0);
    memcpy(c->native.data, data, SILICON_DATA_BYTES);
}

static _Noreturn void child(SiliconNative *native, unsigned count)
{
    if (!map_at(SILICON_CODE_AT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        !map_at(SILICON_DATA_AT, SILICON_DATA_BYTES, PROT_READ | PROT_WRITE)) {
        _exit(1);
    }
    install_ldt();
    install_handlers();
    while (native->next < count) {
        SiliconCase *c = &native->cases[native->next];

        native->next = native->next + 1;
        run_one(c);
    }
    _exit(0);
}

bool silicon_native_is_amd(void)
{
    static int answer; /* 0: not known; hypervisors take long to say */
    uint32_t eax = 0, ebx, ecx = 0, edx;

    if (!answer) {
        __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
        answer = ebx == 0x68747541 && ecx == 0x444d4163 ? 1 : 2; /* "AuthenticAMD" */
    }
    return answer == 1;
}

/* INT3 is enough to see. */
static bool runs_32(void)
{
    SiliconNative *native = silicon_native_new(1);
    SiliconCase *c = silicon_native_case(native, 0);
    bool is_fine;

    *c = (SiliconCase){
        .code = { 0xcc }, .code_bytes = 1,
        .before = { .seg = { SILICON_FLAT_DATA, SILICON_FLAT_CODE_32, SILICON_FLAT_DATA, SILICON_FLAT_DATA },
                    .mxcsr = 0x1f80, .legacy = { 0x7f, 0x03 } },
    };
    silicon_native_run(native, 1);
    is_fine = c->is_done && c->native.vector == VECTOR_BP && c->native.seg[1] == SILICON_FLAT_CODE_32;
    silicon_native_free(native);
    return is_fine;
}

bool silicon_native_has_32(void)
{
    static int answer; /* 0: not known */

    if (!answer) {
        answer = runs_32() ? 1 : 2;
        if (answer == 2) {
            g_test_message("the host runs no 32-bit code: 64-bit code alone is compared");
        }
    }
    return answer == 1;
}

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#define IS_SANITIZED __has_feature(address_sanitizer)
#else
#define IS_SANITIZED false
#endif

const char *silicon_native_problem(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    if (IS_SANITIZED) {
        return "an address sanitizer does not know the pages the native side maps";
    }

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ecx >> 28 & 1 ? NULL : "the host has no AVX";
}

#else

static _Noreturn void child(SiliconNative *native, unsigned count)
{
    _exit(1);
}

const char *silicon_native_problem(void)
{
    return "the host is no x86-64";
}

bool silicon_native_has_ldt(void)
{
    return false;
}

bool silicon_native_has_32(void)
{
    return false;
}

bool silicon_native_is_amd(void)
{
    return false;
}

bool silicon_native_descriptor(uint16_t selector, uint64_t *descriptor)
{
    return false;
}

#endif

/* Again from the next case on, when one has killed the child. */
void silicon_native_run(SiliconNative *native, unsigned count)
{
    native->next = 0;
    while (native->next < count) {
        unsigned before = native->next;
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            child(native, count);
        }
        assert(pid > 0);
        waitpid(pid, &status, 0);
        if (native->next == before) {
            g_error("the native side does not start");
        }
    }
}

SiliconNative *silicon_native_new(unsigned cases)
{
    size_t bytes = sizeof(SiliconNative) + cases * sizeof(SiliconCase);
    SiliconNative *native = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert(native != MAP_FAILED);
    native->room = cases;
    return native;
}

SiliconCase *silicon_native_case(SiliconNative *native, unsigned n)
{
    return &native->cases[n];
}

void silicon_native_free(SiliconNative *native)
{
    munmap(native, sizeof(SiliconNative) + native->room * sizeof(SiliconCase));
}
