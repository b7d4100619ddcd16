/*
 * sva_user: what processes do with work queues, each test in a process of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include "dsa_user.h"
#include "sva.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHARED  "/dev/dsa/wq0.0"
#define OWN     "/dev/dsa/wq0.1"
#define SWAP    "/dev/vda"
#define PAGE    4096u
#define MIB     (1u << 20)
#define WINDOWS 16 /* of 4 MiB: what takes a while to fill, page after page */
#define WINDOW_BYTES (4 * MIB)

static const struct setting user_settings[] = {
    { "engine0.0", "group_id", "0" }, { "engine0.1", "group_id", "0" },
    { "engine0.2", "group_id", "1" }, { "engine0.3", "group_id", "1" },
    { "wq0.0", "group_id", "0" }, { "wq0.0", "mode", "shared" }, { "wq0.0", "size", "16" },
    { "wq0.0", "threshold", "15" }, { "wq0.0", "priority", "10" },
    { "wq0.0", "block_on_fault", "1" }, { "wq0.0", "type", "user" }, { "wq0.0", "name", "many" },
    { "wq0.0", "driver_name", "user" }, { "wq0.0", "max_transfer_size", "1073741824" },
    { "wq0.1", "group_id", "1" }, { "wq0.1", "mode", "dedicated" }, { "wq0.1", "size", "16" },
    { "wq0.1", "priority", "10" }, { "wq0.1", "block_on_fault", "1" }, { "wq0.1", "type", "user" },
    { "wq0.1", "name", "one" }, { "wq0.1", "driver_name", "user" },
};

static int wait_for(pid_t child)
{
    int status = -1;

    waitpid(child, &status, 0);
    return status;
}

/* In a process of its own. */
static void run_test(const char *name, int (*test)(void))
{
    pid_t child = fork();
    int status;

    if (!child) {
        _exit(test());
    }
    status = wait_for(child);
    say(name, status ? "failed with status 0x%x" : "ok", status);
}

