/*
 * Fuzzes virtio-net from both sides: rings, requests of the control queue and frames of a driver that
 * has negotiated what it likes of two pairs of queues, hashes and offloads; frames, links and bursts of
 * a back end that takes everything undone, and sends back what it gets or has it wait. Segments of TCP have
 * good checksums, so that they can be merged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/virtio/virtio_test_device.h"
#include "qapi/qapi-commands-net.h"
#include "system/run_state.h"
#include "util/fuzz_input.h"
#include "virtio_net.h"

#define PAIRS      2
#define QUEUES     (2 * PAIRS + 1)
#define QUEUE_STEP 0x1000 /* descriptors, and both rings */
#define DRIVER_AT  0x400
#define DEVICE_AT  0x800
#define DATA_AT    0x8000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static NetEnd wire;
static VirtioNet *nic;
static bool is_slow;

/* --- the other end --- */

static NetResult wire_receive(NetPort *port, const NetFrame *frame)
{
    if (is_slow) {
        return NET_WAIT;
    }
    net_send(port, frame);
    return NET_DONE;
}

static unsigned wire_offloads(NetEnd *end)
{
    return UINT32_MAX;
}

static void wire_free(NetEnd *end)
{
}

static const NetOps wire_ops = {
    .receive = wire_receive, .offloads = wire_offloads, .free = wire_free,
};

static void arrive(FuzzInput *in)
{
    static uint8_t bytes[NET_FRAME_MAX];
    NetPort *port = &wire.ports[fuzz_take(in, 1) % PAIRS];
    NetOffload offload = { fuzz_take(in, 1), fuzz_take(in, 1), fuzz_take(in, 2),
                           fuzz_take(in, 2), fuzz_take(in, 2), fuzz_take(in, 2) };
    size_t size = ETH_HEADER_BYTES + fuzz_take(in, 2), cut = fuzz_take(in, 2) % size;
    struct iovec pieces[2] = { { bytes, cut }, { bytes + cut, size - cut } };
    NetFrame frame = { pieces, 2, size, offload.flags & 1 ? &offload : NULL };
    bool has_begun = net_burst_begin(port);

    for (size_t n = 0; n < MIN(size, 100) && in->left; n++) {
        bytes[n] = fuzz_take(in, 1);
    }
    for (unsigned n = 0; n <= fuzz_take(in, 1) % 3; n++) {
        net_send(port, &frame);
    }
    net_burst_end(port, has_begun);
}

/* Of one of four connections, with a piece of what is sent over it. */
static void segment_arrives(FuzzInput *in)
{
    enum { IP_AT = ETH_HEADER_BYTES, TCP_AT = IP_AT + 20, DATA = TCP_AT + 20 };
    uint8_t bytes[DATA + 1500] = { 0 }, *ip = bytes + IP_AT, *tcp = bytes + TCP_AT;
    size_t size = fuzz_take(in, 2) % 1500;
    struct iovec piece = { bytes, DATA + size };
    NetFrame frame = NET_FRAME(&piece);
    NetPacket packet;

    store_be16(bytes + 12, ETHER_TYPE_IPV4);
    ip[0] = 0x45;
    store_be16(ip + 2, 40 + size);
    ip[9] = IP_PROTOCOL_TCP;
    store_be16(ip + 10, ~net_sum(0, ip, 20));
    tcp[0] = fuzz_take(in, 1) & 3;
    store_be32(tcp + 4, UINT32_MAX - 2000 + fuzz_take(in, 2));
    tcp[12] = 5 << 4;
    tcp[13] = 0x10 | (fuzz_take(in, 1) & 0x3f);
    memset(bytes + DATA, size, size);
    net_packet_parse(&packet, bytes, piece.iov_len);
    store_be16(tcp + 16, ~net_sum(net_packet_pseudo_sum(&packet), tcp, packet.l4_bytes));
    net_send(&wire.ports[0], &frame);
}

/* --- the driver --- */

static uint64_t ring(unsigned queue)
{
    return 0x1000 + queue * QUEUE_STEP;
}

static void start_queue(unsigned n)
{
    VirtQueue *vq = virtio_queue(&nic->parent, n);

    virtqueue_set_size(vq, TEST_QUEUE_SIZE);
    virtqueue_set_address(vq, VIRTQUEUE_DESC, 0, ring(n));
    virtqueue_set_address(vq, VIRTQUEUE_DRIVER, 0, ring(n) + DRIVER_AT);
    virtqueue_set_address(vq, VIRTQUEUE_DEVICE, 0, ring(n) + DEVICE_AT);
    virtqueue_enable(vq);
}

static void start(uint64_t refused)
{
    uint64_t offered = virtio_offered_features(&nic->parent, VIRTIO_MODERN);

    address_space_fill(address_space_system(), 0x1000, MEM_TX_NONE, 0, TEST_RAM_BYTES - 0x1000);
    test_driver_negotiate(&nic->parent, (offered & ~refused) | BIT64(VIRTIO_F_VERSION_1));
    for (unsigned n = 0; n < QUEUES; n++) {
        start_queue(n);
    }
    virtio_write_status(&nic->parent, nic->parent.status | VIRTIO_STATUS_DRIVER_OK);
}

