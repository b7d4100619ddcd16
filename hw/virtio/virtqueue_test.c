/*
 * virtio devices from their driver's side: negotiation, both kinds of ring with all that can be
 * negotiated, drivers that lie.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_test_device.h"

#include "system/machine_lock.h"
#include "system/vmstate_kind.h"
#include "util/thread.h"

#define PACKED    BIT64(VIRTIO_F_RING_PACKED)
#define EVENT_IDX BIT64(VIRTIO_F_EVENT_IDX)
#define INDIRECT  BIT64(VIRTIO_F_INDIRECT_DESC)
#define IN_ORDER  BIT64(VIRTIO_F_IN_ORDER)

static TestTransport *transport;
static EchoDevice *echo;
static VirtioDevice *vdev;

/* A request: 8 bytes out, 8 in. */
static const TestPiece request[] = { { TEST_DATA_ADDR, 8, 0 },
                                     { TEST_DATA_ADDR + 64, 8, VIRTQ_DESC_F_WRITE } };

static void start(TestDriver *d, uint64_t features)
{
    echo->is_holding = false;
    g_ptr_array_set_size(echo->held, 0);
    test_driver_start(d, vdev, features);
    test_put(TEST_DATA_ADDR, 8, 0x4847464544434241);
    transport->queue_interrupts = transport->config_interrupts = 0;
    echo->resets = 0;
}

static void expect_used(TestDriver *d, uint16_t id, uint32_t bytes)
{
    uint16_t used_id;
    uint32_t used_bytes;

    g_assert_true(test_driver_take(d, &used_id, &used_bytes));
    g_assert_cmpuint(used_id, ==, id);
    g_assert_cmpuint(used_bytes, ==, bytes);
}

static void expect_none(TestDriver *d)
{
    uint16_t id;
    uint32_t bytes;

    g_assert_false(test_driver_take(d, &id, &bytes));
}

/* --- negotiation --- */

static void test_features(void)
{
    uint64_t modern = virtio_offered_features(vdev, VIRTIO_MODERN);
    uint64_t legacy = virtio_offered_features(vdev, VIRTIO_LEGACY);

    g_assert_cmphex(modern, ==, BIT64(0) | BIT64(1) | INDIRECT | EVENT_IDX | PACKED | IN_ORDER |
                    BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_NOTIFICATION_DATA) |
                    BIT64(VIRTIO_F_RING_RESET));
    g_assert_cmphex(legacy, ==, BIT64(0) | BIT64(1) | INDIRECT | EVENT_IDX |
                    BIT64(VIRTIO_F_NOTIFY_ON_EMPTY) | BIT64(VIRTIO_F_ANY_LAYOUT) |
                    BIT64(VIRTIO_F_BAD));
    g_assert_cmphex(test_driver_negotiate(vdev, BIT64(0)), ==, 3); /* without VERSION_1 */
    g_assert_cmphex(test_driver_negotiate(vdev, BIT64(VIRTIO_F_VERSION_1) | BIT64(1)), ==, 3);
    g_assert_cmphex(test_driver_negotiate(vdev, UINT64_MAX), ==, 11);
    g_assert_cmphex(vdev->driver_features, ==, modern);
    virtio_choose_features(vdev, 0, VIRTIO_MODERN); /* too late */
    g_assert_cmphex(vdev->driver_features, ==, modern);
    virtio_write_status(vdev, 0);
    virtio_choose_features(vdev, UINT64_MAX, VIRTIO_LEGACY);
    g_assert_cmphex(vdev->driver_features, ==, legacy & ~BIT64(VIRTIO_F_BAD));
    virtio_write_status(vdev, 0);
    g_assert_cmphex(vdev->driver_features, ==, 0);
}

