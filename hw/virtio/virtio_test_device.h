/*
 * For tests: a transport that counts interrupts, a device that echoes, and a driver's side of both
 * kinds of ring, in 64 KiB of RAM at address 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_TEST_DEVICE_H
#define HW_VIRTIO_VIRTIO_TEST_DEVICE_H

#include "hw/virtio/virtio_transport.h"

#define TEST_RAM_BYTES   (64 * KiB)
#define TEST_QUEUE_SIZE  16
#define TEST_DESC_ADDR   0x1000
#define TEST_DRIVER_ADDR 0x2000
#define TEST_DEVICE_ADDR 0x3000
#define TEST_TABLE_ADDR  0x4000 /* indirect */
#define TEST_DATA_ADDR   0x8000

/* Answers what it reads, each byte plus 1; holds buffers back while told so. */
typedef struct EchoDevice {
    VirtioDevice parent;
    VirtQueue *vq;
    bool is_holding;
    GPtrArray *held; /* VirtQueueElement */
    unsigned resets;
    uint32_t value;  /* configuration */
} EchoDevice;
DECLARE_CAST(EchoDevice, ECHO_DEVICE)

typedef struct TestTransport {
    Device parent;
    Bus *bus;
    unsigned queue_interrupts, config_interrupts;
} TestTransport;
DECLARE_CAST(TestTransport, TEST_TRANSPORT)

/* Once for a process: lock, machine, RAM. */
void virtio_test_init(void);
/* With an echo device on it. */
TestTransport *test_transport_new(void);
/* With `device` on it, which is not realized; takes over the reference. */
TestTransport *test_transport_with(Device *device);
EchoDevice *test_echo(TestTransport *t);
/* Gives all held buffers back, in this order of their numbers. */
void test_echo_release(EchoDevice *echo, const unsigned *order, unsigned count);

/* --- a driver --- */

typedef struct TestDriver {
    VirtioDevice *vdev;
    VirtQueue *vq;
    bool is_packed;
    unsigned size;
    uint16_t next, used; /* split: counters; packed: places */
    bool next_wrap, used_wrap;
    uint8_t lengths[TEST_QUEUE_SIZE]; /* packed: of the chains, by id */
} TestDriver;

/* A descriptor to be made. */
typedef struct TestPiece {
    uint64_t addr;
    uint32_t bytes;
    uint16_t flags; /* VIRTQ_DESC_F_WRITE, _INDIRECT */
} TestPiece;

/* Negotiates `features` (and VERSION_1), makes the ring, sets DRIVER_OK. */
void test_driver_start(TestDriver *d, VirtioDevice *vdev, uint64_t features);
/* Negotiates only; the status after FEATURES_OK. */
uint8_t test_driver_negotiate(VirtioDevice *vdev, uint64_t features);
/* Puts a chain into the ring; its id. */
uint16_t test_driver_add(TestDriver *d, const TestPiece *pieces, unsigned count);
/* The next used buffer; false: there is none. */
bool test_driver_take(TestDriver *d, uint16_t *id, uint32_t *bytes);
void test_put(uint64_t addr, unsigned bytes, uint64_t value);
uint64_t test_get(uint64_t addr, unsigned bytes);

#endif
