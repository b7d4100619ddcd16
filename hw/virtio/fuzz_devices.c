/*
 * Fuzzes every virtio device from its driver's side: the first byte chooses one, the next features;
 * then each operation is a byte with its arguments: rings and requests in memory, kicks, status,
 * configuration, resets. Frames and other answers of the host's side come as they will.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev.h"
#include "qapi/qapi-types-char.h"
#include "qom/user_creatable.h"
#include "system/run_state.h"
#include "util/event_loop.h"
#include "util/fuzz_input.h"
#include "virtio_test_device.h"

#define QUEUE_STEP  0x3000 /* descriptors, the driver's ring, the device's ring */
#define FUZZ_QUEUES 4      /* that fit before the data */
#define DATA_AT     0xd000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GPtrArray *devices; /* VirtioDevice, each on a transport of its own */

/* What needs more than its name: a disk, a PCI function of which it is a part, a bus of PCI. The
 * machines' fuzz lists have them. */
static const char *const needy[] = {
    "virtio-blk-device", "virtio-vga-device", "virtio-iommu-device", "test-echo-device", NULL,
};

static void add_device(const char *name)
{
    Device *dev = device_new(name);
    VirtioDevice *vdev = VIRTIO_DEVICE(dev);

    if (g_strv_contains(needy, name)) {
        object_unref(dev);
        return;
    }
    test_transport_with(dev);
    g_ptr_array_add(devices, vdev);
}

/* Their transports are on no bus, so nothing finds it by its type. */
static Bus *serial_bus(void)
{
    for (guint n = 0; n < devices->len; n++) {
        Device *dev = devices->pdata[n];

        if (object_is_a(dev, "virtio-serial-device")) {
            return dev->buses->pdata[0];
        }
    }
    g_assert_not_reached();
}

/* With a line. */
static void add_port(const char *name)
{
    static ChardevRingbuf defaults;
    ChardevBackend backend = { .type = CHARDEV_BACKEND_KIND_RINGBUF, .u.ringbuf.data = &defaults };
    Device *port = device_new(name);

    g_assert_nonnull(chardev_add(name, &backend, NULL));
    g_assert_true(object_set_text(port, "chardev", name, NULL));
    g_assert_true(device_realize_and_unref(port, serial_bus(), NULL));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GPtrArray) types = NULL;

    virtio_test_init();
    types = type_list(TYPE_VIRTIO_DEVICE, false);
    devices = g_ptr_array_new();
    for (guint n = 0; n < types->len; n++) {
        add_device(type_name(types->pdata[n]));
    }
    add_port("virtconsole");
    add_port("virtserialport");
    vm_start();
    return 0;
}

static void start_queue(VirtioDevice *vdev, unsigned n)
{
    VirtQueue *vq = virtio_queue(vdev, n);
    uint32_t at = 0x1000 + n * QUEUE_STEP;

    virtqueue_set_size(vq, TEST_QUEUE_SIZE);
    virtqueue_set_address(vq, VIRTQUEUE_DESC, 0, at);
    virtqueue_set_address(vq, VIRTQUEUE_DRIVER, 0, at + 0x1000);
    virtqueue_set_address(vq, VIRTQUEUE_DEVICE, 0, at + 0x2000);
    virtqueue_enable(vq);
}

static void start(VirtioDevice *vdev, uint64_t refused)
{
    uint64_t offered = virtio_offered_features(vdev, VIRTIO_MODERN);

    address_space_fill(address_space_system(), 0x1000, MEM_TX_NONE, 0, TEST_RAM_BYTES - 0x1000);
    test_driver_negotiate(vdev, (offered & ~refused) | BIT64(VIRTIO_F_VERSION_1));
    for (unsigned n = 0; n < MIN(vdev->queue_count, FUZZ_QUEUES); n++) {
        start_queue(vdev, n);
    }
    virtio_write_status(vdev, vdev->status | VIRTIO_STATUS_DRIVER_OK);
}

/* A request of up to two pieces of data, put where a split ring has its next one. */
static void add_request(FuzzInput *in, unsigned queue)
{
    uint64_t at = 0x1000 + queue * QUEUE_STEP;
    uint64_t index = test_get(at + 0x1002, 2);
    unsigned head = index % (TEST_QUEUE_SIZE / 2) * 2;

    for (unsigned n = 0; n < 2; n++) {
        uint64_t desc = at + 16 * (head + n);

        test_put(desc, 8, DATA_AT + fuzz_take(in, 1) * 32);
        test_put(desc + 8, 4, fuzz_take(in, 2));
        test_put(desc + 12, 2, (fuzz_take(in, 1) & VIRTQ_DESC_F_WRITE) | !n);
        test_put(desc + 14, 2, head + 1);
    }
    test_put(at + 0x1004 + index % TEST_QUEUE_SIZE * 2, 2, head);
    test_put(at + 0x1002, 2, index + 1);
}

enum { PUT_DATA, PUT_RING, REQUEST, KICK, RESET_QUEUE, STATUS, CONFIG, TURN, OPERATIONS };

static void operate(VirtioDevice *vdev, FuzzInput *in)
{
    unsigned queue = fuzz_take(in, 1) % MIN(vdev->queue_count, FUZZ_QUEUES);
    VirtQueue *vq = virtio_queue(vdev, queue);

    switch (fuzz_take(in, 1) % OPERATIONS) {
    case PUT_DATA:
        test_put(DATA_AT + fuzz_take(in, 1) * 8, 8, fuzz_take(in, 8));
        break;
    case PUT_RING:
        test_put(0x1000 + fuzz_take(in, 2) % (DATA_AT - 0x1000), 2, fuzz_take(in, 2));
        break;
    case REQUEST:
        add_request(in, queue);
        break;
    case KICK:
        virtqueue_kick(vq);
        break;
    case RESET_QUEUE:
        virtqueue_reset(vq);
        start_queue(vdev, queue);
        break;
    case STATUS:
        virtio_write_status(vdev, fuzz_take(in, 1));
        break;
    case CONFIG:
        virtio_config_write(vdev, fuzz_take(in, 1), 1 << fuzz_take(in, 1) % 3, fuzz_take(in, 4));
        break;
    default:
        event_loop_run_once(event_loop_main(), false);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };
    VirtioDevice *vdev = devices->pdata[fuzz_take(&in, 1) % devices->len];

    start(vdev, fuzz_take(&in, 8));
    while (in.left) {
        operate(vdev, &in);
    }
    virtio_write_status(vdev, 0);
    event_loop_run_once(event_loop_main(), false);
    return 0;
}