static void test_config(void)
{
    TestDriver d;

    start(&d, 0);
    virtio_config_write(vdev, 0, 4, 0x12345678);
    g_assert_cmphex(echo->value, ==, 0x12345678);
    g_assert_cmphex(virtio_config_read(vdev, 1, 2), ==, 0x3456);
    g_assert_cmphex(virtio_config_read(vdev, 3, 2), ==, 0xffff);
    g_assert_cmphex(virtio_config_read(vdev, UINT64_MAX, 4), ==, UINT32_MAX);
    virtio_config_write(vdev, 2, 4, 0);
    g_assert_cmphex(echo->value, ==, 0x12345678);
    virtio_config_changed(vdev);
    g_assert_cmpuint(transport->config_interrupts, ==, 1);
    g_assert_cmpuint(vdev->generation, ==, 1);
}

/* --- rings --- */

static void test_echo_once(uint64_t features)
{
    TestDriver d;
    uint16_t id;

    start(&d, features);
    g_assert_true(virtqueue_is_empty(d.vq));
    id = test_driver_add(&d, request, 2);
    expect_none(&d);
    virtqueue_kick(d.vq);
    expect_used(&d, id, 8);
    expect_none(&d);
    g_assert_cmphex(test_get(TEST_DATA_ADDR + 64, 8), ==, 0x4948474645444342);
    g_assert_cmpuint(transport->queue_interrupts, ==, 1);
}

/* Chains of one and two, over many laps and the counters' end. */
static void test_laps(uint64_t features)
{
    TestDriver d;

    start(&d, features);
    for (unsigned i = 0; i < 70000; i++) {
        unsigned count = d.is_packed ? 1 + i % 2 : 2;
        uint16_t id;

        test_put(TEST_DATA_ADDR, 8, i);
        id = test_driver_add(&d, request, count);
        virtqueue_kick(d.vq);
        expect_used(&d, id, count == 2 ? 8 : 0);
        g_assert_true(count == 1 || (uint8_t)(i + 1) == test_get(TEST_DATA_ADDR + 64, 1));
    }
    expect_none(&d);
    g_assert_cmphex(vdev->status, ==, 15);
}

static void test_batch(uint64_t features)
{
    uint16_t ids[8];
    TestDriver d;

    start(&d, features);
    for (unsigned i = 0; i < 8; i++) {
        ids[i] = test_driver_add(&d, request, 2);
    }
    virtqueue_kick(d.vq);
    for (unsigned i = 0; i < 8; i++) {
        expect_used(&d, ids[i], 8);
    }
    expect_none(&d);
    g_assert_cmpuint(transport->queue_interrupts, ==, 1);
}

static void put_table(const TestDriver *d, const TestPiece *pieces, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = TEST_TABLE_ADDR + 16 * i;
        uint16_t flags = pieces[i].flags | (i < count - 1 && !d->is_packed ? VIRTQ_DESC_F_NEXT : 0);

        test_put(at, 8, pieces[i].addr);
        test_put(at + 8, 4, pieces[i].bytes);
        test_put(at + 12, 2, d->is_packed ? 0 : flags);
        test_put(at + 14, 2, d->is_packed ? flags : i + 1);
    }
}

static void test_indirect(uint64_t features)
{
    const TestPiece pieces[] = {
        { TEST_DATA_ADDR, 3, 0 }, { TEST_DATA_ADDR + 3, 5, 0 },
        { TEST_DATA_ADDR + 64, 1, VIRTQ_DESC_F_WRITE },
        { TEST_DATA_ADDR + 65, 7, VIRTQ_DESC_F_WRITE },
    };
    const TestPiece table = { TEST_TABLE_ADDR, sizeof(pieces) / sizeof(pieces[0]) * 16,
                              VIRTQ_DESC_F_INDIRECT };
    TestDriver d;
    uint16_t id;

    start(&d, features | INDIRECT);
    put_table(&d, pieces, ARRAY_SIZE(pieces));
    id = test_driver_add(&d, &table, 1);
    virtqueue_kick(d.vq);
    expect_used(&d, id, 8);
    g_assert_cmphex(test_get(TEST_DATA_ADDR + 64, 8), ==, 0x4948474645444342);
}

