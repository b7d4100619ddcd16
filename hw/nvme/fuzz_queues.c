/*
 * Fuzzes an NVMe controller from its driver's side: admin and I/O commands with data anywhere,
 * lists of pages, doorbells, registers. Each operation is a byte with its arguments. There are two
 * namespaces, one whose drive answers at once and one whose drive does so later.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "nvme.h"

#include "hw/pci/pci_test_machine.h"
#include "util/fuzz_input.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOT      PCI_DEVFN(4, 0)
#define REGISTERS 0xe0000000u
#define DOORBELLS (REGISTERS + 0x1000)
#define RAM_PAGES 256
#define ENTRIES   16
enum { ADMIN_SQ = 0x10000, ADMIN_CQ = 0x11000, IO_SQ = 0x12000, IO_CQ = 0x13000, DATA = 0x20000 };
enum { CC = 0x14, AQA = 0x24, ASQ = 0x28, ACQ = 0x30 };
#define CC_ENABLED (4 << 20 | 6 << 16 | 1)

static uint16_t tails[2]; /* of the admin queue, of the one for I/O */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_machine_init();
    test_add_node("{'driver':'null-co','node-name':'now','size':1048576,'read-zeroes':true}");
    test_add_node("{'driver':'null-aio','node-name':'later','size':1048576,'read-zeroes':true}");
    g_assert_nonnull(test_add("{'driver':'nvme','id':'n','serial':'a','drive':'now','addr':'4'}",
                              NULL));
    g_assert_nonnull(test_add("{'driver':'nvme-ns','drive':'later','bus':'n'}", NULL));
    test_config_put(SLOT, PCI_BAR0, MEM_LE32, REGISTERS);
    test_config_put(SLOT, PCI_BAR0 + 4, MEM_LE32, 0);
    test_config_put(SLOT, PCI_COMMAND, MEM_LE16, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return 0;
}

/* A page, mostly at its beginning. */
static uint64_t place(FuzzInput *in)
{
    uint64_t page = fuzz_take(in, 1) % RAM_PAGES, within = fuzz_take(in, 1);

    return page << 12 | (within & 0x80 ? within << 5 & 0xff8 : within == 1);
}

static void ring(unsigned queue)
{
    tails[queue] = (tails[queue] + 1) % ENTRIES;
    test_put(DOORBELLS + 8 * queue, MEM_LE32, tails[queue]);
}

static void submit(FuzzInput *in, unsigned queue)
{
    uint64_t entry = (queue ? IO_SQ : ADMIN_SQ) + 64 * tails[queue];

    test_put(entry, MEM_LE32, fuzz_take(in, 1) | fuzz_take(in, 1) << 8 | fuzz_take(in, 1) << 16);
    test_put(entry + 4, MEM_LE32, (int8_t)fuzz_take(in, 1));
    test_put(entry + 24, MEM_LE64, place(in));
    test_put(entry + 32, MEM_LE64, place(in));
    for (unsigned word = 10; word < 16; word++) {
        unsigned bytes = fuzz_take(in, 1) % 5;

        test_put(entry + 4 * word, MEM_LE32, fuzz_take(in, bytes));
    }
    ring(queue);
}

static void create_queue(unsigned op, uint64_t at, uint32_t flags)
{
    uint64_t entry = ADMIN_SQ + 64 * tails[0];

    for (unsigned word = 0; word < 16; word++) {
        test_put(entry + 4 * word, MEM_LE32, 0);
    }
    test_put(entry, MEM_LE32, op);
    test_put(entry + 24, MEM_LE64, at);
    test_put(entry + 40, MEM_LE32, (ENTRIES - 1) << 16 | 1);
    test_put(entry + 44, MEM_LE32, flags);
    ring(0);
}

static void start(void)
{
    tails[0] = tails[1] = 0;
    test_put(REGISTERS + AQA, MEM_LE32, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    test_put(REGISTERS + ASQ, MEM_LE64, ADMIN_SQ);
    test_put(REGISTERS + ACQ, MEM_LE64, ADMIN_CQ);
    test_put(REGISTERS + CC, MEM_LE32, CC_ENABLED);
    create_queue(5, IO_CQ, 1);
    create_queue(1, IO_SQ, 1 | 1 << 16);
}

enum { ADMIN, IO, TAKE, PUT, DOORBELL, REGISTER, TURN, OPERATIONS };

static void operate(FuzzInput *in)
{
    switch (fuzz_take(in, 1) % OPERATIONS) {
    case ADMIN:
        submit(in, 0);
        break;
    case IO:
        submit(in, 1);
        break;
    case TAKE: /* completions up to here were seen */
        test_put(DOORBELLS + 4 + 8 * (fuzz_take(in, 1) & 1), MEM_LE32, fuzz_take(in, 1) % ENTRIES);
        break;
    case PUT:
        test_put(DATA + fuzz_take(in, 2) * 8, MEM_LE64, place(in));
        break;
    case DOORBELL:
        test_put(DOORBELLS + fuzz_take(in, 1) % 128 * 4, MEM_LE32, fuzz_take(in, 2));
        break;
    case REGISTER:
        test_put(REGISTERS + fuzz_take(in, 1), MEM_LE32, fuzz_take(in, 4));
        break;
    default:
        event_loop_run_once(event_loop_main(), false);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    start();
    while (in.left) {
        operate(&in);
    }
    test_put(REGISTERS + CC, MEM_LE32, 0);
    event_loop_run_once(event_loop_main(), false);
    return 0;
}
