/*
 * Fuzzes a virtio device's rings from the driver's side. The first byte chooses features; then
 * each operation is a byte with its arguments: bytes of memory, kicks, resets, status, buffers that
 * come back late. Whatever happens, the process goes on, and a broken device is silent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/fuzz_input.h"
#include "virtio_test_device.h"

#define RING_BYTES 0x4000 /* descriptors, both rings, indirect tables */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static TestTransport *transport;
static EchoDevice *echo;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    virtio_test_init();
    transport = test_transport_new();
    echo = test_echo(transport);
    return 0;
}

static uint64_t chosen_features(uint8_t choice)
{
    static const unsigned bits[] = { VIRTIO_F_RING_PACKED, VIRTIO_F_EVENT_IDX,
                                     VIRTIO_F_INDIRECT_DESC, VIRTIO_F_IN_ORDER,
                                     VIRTIO_F_RING_RESET, VIRTIO_F_NOTIFICATION_DATA };
    uint64_t features = 0;

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        features |= choice & BIT(i) ? BIT64(bits[i]) : 0;
    }
    return features;
}

static void release_all(void)
{
    for (guint i = echo->held->len; i-- > 0;) {
        virtqueue_push(echo->held->pdata[i], 4);
    }
    g_ptr_array_set_size(echo->held, 0);
    virtqueue_notify(echo->vq);
}

/* A broken device neither interrupts for its queue nor gives anything. */
static void check_broken(const TestDriver *d, unsigned interrupts)
{
    if (d->vdev->is_broken) {
        virtqueue_kick(d->vq);
        if (transport->queue_interrupts != interrupts ||
            virtqueue_pop(d->vq, sizeof(VirtQueueElement))) {
            abort();
        }
    }
}

enum { PUT_BYTE, PUT_WORD, PUT_DESC, KICK, HOLD, RELEASE, RESET_QUEUE, STATUS, KICKS, OPERATIONS };

static void operate(TestDriver *d, FuzzInput *in)
{
    VirtioDevice *vdev = d->vdev;
    unsigned interrupts = transport->queue_interrupts;

    switch (fuzz_take(in, 1) % OPERATIONS) {
    case PUT_BYTE:
        test_put(TEST_DESC_ADDR + fuzz_take(in, 2) % RING_BYTES, 1, fuzz_take(in, 1));
        break;
    case PUT_WORD:
        test_put(TEST_DESC_ADDR + fuzz_take(in, 2) % (RING_BYTES - 1), 2, fuzz_take(in, 2));
        break;
    case PUT_DESC:
        test_put(TEST_DESC_ADDR + fuzz_take(in, 1) % 32 * 16, 8, fuzz_take(in, 2));
        break;
    case KICK:
        virtqueue_kick(d->vq);
        break;
    case HOLD:
        echo->is_holding = !echo->is_holding;
        break;
    case RELEASE:
        release_all();
        break;
    case RESET_QUEUE:
        virtqueue_reset(d->vq);
        virtqueue_enable(d->vq);
        break;
    case STATUS:
        virtio_write_status(vdev, fuzz_take(in, 1));
        break;
    default:
        virtqueue_set_kicks(d->vq, fuzz_take(in, 1) & 1);
        break;
    }
    check_broken(d, MAX(interrupts, transport->queue_interrupts));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };
    TestDriver d;

    echo->is_holding = false;
    test_driver_start(&d, &echo->parent, chosen_features(fuzz_take(&in, 1)));
    while (in.left) {
        operate(&d, &in);
    }
    release_all();
    return 0;
}