static void test_no_interrupts(uint64_t features)
{
    TestDriver d;

    start(&d, features);
    if (d.is_packed) {
        test_put(TEST_DRIVER_ADDR + 2, 2, RING_EVENT_FLAGS_DISABLE);
    } else {
        test_put(TEST_DRIVER_ADDR, 2, VIRTQ_AVAIL_F_NO_INTERRUPT);
    }
    test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    g_assert_cmpuint(transport->queue_interrupts, ==, 0);
}

/* The driver wants to hear of the third buffer from now. */
static void test_event_index(uint64_t features)
{
    TestDriver d;

    start(&d, features | EVENT_IDX);
    test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    g_assert_cmpuint(transport->queue_interrupts, ==, 1);
    if (d.is_packed) {
        test_put(TEST_DRIVER_ADDR, 2, 6 | 1 << 15);
        test_put(TEST_DRIVER_ADDR + 2, 2, RING_EVENT_FLAGS_DESC);
    } else {
        test_put(TEST_DRIVER_ADDR + 4 + 2 * TEST_QUEUE_SIZE, 2, 3);
    }
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(transport->queue_interrupts, ==, 1);
        test_driver_add(&d, request, 2);
        virtqueue_kick(d.vq);
    }
    g_assert_cmpuint(transport->queue_interrupts, ==, 2);
    test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    g_assert_cmpuint(transport->queue_interrupts, ==, 2);
}

static void test_kicks(uint64_t features)
{
    TestDriver d;

    start(&d, features);
    virtqueue_set_kicks(d.vq, false);
    g_assert_cmphex(test_get(TEST_DEVICE_ADDR + (d.is_packed ? 2 : 0), 2), ==, 1);
    virtqueue_set_kicks(d.vq, true);
    g_assert_cmphex(test_get(TEST_DEVICE_ADDR + (d.is_packed ? 2 : 0), 2), ==, 0);
    start(&d, features | EVENT_IDX);
    test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    if (d.is_packed) {
        g_assert_cmphex(test_get(TEST_DEVICE_ADDR, 2), ==, 2 | 1 << 15);
        g_assert_cmphex(test_get(TEST_DEVICE_ADDR + 2, 2), ==, RING_EVENT_FLAGS_DESC);
    } else {
        g_assert_cmphex(test_get(TEST_DEVICE_ADDR + 4 + 8 * TEST_QUEUE_SIZE, 2), ==, 1);
    }
}

static void add_three(TestDriver *d, uint16_t ids[3])
{
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = test_driver_add(d, request, 2);
    }
    echo->is_holding = true;
    virtqueue_kick(d->vq);
    g_assert_cmpuint(echo->held->len, ==, 3);
}

static void test_any_order(uint64_t features)
{
    static const unsigned backwards[] = { 2, 1, 0 };
    uint16_t ids[3];
    TestDriver d;

    start(&d, features);
    add_three(&d, ids);
    expect_none(&d);
    test_echo_release(echo, backwards, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_used(&d, ids[backwards[i]], 8);
    }
}

static void test_in_order(uint64_t features)
{
    static const unsigned last_first[] = { 2, 0, 1 };
    uint16_t ids[3];
    TestDriver d;

    start(&d, features | IN_ORDER);
    add_three(&d, ids);
    test_echo_release(echo, last_first, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect_used(&d, ids[i], 8);
    }
    expect_none(&d);
}

static void test_unpop(uint64_t features)
{
    VirtQueueElement *elem;
    TestDriver d;
    uint16_t id;

    start(&d, features);
    id = test_driver_add(&d, request, 2);
    elem = virtqueue_pop(d.vq, sizeof(*elem));
    g_assert_cmpuint(elem->out.bytes, ==, 8);
    g_assert_true(virtqueue_is_empty(d.vq));
    virtqueue_unpop(elem);
    virtqueue_kick(d.vq);
    expect_used(&d, id, 8);
}

