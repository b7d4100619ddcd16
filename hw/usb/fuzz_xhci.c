/*
 * Fuzzes an xHCI controller and what is on its bus from the guest's side. A run starts with rings,
 * and slots whose devices are addressed and configured; then each operation is a byte with its
 * arguments: TRBs put where rings are, doorbells, registers, memory, time, input, devices that come
 * and go. Whatever happens, no operation takes long, and a reset leaves nothing behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "hw/pci/pci_test_machine.h"
#include "system/address_space.h"
#include "system/clock.h"
#include "ui/input.h"
#include "util/fuzz_input.h"
#include "xhci.h"

#define BAR_AT       0xfe000000u
#define MEMORY_BYTES MiB
#define DCBAA        0x1000
#define COMMANDS     0x2000
#define ERST         0x3000
#define EVENTS       0x4000
#define EVENT_TRBS   64
#define SLOT_AT(id)  (0x10000 * (id))
#define INPUT_AT     0x0000
#define OUTPUT_AT    0x1000
#define RING_AT(dci) (0x2000 + 0x400 * (dci))
#define RING_TRBS    32
#define DATA_AT      0x9000
#define LOOPS_MOST   8

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Who is where: a port of the controller, and what endpoints it has. */
static const struct {
    unsigned port, route, speed;
    uint8_t in, out; /* context indices; 0: none */
} places[] = {
    { 1, 0, 4, 3, 4 }, /* disk */
    { 6, 0, 3, 3, 0 }, /* keyboard */
    { 7, 0, 1, 3, 0 }, /* hub */
    { 7, 1, 1, 3, 0 }, /* tablet */
};

static Device *controller;
static GPtrArray *devices; /* UsbDevice */
static struct {
    unsigned at[XHCI_ENDPOINTS];
} rings[ARRAY_SIZE(places) + 1];

/* --- a driver --- */

static void put64(uint64_t addr, uint64_t value)
{
    test_put(addr, MEM_LE32, (uint32_t)value);
    test_put(addr + 4, MEM_LE32, value >> 32);
}

static void put_trb(unsigned id, unsigned ring, uint64_t parameter, uint32_t status,
                    uint32_t control)
{
    unsigned *at = &rings[id].at[ring];
    uint64_t base = id ? SLOT_AT(id) + RING_AT(ring) : COMMANDS;

    put64(base + *at * XHCI_TRB_BYTES, parameter);
    test_put(base + *at * XHCI_TRB_BYTES + 8, MEM_LE32, status);
    test_put(base + *at * XHCI_TRB_BYTES + 12, MEM_LE32, control);
    *at = (*at + 1) % RING_TRBS;
}

static void command(unsigned type, unsigned id, uint64_t parameter)
{
    put_trb(0, 0, parameter, 0, type << 10 | id << 24 | TRB_C);
    test_put(BAR_AT + 0x2000, MEM_LE32, 0);
}

static void put_endpoint(unsigned id, unsigned dci, unsigned type, unsigned packet)
{
    uint64_t at = SLOT_AT(id) + INPUT_AT + XHCI_CONTEXT_BYTES * (dci + 1);

    test_put(at, MEM_LE32, 4 << 16);
    test_put(at + 4, MEM_LE32, type << 3 | packet << 16);
    put64(at + 8, (SLOT_AT(id) + RING_AT(dci)) | 1);
}

static void set_up_device(unsigned id)
{
    uint64_t input = SLOT_AT(id) + INPUT_AT;
    unsigned n = id - 1;

    put64(DCBAA + 8 * id, SLOT_AT(id) + OUTPUT_AT);
    command(TRB_ENABLE_SLOT, 0, 0);
    test_put(input, MEM_LE32, 0);
    test_put(input + 4, MEM_LE32, 3);
    test_put(input + 32, MEM_LE32, places[n].route | places[n].speed << 20 | 4u << 27);
    test_put(input + 36, MEM_LE32, places[n].port << 16);
    put_endpoint(id, 1, EP_TYPE_CONTROL, 64);
    command(TRB_ADDRESS_DEVICE, id, input);
    put_trb(id, 1, 0x0000000000010900, 8, TRB_SETUP << 10 | TRB_IDT | TRB_C);
    put_trb(id, 1, 0, 0, TRB_STATUS << 10 | TRB_C);
    test_put(BAR_AT + 0x2000 + 4 * id, MEM_LE32, 1);
    test_put(input + 4, MEM_LE32, 1 | BIT(places[n].in) | (places[n].out ? BIT(places[n].out) : 0));
    put_endpoint(id, places[n].in, places[n].out ? 6 : 7, 64);
    if (places[n].out) {
        put_endpoint(id, places[n].out, 2, 64);
    }
    command(TRB_CONFIGURE_ENDPOINT, id, input);
}

