/*
 * bench_suite: what a guest does all day, in small. Linked statically and run as a guest's init, or on
 * the host: each work runs for a while and one line tells how long a round took,
 *     bench NAME NANOSECONDS
 * As process 1 it then powers the machine off. Arguments name the works to run; none: all.
 * "boot" as the only argument does nothing but say that init was reached, "scale" does the same work
 * in one process and in two at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wmmintrin.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ROUND_NS      300000000ull /* a measurement lasts at least this long */
#define ROUNDS        3            /* the best counts */

static volatile uint64_t sink;

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- integers --- */

#define SORT_COUNT 20000

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void work_sort(void)
{
    static uint32_t values[SORT_COUNT];
    uint64_t state = 88172645463325252ull;

    for (size_t i = 0; i < SORT_COUNT; i++) {
        values[i] = random_next(&state);
    }
    qsort(values, SORT_COUNT, sizeof(values[0]), compare);
    sink += values[SORT_COUNT / 2];
}

#define SIEVE_SIZE 400000

static void work_sieve(void)
{
    static uint8_t composite[SIEVE_SIZE];
    unsigned primes = 0;

    memset(composite, 0, sizeof(composite));
    for (unsigned i = 2; i < SIEVE_SIZE; i++) {
        if (composite[i]) {
            continue;
        }
        primes++;
        for (unsigned j = i * 2; j < SIEVE_SIZE; j += i) {
            composite[j] = 1;
        }
    }
    sink += primes;
}

static void work_crc(void)
{
    static uint32_t table[256];
    static uint8_t data[65536];
    uint32_t crc = ~0u;

    if (!table[1]) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;

            for (int k = 0; k < 8; k++) {
                c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            }
            table[i] = c;
        }
    }
    for (size_t i = 0; i < sizeof(data); i++) {
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    }
    data[crc % sizeof(data)]++;
    sink += crc;
}

#define CHASE_COUNT 4096

static void work_chase(void)
{
    static uint32_t next[CHASE_COUNT];
    uint64_t state = 2463534242ull;
    uint32_t at = 0;

    if (!next[0]) {
        for (uint32_t i = 0; i < CHASE_COUNT; i++) {
            next[i] = i;
        }
        for (uint32_t i = CHASE_COUNT - 1; i; i--) { /* one cycle through all */
            uint32_t j = random_next(&state) % i, t = next[i];

            next[i] = next[j];
            next[j] = t;
        }
    }
    for (unsigned i = 0; i < 200000; i++) {
        at = next[at];
    }
    sink += at;
}

#define HASH_SLOTS 8192

static void work_hash(void)
{
    static uint64_t keys[HASH_SLOTS], counts[HASH_SLOTS];
    uint64_t state = 362436069;

    memset(keys, 0, sizeof(keys));
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t key = random_next(&state) % 5000 + 1;
        uint64_t slot = (key * 0x9e3779b97f4a7c15ull) >> 51;

        while (keys[slot] && keys[slot] != key) {
            slot = (slot + 1) % HASH_SLOTS;
        }
        keys[slot] = key;
        counts[slot]++;
    }
    sink += counts[17];
}

/* A small register machine; its dispatch is one indirect jump per instruction. */
static void work_interpreter(void)
{
    enum { LOAD, ADD, XOR, SHIFT, STEP, LOOP, END };
    static const struct {
        uint8_t op, to, from;
        int16_t value;
    } code[] = {
        { LOAD, 0, 0, 5000 }, { LOAD, 1, 0, 1 }, { ADD, 2, 1, 0 },    { XOR, 3, 2, 0 },
        { SHIFT, 3, 0, 3 },   { ADD, 1, 3, 0 },  { STEP, 0, 0, -1 },  { XOR, 2, 0, 0 },
        { LOOP, 0, 0, -6 },   { END },
    };
    static void *const labels[] = { &&load, &&add, &&xor, &&shift, &&step, &&loop, &&end };
    uint64_t r[4] = { 0 };
    const typeof(code[0]) *pc = code;

#define NEXT goto *labels[pc->op]
    NEXT;
load:
    r[pc->to] = (uint64_t)pc->value;
    pc++;
    NEXT;
add:
    r[pc->to] += r[pc->from];
    pc++;
    NEXT;
xor:
    r[pc->to] ^= r[pc->from];
    pc++;
    NEXT;
shift:
    r[pc->to] >>= pc->value;
    pc++;
    NEXT;
step:
    r[pc->to] += (uint64_t)pc->value;
    pc++;
    NEXT;
loop:
    pc += r[pc->to] ? pc->value : 1;
    NEXT;
end:
    sink += r[1];
#undef NEXT
}