/* Buffers that are out when their queue goes do no harm when they come back. */
static void test_reset(uint64_t features)
{
    static const unsigned order[] = { 0, 1, 2 };
    uint16_t ids[3];
    TestDriver d;

    start(&d, features | BIT64(VIRTIO_F_RING_RESET));
    add_three(&d, ids);
    virtqueue_reset(d.vq);
    g_assert_cmpuint(echo->resets, ==, 1);
    g_assert_false(virtqueue_is_enabled(d.vq));
    address_space_fill(address_space_system(), TEST_DESC_ADDR, MEM_TX_NONE, 0xee, 0x3000);
    test_echo_release(echo, order, 3);
    g_assert_cmpuint(transport->queue_interrupts, ==, 0);
    g_assert_cmphex(test_get(TEST_DEVICE_ADDR, 8), ==, 0xeeeeeeeeeeeeeeee);
    g_assert_cmphex(test_get(TEST_DESC_ADDR, 8), ==, 0xeeeeeeeeeeeeeeee);
    start(&d, features);
    ids[0] = test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    expect_used(&d, ids[0], 8);
}

static void test_saved(uint64_t features)
{
    const VMState *state = device_type_state(vdev->parent.parent.type);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    VMWriter writer = { bytes };
    VMReader reader;
    TestDriver d;
    uint16_t id;

    start(&d, features | EVENT_IDX);
    for (unsigned i = 0; i < 21; i++) {
        id = test_driver_add(&d, request, 2);
        virtqueue_kick(d.vq);
        expect_used(&d, id, 8);
    }
    g_assert_true(vmstate_save(state, vdev, &writer, NULL));
    virtio_write_status(vdev, 0);
    reader = (VMReader){ bytes->data, bytes->len };
    g_assert_true(vmstate_load(state, vdev, &reader, NULL));
    id = test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    expect_used(&d, id, 8);
    expect_none(&d);
}

/* --- kicks that the driver need not send, with the device in a thread of its own --- */

#define RACE_BUFFERS 50000

typedef struct Race {
    TestDriver d;
    bool is_kicked, is_busy, is_over; /* atomic */
} Race;

static void *race_device(void *opaque)
{
    Race *race = opaque;
    VirtQueueElement *elems[TEST_QUEUE_SIZE];

    while (!__atomic_load_n(&race->is_over, __ATOMIC_SEQ_CST)) {
        unsigned count = 0;

        __atomic_store_n(&race->is_busy, true, __ATOMIC_SEQ_CST);
        if (__atomic_exchange_n(&race->is_kicked, false, __ATOMIC_SEQ_CST)) {
            while ((elems[count] = virtqueue_pop(race->d.vq, sizeof(VirtQueueElement)))) {
                count++;
            }
            for (unsigned i = 0; i < count; i++) {
                virtqueue_push(elems[i], 0);
            }
        }
        __atomic_store_n(&race->is_busy, false, __ATOMIC_SEQ_CST);
        if (count == 0) {
            g_thread_yield();
        }
    }
    return NULL;
}