/* Up to three pieces of data, where a split ring has its next buffer. */
static void add_buffer(FuzzInput *in, unsigned queue)
{
    uint64_t index = test_get(ring(queue) + DRIVER_AT + 2, 2);
    unsigned head = index * 3 % (TEST_QUEUE_SIZE - 2), pieces = 1 + fuzz_take(in, 1) % 3;

    for (unsigned n = 0; n < pieces; n++) {
        uint64_t desc = ring(queue) + 16 * (head + n);
        bool is_last = n + 1 == pieces;

        test_put(desc, 8, DATA_AT + fuzz_take(in, 1) * 64);
        test_put(desc + 8, 4, fuzz_take(in, 2));
        test_put(desc + 12, 2, (fuzz_take(in, 1) & VIRTQ_DESC_F_WRITE) | !is_last);
        test_put(desc + 14, 2, head + n + 1);
    }
    test_put(ring(queue) + DRIVER_AT + 4 + index % TEST_QUEUE_SIZE * 2, 2, head);
    test_put(ring(queue) + DRIVER_AT + 2, 2, index + 1);
    virtqueue_kick(virtio_queue(&nic->parent, queue));
}

/* To the control queue: class, command, some bytes, one for the answer. */
static void ask(FuzzInput *in)
{
    unsigned size = 2 + fuzz_take(in, 1);
    uint64_t index;

    for (unsigned n = 0; n < size; n++) {
        test_put(DATA_AT + n, 1, n < 40 ? fuzz_take(in, 1) : n);
    }
    for (unsigned n = 0; n < 2; n++) {
        uint64_t desc = ring(QUEUES - 1) + 16 * n;

        test_put(desc, 8, DATA_AT + n * 0x1000);
        test_put(desc + 8, 4, n ? 1 : size);
        test_put(desc + 12, 2, n ? VIRTQ_DESC_F_WRITE : VIRTQ_DESC_F_NEXT);
        test_put(desc + 14, 2, 1);
    }
    index = test_get(ring(QUEUES - 1) + DRIVER_AT + 2, 2);
    test_put(ring(QUEUES - 1) + DRIVER_AT + 4 + index % TEST_QUEUE_SIZE * 2, 2, 0);
    test_put(ring(QUEUES - 1) + DRIVER_AT + 2, 2, index + 1);
    virtqueue_kick(virtio_queue(&nic->parent, QUEUES - 1));
}

enum { ARRIVE, BUFFER, ASK, PUT_DATA, SLOW, LINK, RESET_QUEUE, SEGMENT, TURN, OPERATIONS };

static void operate(FuzzInput *in)
{
    unsigned queue = fuzz_take(in, 1) % QUEUES;

    switch (fuzz_take(in, 1) % OPERATIONS) {
    case ARRIVE:
        arrive(in);
        break;
    case BUFFER:
        add_buffer(in, queue);
        break;
    case ASK:
        ask(in);
        break;
    case PUT_DATA:
        test_put(DATA_AT + fuzz_take(in, 2) % (TEST_RAM_BYTES - DATA_AT - 8), 8, fuzz_take(in, 8));
        break;
    case SLOW:
        is_slow = !is_slow;
        net_ready(&wire.ports[0]);
        net_ready(&wire.ports[1]);
        break;
    case LINK:
        qmp_set_link("wire", queue & 1, NULL);
        break;
    case RESET_QUEUE:
        virtqueue_reset(virtio_queue(&nic->parent, queue));
        start_queue(queue);
        break;
    case SEGMENT:
        segment_arrives(in);
        break;
    default:
        event_loop_run_once(event_loop_main(), false);
        break;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    Device *dev;

    virtio_test_init();
    run_state_set(RUN_STATE_RUNNING);
    net_machine_runs(true);
    net_backend_add(&wire, &wire_ops, "fuzz", "wire", PAIRS);
    dev = device_new("virtio-net-device");
    nic = VIRTIO_NET(dev);
    nic->conf.netdev = g_strdup("wire");
    nic->wanted |= BIT64(VIRTIO_NET_F_MQ) | BIT64(VIRTIO_NET_F_RSS) |
                   BIT64(VIRTIO_NET_F_HASH_REPORT) | BIT64(VIRTIO_NET_F_RSC_EXT);
    test_transport_with(dev);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    is_slow = false;
    qmp_set_link("wire", true, NULL);
    start(fuzz_take(&in, 8));
    while (in.left) {
        operate(&in);
    }
    virtio_write_status(&nic->parent, 0);
    net_drop_waiting(&wire.ports[0]);
    net_drop_waiting(&wire.ports[1]);
    event_loop_run_once(event_loop_main(), false);
    assert(!nic->bursts && nic->used_pairs == 1);
    return 0;
}