/* --- floating point, vectors --- */

#define BODIES 5

static void work_nbody(void)
{
    double p[BODIES][3] = { { 0, 0, 0 }, { 4.8, -1.2, -.1 }, { 8.3, 4.1, -.4 }, { 12.9, -15.1, -.2 },
                            { 15.4, -25.9, .2 } };
    double v[BODIES][3] = { { 0 }, { .6, 2.8, -.02 }, { -1.0, 1.8, .008 }, { 1.1, .9, -.01 },
                            { .98, .6, -.03 } };
    static const double m[BODIES] = { 39.5, .038, .011, .0017, .002 };

    for (unsigned step = 0; step < 2000; step++) {
        for (int i = 0; i < BODIES; i++) {
            for (int j = i + 1; j < BODIES; j++) {
                double d[3], square = 0, mag;

                for (int k = 0; k < 3; k++) {
                    d[k] = p[i][k] - p[j][k];
                    square += d[k] * d[k];
                }
                mag = .01 / (square * sqrt(square));
                for (int k = 0; k < 3; k++) {
                    v[i][k] -= d[k] * m[j] * mag;
                    v[j][k] += d[k] * m[i] * mag;
                }
            }
        }
        for (int i = 0; i < BODIES; i++) {
            for (int k = 0; k < 3; k++) {
                p[i][k] += .01 * v[i][k];
            }
        }
    }
    sink += (uint64_t)(p[0][0] * 1e6);
}

#define MATRIX 96

static void work_matmul(void)
{
    static float a[MATRIX][MATRIX], b[MATRIX][MATRIX], c[MATRIX][MATRIX];

    for (int i = 0; i < MATRIX; i++) {
        for (int j = 0; j < MATRIX; j++) {
            a[i][j] = (float)(i - j);
            b[i][j] = (float)(i + j);
            c[i][j] = 0;
        }
    }
    for (int i = 0; i < MATRIX; i++) {
        for (int k = 0; k < MATRIX; k++) {
            for (int j = 0; j < MATRIX; j++) {
                c[i][j] += a[i][k] * b[k][j];
            }
        }
    }
    sink += (uint64_t)c[3][5];
}

__attribute__((target("aes,sse2"))) static void work_aes(void)
{
    __m128i keys[11], block = _mm_set_epi32(1, 2, 3, 4);

    for (int i = 0; i < 11; i++) {
        keys[i] = _mm_set1_epi32(i * 0x01234567);
    }
    for (unsigned n = 0; n < 10000; n++) {
        block = _mm_xor_si128(block, keys[0]);
        for (int i = 1; i < 10; i++) {
            block = _mm_aesenc_si128(block, keys[i]);
        }
        block = _mm_aesenclast_si128(block, keys[10]);
    }
    sink += (uint64_t)_mm_cvtsi128_si64(block);
}

#define COPY_BYTES (256 * 1024)
static uint8_t copy_from[COPY_BYTES], copy_to[COPY_BYTES];

static void work_memcpy(void)
{
    copy_from[sink % COPY_BYTES]++;
    memcpy(copy_to, copy_from, COPY_BYTES);
    __asm__ volatile("" ::: "memory");
    sink += copy_to[9];
}

static void work_memset(void)
{
    memset(copy_to, (int)sink, COPY_BYTES);
    __asm__ volatile("" ::: "memory");
    sink += copy_to[9];
}

/* --- the kernel --- */

static void work_syscall(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        sink += (uint64_t)syscall(SYS_getppid);
    }
}

static const char *own_path;