/* Has the device been told of all, and is at rest? Then what is not used will never be. */
static bool is_at_rest(const Race *race)
{
    return !__atomic_load_n(&race->is_kicked, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n(&race->is_busy, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n(&race->is_kicked, __ATOMIC_SEQ_CST);
}

static uint16_t kick_event(const TestDriver *d)
{
    return d->is_packed ? test_get(TEST_DEVICE_ADDR, 2) & 0x7fff
                        : test_get(TEST_DEVICE_ADDR + 4 + 8 * TEST_QUEUE_SIZE, 2);
}

/* As drivers do it: the buffer is there before the device's wish is read. */
static void race_add(Race *race)
{
    uint16_t added = race->d.next;

    test_driver_add(&race->d, request, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (kick_event(&race->d) == added) {
        __atomic_store_n(&race->is_kicked, true, __ATOMIC_SEQ_CST);
    }
}

static void race_await(Race *race)
{
    uint16_t id;
    uint32_t bytes;
    bool was_at_rest = false;

    while (!test_driver_take(&race->d, &id, &bytes)) {
        g_assert_false(was_at_rest);
        was_at_rest = is_at_rest(race);
        g_thread_yield();
    }
}

static void test_kick_race(uint64_t features)
{
    Race race = { .is_kicked = false };
    unsigned out = 0;
    GThread *thread;

    start(&race.d, features | EVENT_IDX);
    thread = thread_new("device", race_device, &race, NULL);
    for (unsigned i = 0; i < RACE_BUFFERS; i++) {
        race_add(&race);
        if (++out == 2) {
            race_await(&race);
            out--;
        }
    }
    race_await(&race);
    __atomic_store_n(&race.is_over, true, __ATOMIC_SEQ_CST);
    g_thread_join(thread);
}

/* The ring's memory goes and another comes in its place. */
static void test_map_changes(uint64_t features)
{
    MemoryRegion *other = g_new0(MemoryRegion, 1);
    TestDriver d;

    start(&d, features);
    g_assert_true(memory_region_init_ram(other, NULL, "other", TEST_RAM_BYTES, NULL));
    memory_region_add_overlap(memory_region_system(), 0, other, 1);
    g_assert_true(virtqueue_is_empty(d.vq)); /* zeros */
    test_driver_add(&d, request, 2);
    virtqueue_kick(d.vq);
    g_assert_cmpuint(transport->queue_interrupts, ==, 1);
    memory_region_remove(memory_region_system(), other);
    virtio_write_status(vdev, 0);
    machine_unlock();
    rcu_barrier_all();
    machine_lock();
    memory_region_clear(other);
    g_free(other);
}

/* --- drivers that lie --- */

typedef void LieFn(TestDriver *d);

static void lie_addr(TestDriver *d)
{
    const TestPiece piece = { UINT64_C(1) << 40, 8, 0 };

    test_driver_add(d, &piece, 1);
}

static void lie_order(TestDriver *d)
{
    const TestPiece pieces[] = { request[1], request[0] };

    test_driver_add(d, pieces, 2);
}

static void lie_length(TestDriver *d)
{
    const TestPiece pieces[] = { { 0, UINT32_MAX, VIRTQ_DESC_F_WRITE },
                                 { 0, UINT32_MAX, VIRTQ_DESC_F_WRITE } };

    test_driver_add(d, pieces, 2);
}

static void lie_loop(TestDriver *d)
{
    for (unsigned i = 0; i < d->size; i++) {
        const TestPiece piece = { TEST_DATA_ADDR, 1, VIRTQ_DESC_F_NEXT };

        test_driver_add(d, &piece, 1);
        test_put(TEST_DESC_ADDR + 16 * i + (d->is_packed ? 12 : 14), 2, (i + 1) % d->size);
    }
}

static void add_table(TestDriver *d, uint64_t addr, uint32_t bytes, uint16_t flags)
{
    const TestPiece table = { addr, bytes, VIRTQ_DESC_F_INDIRECT | flags };

    test_driver_add(d, &table, 1);
}

static void lie_table_length(TestDriver *d)
{
    add_table(d, TEST_TABLE_ADDR, 17, 0);
}

static void lie_table_empty(TestDriver *d)
{
    add_table(d, TEST_TABLE_ADDR, 0, 0);
}

static void lie_table_huge(TestDriver *d)
{
    add_table(d, TEST_TABLE_ADDR, 0xfffffff0, 0);
}

static void lie_table_addr(TestDriver *d)
{
    add_table(d, UINT64_MAX - 15, 16, 0);
}

static void lie_table_next(TestDriver *d)
{
    add_table(d, TEST_TABLE_ADDR, 16, VIRTQ_DESC_F_NEXT);
}

static void lie_table_nested(TestDriver *d)
{
    const TestPiece inner = { TEST_TABLE_ADDR, 16, VIRTQ_DESC_F_INDIRECT };

    put_table(d, &inner, 1);
    add_table(d, TEST_TABLE_ADDR, 16, 0);
}

static void lie_head(TestDriver *d)
{
    test_driver_add(d, request, 2);
    test_put(TEST_DRIVER_ADDR + 4, 2, TEST_QUEUE_SIZE);
}

static void lie_index(TestDriver *d)
{
    test_put(TEST_DRIVER_ADDR + 2, 2, TEST_QUEUE_SIZE + 1);
}

static void lie_next(TestDriver *d)
{
    test_driver_add(d, request, 2);
    test_put(TEST_DESC_ADDR + 14, 2, TEST_QUEUE_SIZE);
}

static void lie_table_next_outside(TestDriver *d)
{
    const TestPiece inner = { TEST_DATA_ADDR, 1, VIRTQ_DESC_F_NEXT };

    put_table(d, &inner, 1);
    test_put(TEST_TABLE_ADDR + 14, 2, 1);
    add_table(d, TEST_TABLE_ADDR, 16, 0);
}

static void lie_table_loop(TestDriver *d)
{
    const TestPiece inner = { TEST_DATA_ADDR, 1, VIRTQ_DESC_F_NEXT };

    put_table(d, &inner, 1);
    test_put(TEST_TABLE_ADDR + 14, 2, 0);
    add_table(d, TEST_TABLE_ADDR, 16, 0);
}

static void expect_broken(TestDriver *d)
{
    uint16_t id;

    g_assert_cmphex(vdev->status, ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
    g_assert_cmpuint(transport->config_interrupts, ==, 1);
    virtqueue_kick(d->vq);
    g_assert_null(virtqueue_pop(d->vq, sizeof(VirtQueueElement)));
    virtio_write_status(vdev, 15);
    g_assert_cmphex(vdev->status, ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
    start(d, 0);
    id = test_driver_add(d, request, 2);
    virtqueue_kick(d->vq);
    expect_used(d, id, 8);
}

static void test_lies(uint64_t features)
{
    static LieFn *const lies[] = { lie_addr, lie_order, lie_length, lie_loop, lie_table_length,
                                   lie_table_empty, lie_table_huge, lie_table_addr, lie_table_next,
                                   lie_table_nested };
    static LieFn *const split_lies[] = { lie_head, lie_index, lie_next, lie_table_next_outside,
                                         lie_table_loop };
    TestDriver d;

    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        start(&d, features | INDIRECT);
        lies[i](&d);
        virtqueue_kick(d.vq);
        expect_broken(&d);
    }
    for (size_t i = 0; i < ARRAY_SIZE(split_lies) && !(features & PACKED); i++) {
        start(&d, features | INDIRECT);
        split_lies[i](&d);
        virtqueue_kick(d.vq);
        expect_broken(&d);
    }
}

static void test_table_not_negotiated(uint64_t features)
{
    TestDriver d;

    start(&d, features);
    add_table(&d, TEST_TABLE_ADDR, 16, 0);
    virtqueue_kick(d.vq);
    expect_broken(&d);
}

/* Rings that cannot be, or are nowhere. */
static void test_bad_rings(uint64_t features)
{
    static const struct {
        uint16_t size;
        uint32_t desc, driver, device;
    } rings[] = {
        { 0, TEST_DESC_ADDR, TEST_DRIVER_ADDR, TEST_DEVICE_ADDR },
        { 17, TEST_DESC_ADDR, TEST_DRIVER_ADDR, TEST_DEVICE_ADDR },
        { 32, TEST_DESC_ADDR, TEST_DRIVER_ADDR, TEST_DEVICE_ADDR },
        { 16, TEST_DESC_ADDR + 8, TEST_DRIVER_ADDR, TEST_DEVICE_ADDR },
        { 16, TEST_DESC_ADDR, TEST_DRIVER_ADDR + 1, TEST_DEVICE_ADDR },
        { 16, TEST_DESC_ADDR, TEST_DRIVER_ADDR, TEST_DEVICE_ADDR + 2 },
        { 16, 0xfffff000, 0xfffff800, 0xfffffc00 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
        VirtQueue *vq = virtio_queue(vdev, 0);

        test_driver_negotiate(vdev, features | BIT64(VIRTIO_F_VERSION_1));
        virtqueue_set_size(vq, rings[i].size);
        virtqueue_set_address(vq, VIRTQUEUE_DESC, 0, rings[i].desc);
        virtqueue_set_address(vq, VIRTQUEUE_DRIVER, 0, rings[i].driver);
        virtqueue_set_address(vq, VIRTQUEUE_DEVICE, 0, rings[i].device);
        virtqueue_enable(vq);
        virtio_write_status(vdev, 15);
        virtqueue_kick(vq);
        g_assert_cmphex(vdev->status, ==, 15 | VIRTIO_STATUS_NEEDS_RESET);
    }
    g_assert_null(virtio_queue(vdev, 1));
    g_assert_null(virtio_queue(vdev, 2));
}

/* Random bytes everywhere: it ends, and nothing outside RAM or the process is touched. */
static void test_random(uint64_t features)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 3000; round++) {
        TestDriver d;

        start(&d, features | INDIRECT | (round & 1 ? EVENT_IDX : 0));
        for (unsigned i = 0; i < 200; i++) {
            test_put(0x1000 + g_rand_int_range(random, 0, 0x4000), 1, g_rand_int(random) >> 24);
        }
        test_put(TEST_DRIVER_ADDR + 2, 2, g_rand_int_range(random, 0, TEST_QUEUE_SIZE));
        virtqueue_kick(d.vq);
        virtqueue_kick(d.vq);
    }
}

#define SCRIBBLES 100000

static gpointer scribble(gpointer opaque)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(11);
    unsigned *left = opaque;

    for (unsigned n = SCRIBBLES; n--;) {
        test_put(0x1000 + g_rand_int_range(random, 0, 0x4000), 1, g_rand_int(random) >> 24);
        __atomic_store_n(left, n, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* Another CPU writes to rings and tables while the device reads them: the device is broken at worst. */
static void test_changed_meanwhile(uint64_t features)
{
    const TestPiece table[] = { { TEST_TABLE_ADDR, 32, VIRTQ_DESC_F_INDIRECT } };
    unsigned left = SCRIBBLES;
    GThread *thread = thread_new("scribbler", scribble, &left, NULL);
    TestDriver d;

    for (unsigned round = 0; __atomic_load_n(&left, __ATOMIC_ACQUIRE); round++) {
        start(&d, features | INDIRECT | (round & 1 ? EVENT_IDX : 0) | (round & 2 ? IN_ORDER : 0));
        for (unsigned i = 0; i < TEST_QUEUE_SIZE / 2; i++) {
            test_driver_add(&d, i & 1 ? table : request, i & 1 ? 1 : 2);
            virtqueue_kick(d.vq);
        }
        g_assert_cmphex(vdev->status & ~VIRTIO_STATUS_NEEDS_RESET, ==, 15);
    }
    g_thread_join(thread);
    test_echo_once(features);
}

/* Each test for both formats. */
typedef struct Case {
    void (*fn)(uint64_t features);
    uint64_t features;
} Case;

static void run_case(const void *opaque)
{
    const Case *c = opaque;

    c->fn(c->features);
}

static void add(const char *name, void (*fn)(uint64_t features))
{
    const Case cases[] = { { fn, 0 }, { fn, PACKED } };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/virtqueue/%s/%s", cases[i].features ? "packed" : "split", name);

        g_test_add_data_func_full(path, g_memdup2(&cases[i], sizeof(Case)), (GTestDataFunc)run_case, g_free);
    }
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    virtio_test_init();
    transport = test_transport_new();
    echo = test_echo(transport);
    vdev = &echo->parent;
    g_test_add_func("/virtio/features", test_features);
    g_test_add_func("/virtio/config", test_config);
    add("echo", test_echo_once);
    add("laps", test_laps);
    add("batch", test_batch);
    add("indirect", test_indirect);
    add("no-interrupts", test_no_interrupts);
    add("event-index", test_event_index);
    add("kicks", test_kicks);
    add("kick-race", test_kick_race);
    add("any-order", test_any_order);
    add("in-order", test_in_order);
    add("unpop", test_unpop);
    add("reset", test_reset);
    add("saved", test_saved);
    add("map-changes", test_map_changes);
    add("lies", test_lies);
    add("table-not-negotiated", test_table_not_negotiated);
    add("bad-rings", test_bad_rings);
    add("random", test_random);
    add("changed-meanwhile", test_changed_meanwhile);
    status = g_test_run();
    device_delete(&transport->parent);
    machine_unlock();
    return status;
}
