/*
 * dsa_user: see dsa_user.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "dsa_user.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool dsa_open(struct dsa_queue *queue, const char *path, bool is_shared)
{
    *queue = (struct dsa_queue){ open(path, O_RDWR), MAP_FAILED, is_shared };
    if (queue->fd < 0) {
        perror(path);
        return false;
    }
    queue->portal = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED | MAP_POPULATE, queue->fd, 0);
    if (queue->portal == MAP_FAILED) {
        perror("portal");
        close(queue->fd);
        return false;
    }
    return true;
}

void dsa_close(struct dsa_queue *queue)
{
    munmap(queue->portal, 4096);
    close(queue->fd);
}

struct dsa_descriptor dsa_describe(unsigned opcode, unsigned flags, struct dsa_record *record)
{
    memset(record, 0, sizeof(*record));
    return (struct dsa_descriptor){ .flags = flags | opcode << 24, .record = (uintptr_t)record };
}

static void movdir64b(void *to, const void *from)
{
    __asm__ volatile(".byte 0x66, 0x0f, 0x38, 0xf8, 0x02" /* [rdx] to [rax] */
                     : : "a"(to), "d"(from) : "memory");
}

/* True: not accepted now. */
static bool enqcmd(void *to, const void *from)
{
    bool is_full;

    __asm__ volatile(".byte 0xf2, 0x0f, 0x38, 0xf8, 0x02; setz %0"
                     : "=r"(is_full) : "a"(to), "d"(from) : "memory", "cc");
    return is_full;
}

void dsa_submit(struct dsa_queue *queue, const struct dsa_descriptor *d)
{
    __asm__ volatile("sfence" : : : "memory");
    if (!queue->is_shared) {
        movdir64b(queue->portal, d);
        return;
    }
    while (enqcmd(queue->portal, d)) {
        sched_yield();
    }
}

uint8_t dsa_wait(const struct dsa_record *record)
{
    while (!record->status) {
        sched_yield();
    }
    __asm__ volatile("" : : : "memory");
    return record->status & 0x3f;
}

struct dsa_record dsa_run(struct dsa_queue *queue, unsigned opcode, unsigned flags,
                          const void *from, void *to, uint32_t size)
{
    static struct dsa_record record;
    struct dsa_descriptor d = dsa_describe(opcode, flags | DSA_RECORD, &record);

    d.source = (uintptr_t)from;
    d.target = (uintptr_t)to;
    d.size = size;
    dsa_submit(queue, &d);
    dsa_wait(&record);
    return record;
}
