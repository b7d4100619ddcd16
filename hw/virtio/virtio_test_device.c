/*
 * See hw/virtio/virtio_test_device.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_test_device.h"

#include "hw/core/machine.h"
#include "system/machine_lock.h"
#include "system/target.h"

static MemoryRegion ram;

/* --- the transport --- */

static void test_interrupt(Device *dev, VirtioDevice *vdev, uint8_t cause, uint16_t vector)
{
    vdev->isr |= cause;
    if (cause == VIRTIO_ISR_QUEUE) {
        TEST_TRANSPORT(dev)->queue_interrupts++;
    } else {
        TEST_TRANSPORT(dev)->config_interrupts++;
    }
}

static const VirtioBusType test_bus_type = {
    .name = "test-virtio-bus",
    .parent = TYPE_VIRTIO_BUS,
    .interrupt = test_interrupt,
};
BUS_TYPE(test_bus_type)

static bool test_transport_realize(Device *dev, Error **errp)
{
    TEST_TRANSPORT(dev)->bus = bus_new("test-virtio-bus", dev, NULL);
    return true;
}

static const DeviceType test_transport_type = {
    .name = "test-virtio-transport",
    .parent = TYPE_DEVICE,
    .size = sizeof(TestTransport),
    .realize = test_transport_realize,
};
DEVICE_TYPE(test_transport_type)

/* --- the device --- */

static void answer(VirtQueueElement *elem)
{
    uint8_t bytes[4096];
    size_t count = virtqueue_read(elem, 0, bytes, sizeof(bytes));

    for (size_t i = 0; i < count; i++) {
        bytes[i]++;
    }
    virtqueue_push(elem, virtqueue_write(elem, 0, bytes, count));
}

static void echo_kicked(VirtioDevice *vdev, VirtQueue *vq)
{
    EchoDevice *echo = ECHO_DEVICE(vdev);
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        if (echo->is_holding) {
            g_ptr_array_add(echo->held, elem);
        } else {
            answer(elem);
        }
    }
    virtqueue_notify(vq);
}

void test_echo_release(EchoDevice *echo, const unsigned *order, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        answer(echo->held->pdata[order[i]]);
    }
    g_ptr_array_set_size(echo->held, 0);
    virtqueue_notify(echo->vq);
}

static void echo_config_read(VirtioDevice *vdev, uint8_t *config)
{
    virtio_put(vdev, config, 4, ECHO_DEVICE(vdev)->value);
}

static void echo_config_written(VirtioDevice *vdev, const uint8_t *config)
{
    ECHO_DEVICE(vdev)->value = virtio_get(vdev, config, 4);
}

static void echo_queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    ECHO_DEVICE(vdev)->resets++;
}

static bool echo_realize(Device *dev, Error **errp)
{
    EchoDevice *echo = ECHO_DEVICE(dev);

    echo->held = g_ptr_array_new();
    if (!virtio_init_queues(&echo->parent, 2, errp)) {
        return false;
    }
    echo->vq = virtqueue_init(&echo->parent, 0, TEST_QUEUE_SIZE, echo_kicked);
    virtqueue_init(&echo->parent, 1, 0, NULL); /* not there */
    return true;
}

static void echo_unrealize(Device *dev)
{
    g_ptr_array_free(ECHO_DEVICE(dev)->held, TRUE);
}

static uint64_t echo_features(VirtioDevice *vdev)
{
    return BIT64(0) | BIT64(1);
}

static bool echo_accepts(VirtioDevice *vdev, uint64_t chosen)
{
    return !(chosen & BIT64(1)) || (chosen & BIT64(0));
}

static const VirtioDeviceType echo_type = {
    .name = "test-echo-device",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(EchoDevice),
    .virtio_id = 42,
    .config_bytes = 4,
    .features = echo_features,
    .accepts = echo_accepts,
    .config_read = echo_config_read,
    .config_written = echo_config_written,
    .queue_reset = echo_queue_reset,
    .realize = echo_realize,
    .unrealize = echo_unrealize,
};
VIRTIO_DEVICE_TYPE(echo_type)

/* --- the machine --- */

static const MachineType board_type = {
    .name = "virtio-test-machine", .parent = TYPE_MACHINE, .doc = "test board",
    .is_without_ram = true,
};
MACHINE_TYPE(board_type)

static const TargetInfo target = { .name = "x86_64" };

void virtio_test_init(void)
{
    target_set(&target);
    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine_create(type_find("virtio-test-machine"));
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", TEST_RAM_BYTES, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
}

TestTransport *test_transport_with(Device *device)
{
    static const char *const features[] = { "packed", "in_order", "notification_data" };
    Device *dev = device_new("test-virtio-transport");

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        g_assert_true(object_set_bool(device, features[i], true, NULL));
    }
    g_assert_true(device_realize_and_unref(dev, NULL, NULL));
    g_assert_true(device_realize_and_unref(device, TEST_TRANSPORT(dev)->bus, NULL));
    return TEST_TRANSPORT(dev);
}

TestTransport *test_transport_new(void)
{
    return test_transport_with(device_new("test-echo-device"));
}

EchoDevice *test_echo(TestTransport *t)
{
    return ECHO_DEVICE(virtio_bus_device(t->bus));
}

/* --- the driver --- */

