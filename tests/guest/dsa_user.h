/*
 * dsa_user: how a process gives work to a DSA work queue it has opened: descriptors with its own
 * addresses, through a portal in its address space.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_DSA_USER_H
#define TESTS_GUEST_DSA_USER_H

#include <stdbool.h>
#include <stdint.h>

enum { DSA_NOOP = 0, DSA_BATCH = 1, DSA_DRAIN = 2, DSA_MOVE = 3, DSA_FILL = 4, DSA_COMPARE = 5,
       DSA_CRC = 0x10 };
enum { DSA_FENCE = 1, DSA_BOF = 2, DSA_RECORD = 4 | 8 };

struct dsa_record {
    volatile uint8_t status;
    uint8_t result;
    uint16_t unused;
    uint32_t done;
    uint64_t addr;
    uint32_t value, more[3];
} __attribute__((aligned(32)));

struct dsa_descriptor {
    uint32_t pasid;
    uint32_t flags; /* opcode above */
    uint64_t record;
    uint64_t source, target;
    uint32_t size;
    uint16_t handle, unused;
    uint64_t more[3];
} __attribute__((aligned(64)));

struct dsa_queue {
    int fd;
    void *portal;
    bool is_shared;
};

/* False: what failed is printed. */
bool dsa_open(struct dsa_queue *queue, const char *path, bool is_shared);
void dsa_close(struct dsa_queue *queue);
struct dsa_descriptor dsa_describe(unsigned opcode, unsigned flags, struct dsa_record *record);
void dsa_submit(struct dsa_queue *queue, const struct dsa_descriptor *d);
/* The status, when there is one. */
uint8_t dsa_wait(const struct dsa_record *record);
/* One operation from its start to its end. */
struct dsa_record dsa_run(struct dsa_queue *queue, unsigned opcode, unsigned flags,
                          const void *from, void *to, uint32_t size);

#endif
