/*
 * Fuzzes e1000e and e1000 from the driver's side: the first byte chooses one. A run starts with rings
 * that work; then each operation is a byte with its arguments: registers, descriptors, memory, frames
 * that come, time, configuration space. Whatever happens, the process goes on and a reset works.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"
#include "hw/pci/pci_test_machine.h"
#include "util/fuzz_input.h"

#define MEMORY_BYTES MiB
#define BAR_AT       0xe0000000u
#define TX_RING      0x1000
#define RX_RING      0x2000
#define RING_BYTES   0x200
#define DATA_AT      0x4000
#define STEP_NS      100000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static E1000Nic *nics[2];

static void put(E1000Nic *s, uint32_t at, uint32_t value)
{
    s->memory.ops->write(s, at, value, 4);
}

static void start(E1000Nic *s)
{
    device_reset(&s->parent.parent);
    pci_config_write(&s->parent, PCI_BAR0, BAR_AT, 4);
    pci_config_write(&s->parent, PCI_COMMAND, 7, 2);
    for (unsigned q = 0; q < s->model->queues; q++) {
        unsigned by = q * E1000_QUEUE_STEP;

        put(s, E1000_TDBAL + by, TX_RING + q * RING_BYTES);
        put(s, E1000_RDBAL + by, RX_RING + q * RING_BYTES);
        put(s, E1000_TDLEN + by, RING_BYTES);
        put(s, E1000_RDLEN + by, RING_BYTES);
        put(s, E1000_RDT + by, RING_BYTES / E1000_DESC_BYTES - 1);
    }
    put(s, E1000_TCTL, TCTL_EN | TCTL_PSP);
    put(s, E1000_RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM);
}

/* The next descriptor of a queue; addresses and lengths are drawn where there is memory. */
static void send(E1000Nic *s, FuzzInput *in)
{
    unsigned q = fuzz_take(in, 1) % s->model->queues, by = q * E1000_QUEUE_STEP;
    uint32_t tail = s->mac[(E1000_TDT + by) / 4] % (RING_BYTES / E1000_DESC_BYTES);
    uint64_t at = TX_RING + q * RING_BYTES + tail * E1000_DESC_BYTES;

    test_put(at, MEM_LE64, fuzz_take(in, 1) & 1 ? fuzz_take(in, 8) : DATA_AT + fuzz_take(in, 2));
    test_put(at + 8, MEM_LE32, fuzz_take(in, 2) | fuzz_take(in, 1) << 24 | fuzz_take(in, 1) << 16);
    test_put(at + 12, MEM_LE32, fuzz_take(in, 4));
    put(s, E1000_TDT + by, (tail + 1) % (RING_BYTES / E1000_DESC_BYTES));
}

static void arrive(E1000Nic *s, FuzzInput *in)
{
    static uint8_t bytes[NET_FRAME_MAX];
    struct iovec piece = { bytes, fuzz_take(in, 2) };
    NetFrame frame = NET_FRAME(&piece);

    for (size_t n = 0; n < MIN(piece.iov_len, 80) && in->left; n++) {
        bytes[n] = fuzz_take(in, 1);
    }
    if (piece.iov_len) {
        e1000_receive(&s->end.ports[0], &frame);
    }
}

enum { SEND, ARRIVE, WRITE_REGISTER, WRITE_ANY, READ_REGISTER, PUT_MEMORY, STEP, CONFIG,
       OPERATIONS };

static void operate(E1000Nic *s, FuzzInput *in)
{
    switch (fuzz_take(in, 1) % OPERATIONS) {
    case SEND:
        send(s, in);
        break;
    case ARRIVE:
        arrive(s, in);
        break;
    case WRITE_REGISTER:
        put(s, fuzz_take(in, 2) % E1000_MAC_BYTES & ~3u, fuzz_take(in, 4));
        break;
    case WRITE_ANY:
        put(s, fuzz_take(in, 3) % E1000_BAR_BYTES & ~3u, fuzz_take(in, 4));
        break;
    case READ_REGISTER:
        s->memory.ops->read(s, fuzz_take(in, 3) % E1000_BAR_BYTES & ~3u, 4);
        break;
    case PUT_MEMORY:
        test_put(fuzz_take(in, 3) % MEMORY_BYTES, MEM_8, fuzz_take(in, 1));
        break;
    case STEP:
        clock_qtest_step(fuzz_take(in, 1) * STEP_NS);
        break;
    default:
        pci_config_write(&s->parent, fuzz_take(in, 1) & ~1u, fuzz_take(in, 2), 2);
        break;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_machine_init();
    nics[0] = E1000(test_add("{'driver': 'e1000e', 'addr': '5', 'romfile': ''}", NULL));
    nics[1] = E1000(test_add("{'driver': 'e1000', 'addr': '6', 'romfile': ''}", NULL));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };
    E1000Nic *s = nics[fuzz_take(&in, 1) % ARRAY_SIZE(nics)];

    start(s);
    while (in.left) {
        operate(s, &in);
    }
    device_reset(&s->parent.parent);
    assert(!MAC(s, RCTL) && !s->is_sending && !s->is_taking);
    return 0;
}