static void start(void)
{
    for (guint i = 0; i < devices->len; i++) {
        UsbDevice *dev = devices->pdata[i];

        if (!dev->is_attached && dev->port) {
            usb_device_attach(dev, NULL);
        }
    }
    test_put(BAR_AT + 0x40, MEM_LE32, USBCMD_HCRST);
    memset(rings, 0, sizeof(rings));
    address_space_fill(address_space_system(), 0, (MemTxAttrs){ 0 }, 0, MEMORY_BYTES / 2);
    put64(ERST, EVENTS);
    test_put(ERST + 8, MEM_LE32, EVENT_TRBS);
    test_put(BAR_AT + 0x78, MEM_LE32, XHCI_SLOTS);
    put64(BAR_AT + 0x70, DCBAA);
    put64(BAR_AT + 0x58, COMMANDS | 1);
    test_put(BAR_AT + 0x1028, MEM_LE32, 1);
    put64(BAR_AT + 0x1038, EVENTS);
    put64(BAR_AT + 0x1030, ERST);
    test_put(BAR_AT + 0x1020, MEM_LE32, IMAN_IE);
    test_put(BAR_AT + 0x40, MEM_LE32, USBCMD_RS | USBCMD_INTE | USBCMD_EWE);
    for (unsigned id = 1; id <= ARRAY_SIZE(places); id++) {
        set_up_device(id);
    }
}

/* --- operations --- */

/* Fields that matter are drawn small, so that TRBs get to their work. */
static void transfer(FuzzInput *in)
{
    unsigned id = 1 + fuzz_take(in, 1) % ARRAY_SIZE(places);
    unsigned n = fuzz_take(in, 1) % 3, type = fuzz_take(in, 1) % 10;
    unsigned dci = n == 0 ? 1 : n == 1 || !places[id - 1].out ? places[id - 1].in :
                                                                places[id - 1].out;
    uint32_t flags = fuzz_take(in, 2), length = fuzz_take(in, 1);
    bool is_literal = fuzz_take(in, 1) & 1;
    uint64_t parameter = is_literal ? fuzz_take(in, 8) : SLOT_AT(id) + DATA_AT + fuzz_take(in, 1) * 16;

    put_trb(id, dci, parameter, length << (flags >> 14) | (flags & 1 ? 1u << 22 : 0),
            type << 10 | (flags & 0x3ff) | TRB_C);
    if (!(flags & 0x400)) {
        test_put(BAR_AT + 0x2000 + 4 * id, MEM_LE32, dci | (fuzz_take(in, 1) & 3) << 16);
    }
}

static void write_register(FuzzInput *in)
{
    static const uint16_t bases[] = { 0x40, 0x440, 0x1000, 0x2000, 0x0000, 0x3000 };
    uint32_t at = bases[fuzz_take(in, 1) % ARRAY_SIZE(bases)] + (fuzz_take(in, 1) & 0xfc);
    unsigned bytes = fuzz_take(in, 1) % 4;

    test_put(BAR_AT + at, bytes == 3 ? MEM_LE64 : MEM_LE32, fuzz_take(in, bytes == 3 ? 8 : 1 + bytes));
}

static void use_input(FuzzInput *in)
{
    switch (fuzz_take(in, 1) % 4) {
    case 0:
        input_send_key(fuzz_take(in, 1) % Q_KEY_CODE_COUNT, fuzz_take(in, 1) & 1);
        break;
    case 1:
        input_send_abs(fuzz_take(in, 1) & 1 ? INPUT_AXIS_X : INPUT_AXIS_Y, fuzz_take(in, 2) % 640, 640);
        break;
    case 2:
        input_send_button(fuzz_take(in, 1) % INPUT_BUTTON_COUNT, fuzz_take(in, 1) & 1);
        break;
    default:
        input_sync();
        break;
    }
}