static uint8_t *memory(size_t bytes)
{
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static uint32_t crc32c(const uint8_t *data, size_t bytes)
{
    uint32_t crc = ~0u;

    while (bytes--) {
        crc ^= *data++;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static void number(uint8_t *at, size_t bytes, uint32_t seed)
{
    for (size_t i = 0; i < bytes; i++) {
        seed = seed * 1664525 + 1013904223;
        at[i] = seed >> 24;
    }
}

static int use_batch(struct dsa_queue *queue, uint8_t *a, uint8_t *b)
{
    static struct dsa_descriptor list[4];
    static struct dsa_record records[5];
    struct dsa_descriptor d;

    for (unsigned i = 0; i < 4; i++) {
        list[i] = dsa_describe(i < 2 ? DSA_MOVE : DSA_COMPARE,
                               DSA_RECORD | DSA_BOF | (i == 2 ? DSA_FENCE : 0), &records[i]);
        list[i].source = (uintptr_t)(a + i % 2 * PAGE);
        list[i].target = (uintptr_t)(b + i % 2 * PAGE);
        list[i].size = PAGE;
    }
    d = dsa_describe(DSA_BATCH, DSA_RECORD, &records[4]);
    d.source = (uintptr_t)list;
    d.size = 4;
    dsa_submit(queue, &d);
    EXPECT(dsa_wait(&records[4]) == 1 && records[4].done == 4, "batch %u after %u",
           records[4].status, records[4].done);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT(records[i].status == 1 && !records[i].result, "member %u: %u", i, records[i].status);
    }
    EXPECT(!memcmp(a, b, 2 * PAGE), "batch's data");
    return 0;
}

/* Operations with results to compare; nothing of `b` has been touched. */
static int use(struct dsa_queue *queue)
{
    size_t bytes = 16 * PAGE;
    uint8_t *a = memory(bytes), *b = memory(bytes);
    struct dsa_record done;

    number(a, bytes, 1);
    done = dsa_run(queue, DSA_MOVE, DSA_BOF, a + 5, b + 77, bytes - 100);
    EXPECT(done.status == 1, "move ends with 0x%x at %lx", done.status, (long)done.addr);
    EXPECT(!memcmp(a + 5, b + 77, bytes - 100), "moved data");
    done = dsa_run(queue, DSA_COMPARE, DSA_BOF, a + 5, b + 77, bytes - 100);
    EXPECT(done.status == 1 && !done.result, "compare 0x%x result %u", done.status, done.result);
    b[77 + 4321] ^= 1;
    done = dsa_run(queue, DSA_COMPARE, DSA_BOF, a + 5, b + 77, bytes - 100);
    EXPECT(done.status == 1 && done.result == 1 && done.done == 4321, "difference at %u", done.done);
    done = dsa_run(queue, DSA_CRC, DSA_BOF, a, NULL, bytes);
    EXPECT(done.status == 1 && done.value == crc32c(a, bytes), "CRC 0x%x", done.value);
    done = dsa_run(queue, DSA_FILL, DSA_BOF, (void *)0x1122334455667788, b, bytes);
    EXPECT(done.status == 1, "fill 0x%x", done.status);
    for (size_t i = 0; i < bytes / 8; i++) {
        EXPECT(((uint64_t *)b)[i] == 0x1122334455667788, "filled word %zu", i);
    }
    return use_batch(queue, a, b);
}

static int test_shared(void)
{
    struct dsa_queue queue;

    EXPECT(dsa_open(&queue, SHARED, true), "open");
    return use(&queue);
}

static int test_dedicated(void)
{
    struct dsa_queue queue, second;

    EXPECT(dsa_open(&queue, OWN, false), "open");
    EXPECT(!dsa_open(&second, OWN, false), "a second user of a dedicated queue");
    return use(&queue);
}

/* Without leave to block, a page that is not there ends it; the rest is submitted again. */
static int test_partial(void)
{
    size_t bytes = 4 * PAGE;
    uint8_t *a = memory(bytes), *b = memory(bytes);
    struct dsa_queue queue;
    struct dsa_record done;

    EXPECT(dsa_open(&queue, SHARED, true), "open");
    number(a, bytes, 2);
    b[0] = b[PAGE] = 1;
    done = dsa_run(&queue, DSA_MOVE, 0, a, b, bytes);
    EXPECT(done.status == (3 | 0x80), "status 0x%x", done.status);
    EXPECT(done.done == 2 * PAGE && done.addr == (uintptr_t)b + 2 * PAGE, "%u done, fault at %lx",
           done.done, (long)done.addr);
    b[2 * PAGE] = b[3 * PAGE] = 1;
    done = dsa_run(&queue, DSA_MOVE, 0, a + done.done, b + done.done, bytes - done.done);
    EXPECT(done.status == 1 && !memcmp(a, b, bytes), "the rest: 0x%x", done.status);
    return 0;
}

/* Much to fill, of little memory. */
static uint8_t *windows(void)
{
    int fd = memfd_create("window", 0);
    uint8_t *all = memory((size_t)WINDOWS * WINDOW_BYTES);

    if (fd < 0 || ftruncate(fd, WINDOW_BYTES)) {
        return NULL;
    }
    for (unsigned i = 0; i < WINDOWS; i++) {
        mmap(all + (size_t)i * WINDOW_BYTES, WINDOW_BYTES, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED, fd, 0);
    }
    return all;
}

static void begin_fill(struct dsa_queue *queue, uint8_t *at, unsigned flags, struct dsa_record *record)
{
    struct dsa_descriptor d = dsa_describe(DSA_FILL, DSA_BOF | flags, record);

    d.target = (uintptr_t)at;
    d.size = WINDOWS * WINDOW_BYTES;
    dsa_submit(queue, &d);
}

/* What is taken away, or protected, while it is filled ends the fill right there. */
static int end_of_memory(bool is_protected)
{
    static struct dsa_record record;
    uint8_t *all = windows();
    size_t half = (size_t)WINDOWS / 2 * WINDOW_BYTES;
    struct dsa_queue queue;

    EXPECT(all && dsa_open(&queue, SHARED, true), "open");
    begin_fill(&queue, all, DSA_RECORD, &record);
    EXPECT(!(is_protected ? mprotect(all + half, half, PROT_READ) : munmap(all + half, half)),
           "%s", strerror(errno));
    EXPECT(!record.status, "it was over before: 0x%x", record.status);
    dsa_wait(&record);
    EXPECT(record.status == (4 | 0x80), "status 0x%x", record.status);
    EXPECT(record.addr >= (uintptr_t)all + half && record.addr < (uintptr_t)all + 2 * half &&
           record.done == record.addr - (uintptr_t)all, "fault at %lx, %u done", (long)record.addr,
           record.done);
    return 0;
}

static int test_unmapped(void)
{
    return end_of_memory(false);
}

static int test_protected(void)
{
    return end_of_memory(true);
}

/* A page that a child shares is copied before the device writes to it. */
static int test_copy_on_write(void)
{
    struct dsa_queue queue;
    uint8_t *page = memory(PAGE);
    int go[2];
    pid_t child;
    char byte = 0;

    EXPECT(dsa_open(&queue, SHARED, true) && !pipe(go), "open");
    memset(page, 0x11, PAGE);
    EXPECT(dsa_run(&queue, DSA_FILL, DSA_BOF, (void *)0x2222222222222222, page, PAGE).status == 1,
           "fill before");
    child = fork();
    if (!child) {
        _exit(read(go[0], &byte, 1) != 1 || page[0] != 0x22 || page[PAGE - 1] != 0x22);
    }
    EXPECT(dsa_run(&queue, DSA_FILL, DSA_BOF, (void *)0x3333333333333333, page, PAGE).status == 1,
           "fill after");
    EXPECT(write(go[1], &byte, 1) == 1 && !wait_for(child), "the child's page");
    EXPECT(page[0] == 0x33 && page[PAGE - 1] == 0x33, "the parent's page");
    return 0;
}

/* Of /proc/self/status, in KiB. */
static unsigned in_swap(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    unsigned found = 0;

    while (file && fgets(line, sizeof(line), file)) {
        sscanf(line, "VmSwap: %u", &found);
    }
    if (file) {
        fclose(file);
    }
    return found;
}

/* What was written to the swap disk comes back at the device's page request, on either side. */
static int test_swapped(void)
{
    size_t bytes = 64 * PAGE;
    uint8_t *a = memory(bytes), *b = memory(bytes), *copy = memory(bytes);
    struct dsa_queue queue;
    struct dsa_record done;

    EXPECT(dsa_open(&queue, SHARED, true), "open");
    number(a, bytes, 3);
    number(b, bytes, 4);
    memcpy(copy, a, bytes);
    EXPECT(!madvise(a, bytes, MADV_PAGEOUT) && !madvise(b, bytes, MADV_PAGEOUT), "%s",
           strerror(errno));
    EXPECT(in_swap() >= 2 * bytes / 1024, "%u KiB are in swap", in_swap());
    done = dsa_run(&queue, DSA_MOVE, DSA_BOF, a, b, bytes);
    EXPECT(done.status == 1, "move ends with 0x%x at %lx", done.status, (long)done.addr);
    EXPECT(!memcmp(b, copy, bytes) && !memcmp(a, copy, bytes), "swapped data");
    return 0;
}

/* The same addresses mean different pages to different processes, also at the same time. */
static int test_two_processes(void)
{
    size_t bytes = 8 * PAGE;
    uint8_t *a = memory(bytes), *b = memory(bytes);
    pid_t children[2];

    for (unsigned i = 0; i < 2; i++) {
        children[i] = fork();
        if (!children[i]) {
            struct dsa_queue queue;

            EXPECT(dsa_open(&queue, SHARED, true), "open");
            for (unsigned round = 0; round < 50; round++) {
                number(a, bytes, 100 * round + i);
                madvise(b, bytes, MADV_DONTNEED);
                EXPECT(dsa_run(&queue, DSA_MOVE, DSA_BOF, a, b, bytes).status == 1, "move");
                EXPECT(!memcmp(a, b, bytes), "round %u of process %u", round, i);
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(!wait_for(children[i]), "process %u", i);
    }
    return 0;
}

static bool has_event_log(void)
{
    return !access("/sys/bus/dsa/devices/dsa0/event_log_size", F_OK);
}

/*
 * Killed with work under way: it goes, and the queue serves others. A record that cannot be written goes to the
 * event log, where Linux 6.12 takes it from and writes it while the process' memory is being let go, which
 * then counts a page too many: with such a log, the victims want no record.
 */
static int test_killed(void)
{
    unsigned flags = has_event_log() ? 0 : DSA_RECORD;

    for (unsigned round = 0; round < 3; round++) {
        static struct dsa_record record;
        int ready[2];
        pid_t child;
        char byte = 0;

        EXPECT(!pipe(ready), "pipe");
        child = fork();
        if (!child) {
            struct dsa_queue queue;
            uint8_t *all = windows();

            if (!all || !dsa_open(&queue, SHARED, true)) {
                _exit(1);
            }
            for (unsigned i = 0; i < 4; i++) {
                begin_fill(&queue, all, flags, &record);
            }
            (void)!write(ready[1], &byte, 1);
            pause();
        }
        close(ready[1]);
        EXPECT(read(ready[0], &byte, 1) == 1, "the victim");
        kill(child, SIGKILL);
        EXPECT(wait_for(child) == SIGKILL, "its end");
        close(ready[0]);
        EXPECT(!test_shared(), "the next");
    }
    return 0;
}

/* What is mapped anew at an address has nothing of what was there. */
static int test_remapped(void)
{
    size_t bytes = 4 * PAGE;
    uint8_t *at = memory(bytes), *copy = memory(bytes);
    struct dsa_queue queue;

    EXPECT(dsa_open(&queue, SHARED, true), "open");
    for (uint64_t i = 1; i <= 100; i++) {
        uint64_t pattern = i * 0x0101010101010101;

        EXPECT(dsa_run(&queue, DSA_FILL, DSA_BOF, (void *)pattern, at, bytes).status == 1, "fill");
        EXPECT(*(uint64_t *)at == pattern && *(uint64_t *)(at + bytes - 8) == pattern, "round %u",
               (unsigned)i);
        munmap(at, bytes);
        EXPECT(mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                    0) == at, "map");
        EXPECT(dsa_run(&queue, DSA_MOVE, DSA_BOF, at, copy, bytes).status == 1, "move");
        EXPECT(!*(uint64_t *)copy && !memcmp(copy, copy + 8, bytes - 8), "stale data, round %u",
               (unsigned)i);
    }
    return 0;
}

/* write() is for who may not map the portal. */
static int test_written(void)
{
    static struct dsa_record record;
    struct dsa_descriptor d = dsa_describe(DSA_FILL, DSA_RECORD | DSA_BOF, &record);
    uint8_t *page = memory(PAGE);
    int fd;

    d.source = 0x4444444444444444;
    d.target = (uintptr_t)page;
    d.size = PAGE;
    EXPECT(!chmod(SHARED, 0666) && !setuid(1000), "leave: %s", strerror(errno));
    fd = open(SHARED, O_RDWR);
    EXPECT(fd >= 0, "open: %s", strerror(errno));
    EXPECT(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM,
           "mapped: %s", strerror(errno));
    EXPECT(write(fd, &d, sizeof(d)) == sizeof(d), "write: %s", strerror(errno));
    EXPECT(dsa_wait(&record) == 1 && page[PAGE - 1] == 0x44, "status 0x%x", record.status);
    d.flags = DSA_RECORD | DSA_BATCH << 24;
    EXPECT(write(fd, &d, sizeof(d)) < 0 && errno == EINVAL, "a batch is not refused");
    return 0;
}

/* The first of each process's descriptors meets an address space the device does not know. */
static int test_sequence(void)
{
    char text[16] = "100";
    unsigned count;

    has_parameter("sva_processes=", text, sizeof(text));
    count = atoi(text);
    for (unsigned i = 0; i < count; i++) {
        pid_t child = fork();

        if (!child) {
            struct dsa_queue queue;
            uint64_t *word = (uint64_t *)memory(PAGE);

            if (!dsa_open(&queue, SHARED, true)) {
                _exit(1);
            }
            _exit(dsa_run(&queue, DSA_FILL, DSA_BOF, (void *)(uintptr_t)i, word, 8).status != 1 ||
                  *word != i);
        }
        EXPECT(!wait_for(child), "process %u", i);
    }
    say("processes", "%u", count);
    return 0;
}

static unsigned microseconds(const struct timespec *start, unsigned count)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((now.tv_sec - start->tv_sec) * 1000000 + (now.tv_nsec - start->tv_nsec) / 1000) / count;
}

/* For people: a page from its fault to completed DMA; an address space bound and let go. */
static int test_figures(void)
{
    unsigned pages = 2048, binds = 200;
    uint8_t *all = memory(pages * PAGE);
    struct timespec start;
    struct dsa_queue queue;

    EXPECT(dsa_open(&queue, SHARED, true), "open");
    madvise(all, pages * PAGE, MADV_NOHUGEPAGE);
    clock_gettime(CLOCK_MONOTONIC, &start);
    EXPECT(dsa_run(&queue, DSA_FILL, DSA_BOF, NULL, all, pages * PAGE).status == 1, "fill");
    say("page-us", "%u", microseconds(&start, pages));
    dsa_close(&queue);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < binds; i++) {
        EXPECT(dsa_open(&queue, SHARED, true), "open %u", i);
        dsa_close(&queue);
    }
    say("bind-us", "%u", microseconds(&start, binds));
    return 0;
}

void run_user(void)
{
    say_whether("configured", CONFIGURE(user_settings));
    say_whether("enabled", bind_driver("idxd", "dsa0", true) && bind_driver("user", "wq0.0", true) &&
                           bind_driver("user", "wq0.1", true));
    run_test("shared", test_shared);
    run_test("dedicated", test_dedicated);
    run_test("dedicated-again", test_dedicated);
    run_test("partial", test_partial);
    run_test("unmapped", test_unmapped);
    run_test("protected", test_protected);
    run_test("copy-on-write", test_copy_on_write);
    run_test("remapped", test_remapped);
    if (swapon(SWAP, 0)) {
        say("swapped", "%s: %s", SWAP, strerror(errno));
    } else {
        run_test("swapped", test_swapped);
    }
    run_test("two-processes", test_two_processes);
    run_test("killed", test_killed);
    run_test("written", test_written);
    run_test("sequence", test_sequence);
    run_test("figures", test_figures);
    run_test("shared-at-last", test_shared);
}