void test_put(uint64_t addr, unsigned bytes, uint64_t value)
{
    address_space_store(address_space_system(), addr, mem_format(bytes, ENDIAN_LITTLE),
                        MEM_TX_NONE, value);
}

uint64_t test_get(uint64_t addr, unsigned bytes)
{
    uint64_t value;

    address_space_load(address_space_system(), addr, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                       &value);
    return value;
}

uint8_t test_driver_negotiate(VirtioDevice *vdev, uint64_t features)
{
    virtio_write_status(vdev, 0);
    virtio_write_status(vdev, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
    virtio_choose_features(vdev, features, VIRTIO_MODERN);
    virtio_write_status(vdev, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
                        VIRTIO_STATUS_FEATURES_OK);
    return vdev->status;
}

void test_driver_start(TestDriver *d, VirtioDevice *vdev, uint64_t features)
{
    address_space_fill(address_space_system(), 0x1000, MEM_TX_NONE, 0, TEST_RAM_BYTES - 0x1000);
    test_driver_negotiate(vdev, features | BIT64(VIRTIO_F_VERSION_1));
    g_assert_true(vdev->status & VIRTIO_STATUS_FEATURES_OK);
    *d = (TestDriver){ .vdev = vdev, .vq = virtio_queue(vdev, 0), .size = TEST_QUEUE_SIZE,
                       .is_packed = features & BIT64(VIRTIO_F_RING_PACKED),
                       .next_wrap = true, .used_wrap = true };
    virtqueue_set_address(d->vq, VIRTQUEUE_DESC, 0, TEST_DESC_ADDR);
    virtqueue_set_address(d->vq, VIRTQUEUE_DRIVER, 0, TEST_DRIVER_ADDR);
    virtqueue_set_address(d->vq, VIRTQUEUE_DEVICE, 0, TEST_DEVICE_ADDR);
    virtqueue_enable(d->vq);
    virtio_write_status(vdev, vdev->status | VIRTIO_STATUS_DRIVER_OK);
}

static void put_desc(uint64_t at, const TestPiece *piece, uint16_t third, uint16_t fourth)
{
    test_put(at, 8, piece->addr);
    test_put(at + 8, 4, piece->bytes);
    test_put(at + 12, 2, third);
    test_put(at + 14, 2, fourth);
}

static uint16_t add_split(TestDriver *d, const TestPiece *pieces, unsigned count)
{
    uint16_t head = d->next * count % d->size;

    for (unsigned i = 0; i < count; i++) {
        uint16_t n = (head + i) % d->size;
        bool is_last = i == count - 1;

        put_desc(TEST_DESC_ADDR + 16 * n, &pieces[i],
                 pieces[i].flags | (is_last ? 0 : VIRTQ_DESC_F_NEXT), (n + 1) % d->size);
    }
    test_put(TEST_DRIVER_ADDR + 4 + 2 * (d->next % d->size), 2, head);
    test_put(TEST_DRIVER_ADDR + 2, 2, ++d->next);
    return head;
}

static void step(const TestDriver *d, uint16_t *place, bool *wrap, unsigned count)
{
    *place += count;
    if (*place >= d->size) {
        *place -= d->size;
        *wrap = !*wrap;
    }
}

static uint16_t add_packed(TestDriver *d, const TestPiece *pieces, unsigned count)
{
    uint16_t id = d->next + 100;

    d->lengths[d->next] = count;
    for (unsigned i = 0; i < count; i++) {
        put_desc(TEST_DESC_ADDR + 16 * d->next, &pieces[i], id,
                 pieces[i].flags | (i == count - 1 ? 0 : VIRTQ_DESC_F_NEXT) |
                     (d->next_wrap ? VIRTQ_DESC_F_AVAIL : VIRTQ_DESC_F_USED));
        step(d, &d->next, &d->next_wrap, 1);
    }
    return id;
}

uint16_t test_driver_add(TestDriver *d, const TestPiece *pieces, unsigned count)
{
    return (d->is_packed ? add_packed : add_split)(d, pieces, count);
}

static bool take_split(TestDriver *d, uint16_t *id, uint32_t *bytes)
{
    uint64_t row = TEST_DEVICE_ADDR + 4 + 8 * (d->used % d->size);

    if (test_get(TEST_DEVICE_ADDR + 2, 2) == d->used) {
        return false;
    }
    *id = test_get(row, 4);
    *bytes = test_get(row + 4, 4);
    d->used++;
    return true;
}

static bool take_packed(TestDriver *d, uint16_t *id, uint32_t *bytes)
{
    uint64_t at = TEST_DESC_ADDR + 16 * d->used;
    uint16_t flags = test_get(at + 14, 2);

    if (!!(flags & VIRTQ_DESC_F_AVAIL) != d->used_wrap ||
        !!(flags & VIRTQ_DESC_F_USED) != d->used_wrap) {
        return false;
    }
    *id = test_get(at + 12, 2);
    *bytes = test_get(at + 8, 4);
    step(d, &d->used, &d->used_wrap, d->lengths[(*id - 100) % d->size]);
    return true;
}

bool test_driver_take(TestDriver *d, uint16_t *id, uint32_t *bytes)
{
    return (d->is_packed ? take_packed : take_split)(d, id, bytes);
}