static void plug(FuzzInput *in)
{
    UsbDevice *dev = devices->pdata[fuzz_take(in, 1) % devices->len];

    if (dev->is_attached) {
        usb_device_detach(dev);
    } else {
        usb_device_attach(dev, NULL);
    }
}

static void run_loop(void)
{
    for (int n = 0; n < LOOPS_MOST && event_loop_run_once(event_loop_main(), false); n++) {
    }
}

enum { TRANSFER, COMMAND, WRITE_REGISTER, READ_REGISTER, PUT_WORD, STEP, USE_INPUT, PLUG, LOOP,
       ACKNOWLEDGE, OPERATIONS };

static void operate(FuzzInput *in)
{
    switch (fuzz_take(in, 1) % OPERATIONS) {
    case TRANSFER:
        transfer(in);
        break;
    case COMMAND:
        put_trb(0, 0, SLOT_AT(1 + fuzz_take(in, 1) % 5) + (fuzz_take(in, 1) & 0xf), fuzz_take(in, 2) << 16,
                (fuzz_take(in, 1) % 26) << 10 | (uint32_t)(fuzz_take(in, 1) % 6) << 24 |
                    (fuzz_take(in, 1) & 0x1f) << 16 | (fuzz_take(in, 1) & 2) << 8 | TRB_C);
        test_put(BAR_AT + 0x2000, MEM_LE32, 0);
        break;
    case WRITE_REGISTER:
        write_register(in);
        break;
    case READ_REGISTER:
        test_get(BAR_AT + (fuzz_take(in, 2) & 0x3fff), MEM_LE32);
        break;
    case PUT_WORD:
        test_put(fuzz_take(in, 3) % (MEMORY_BYTES / 2) & ~3u, MEM_LE32, fuzz_take(in, 4));
        break;
    case STEP:
        clock_qtest_step((int64_t)fuzz_take(in, 2) * 10000);
        break;
    case USE_INPUT:
        use_input(in);
        break;
    case PLUG:
        plug(in);
        break;
    case LOOP:
        run_loop();
        break;
    default:
        test_put(BAR_AT + 0x1038, MEM_LE32, EVENTS + fuzz_take(in, 1) % EVENT_TRBS * 16 + ERDP_EHB);
        test_put(BAR_AT + 0x103c, MEM_LE32, 0);
        break;
    }
}

/* --- the machine --- */

static void add(const char *options)
{
    Error *err = NULL;
    Device *dev = test_add(options, &err);

    if (!dev) {
        error_report_err(err);
        abort();
    }
    if (object_is_a(dev, TYPE_USB_DEVICE)) {
        g_ptr_array_add(devices, dev);
    } else {
        controller = dev;
    }
}

/* A host's disk that answers later. */
static void add_drive(void)
{
    static const char text[] = "{\"driver\": \"null-aio\", \"size\": \"8M\", \"read-zeroes\": \"on\", "
                               "\"if\": \"none\", \"id\": \"disk\"}";
    g_autoptr(JsonObject) keys = NULL;

    if (!json_parse(text, strlen(text), &keys, NULL) ||
        !block_drive_add(keys, BLOCK_IF_NONE, NULL)) {
        abort();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    test_machine_init();
    devices = g_ptr_array_new();
    add("{\"driver\": \"qemu-xhci\", \"addr\": \"5\"}");
    pci_config_write(PCI_DEVICE(controller), PCI_BAR0, BAR_AT, 4);
    pci_config_write(PCI_DEVICE(controller), PCI_COMMAND, 6, 2);
    add_drive();
    add("{\"driver\": \"usb-storage\", \"port\": \"1\", \"drive\": \"disk\"}");
    add("{\"driver\": \"usb-kbd\", \"port\": \"2\"}");
    add("{\"driver\": \"usb-hub\", \"port\": \"3\"}");
    add("{\"driver\": \"usb-tablet\", \"port\": \"3.1\"}");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput in = { data, size };

    start();
    while (in.left) {
        operate(&in);
    }
    test_put(BAR_AT + 0x40, MEM_LE32, USBCMD_HCRST);
    assert(test_get(BAR_AT + 0x44, MEM_LE32) == USBSTS_HCH);
    run_loop();
    return 0;
}