static void work_fork_exec(void)
{
    pid_t child = fork();
    int status;

    if (!child) {
        execl(own_path, own_path, "nothing", (char *)NULL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    sink += (uint64_t)status;
}

static void work_page_faults(void)
{
    size_t bytes = 256 * 4096;
    uint8_t *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t at = 0; at < bytes; at += 4096) {
        pages[at] = 1;
    }
    munmap(pages, bytes);
}

/* A byte to another process and back; the other one lives as long as the measurement. */
static int ping[2], pong[2];
static pid_t partner;

static void pipe_begin(void)
{
    if (pipe(ping) || pipe(pong)) {
        exit(1);
    }
    partner = fork();
    if (!partner) {
        uint8_t byte;

        close(ping[1]);
        while (read(ping[0], &byte, 1) == 1 && write(pong[1], &byte, 1) == 1) {
        }
        _exit(0);
    }
}

static void work_pipe(void)
{
    uint8_t byte = 1;

    for (unsigned i = 0; i < 100; i++) {
        if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1) {
            exit(1);
        }
    }
}

static void pipe_end(void)
{
    close(ping[1]);
    waitpid(partner, NULL, 0);
    close(ping[0]);
    close(pong[0]);
    close(pong[1]);
}

static void on_signal(int number)
{
    sink += (uint64_t)number;
}

static void work_signal(void)
{
    signal(SIGUSR1, on_signal);
    for (unsigned i = 0; i < 200; i++) {
        raise(SIGUSR1);
    }
}

/* --- measuring --- */

static const struct {
    const char *name;
    void (*work)(void);
    void (*begin)(void), (*end)(void);
} works[] = {
    { "sort", work_sort },
    { "sieve", work_sieve },
    { "crc", work_crc },
    { "chase", work_chase },
    { "hash", work_hash },
    { "interpreter", work_interpreter },
    { "nbody", work_nbody },
    { "matmul", work_matmul },
    { "aes", work_aes },
    { "memcpy", work_memcpy },
    { "memset", work_memset },
    { "syscall", work_syscall },
    { "fork-exec", work_fork_exec },
    { "page-faults", work_page_faults },
    { "pipe", work_pipe, pipe_begin, pipe_end },
    { "signal", work_signal },
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t measure(void (*work)(void))
{
    uint64_t best = UINT64_MAX;

    work(); /* tables, translations, caches */
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = now_ns(), passed, count = 0;

        do {
            work();
            count++;
            passed = now_ns() - start;
        } while (passed < ROUND_NS / ROUNDS);
        best = passed / count < best ? passed / count : best;
    }
    return best;
}

/* --- two at once --- */

#define SCALE_COUNT  800
#define SCALE_ROUNDS 7

static void work_scale(void)
{
    for (int n = 0; n < SCALE_COUNT; n++) {
        work_crc();
        work_hash();
    }
}

/* A process of its own whether there is another one or not: its pages fall anew each time. */
static void start_scale(int cpu)
{
    cpu_set_t set;

    if (fork()) {
        return;
    }
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set)) {
        perror("bench: sched_setaffinity");
        _exit(1);
    }
    work_scale();
    _exit(0);
}

/* Ends with a line for each, so that who watches can tell what they cost. */
static void measure_scale(int processes)
{
    uint64_t start = now_ns();

    for (int cpu = 0; cpu < processes; cpu++) {
        start_scale(cpu);
    }
    while (wait(NULL) > 0) {
    }
    printf("bench scale-%d %llu\n", processes, (unsigned long long)(now_ns() - start));
}

static void measure_scales(void)
{
    work_scale();
    printf("bench scale-0 0\n");
    for (int round = 0; round < SCALE_ROUNDS; round++) {
        measure_scale(1);
        measure_scale(2);
    }
}

static int is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], name)) {
            return 1;
        }
    }
    return argc == 1;
}

int main(int argc, char **argv)
{
    int is_init = getpid() == 1;

    own_path = argv[0];
    if (argc == 2 && !strcmp(argv[1], "nothing")) {
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("bench init 0\n");
    for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
        if (is_wanted(works[i].name, argc, argv)) {
            if (works[i].begin) {
                works[i].begin();
            }
            printf("bench %s %llu\n", works[i].name, (unsigned long long)measure(works[i].work));
            if (works[i].end) {
                works[i].end();
            }
        }
    }
    if (argc == 2 && !strcmp(argv[1], "scale")) {
        measure_scales();
    }
    printf("bench end 0\n");
    if (is_init) {
        fflush(stdout);
        reboot(RB_POWER_OFF);
    }
    return 0;
}
