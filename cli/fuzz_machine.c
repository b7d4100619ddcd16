/*
 * Fuzzes whole machines: a board with any devices, given as a command line in TANDEM_FUZZ_ARGS
 * ("-M q35 -device edu ..."; without it, a PC), is driven by port, memory and configuration
 * cycles, interrupt lines, keys, time and resets. No CPU runs.
 *
 * Each input is a program that starts on a machine just reset, with zeros in memory, whose PCI
 * functions have addresses and may do all. It finds regions as they are by then, and writes to the
 * first pages of RAM, at which pointers that it makes up tend to point. What it finds is found again
 * by the same file and the same TANDEM_FUZZ_ARGS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/startup.h"
#include "hw/core/machine.h"
#include "hw/core/reset.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_device.h"
#include "system/address_space.h"
#include "system/dma.h"
#include "system/machine_lock.h"
#include "system/memory_listener.h"
#include "system/ram_block.h"
#include "system/run_state.h"
#include "ui/input.h"
#include "util/byte_order.h"
#include "util/event_loop.h"
#include "util/rcu.h"

#define ARGUMENTS_DEFAULT "-M pc"
#define ARGUMENTS_ALWAYS                                                                           \
    " -accel qtest -display none -nodefaults -m 16 -action panic=none,shutdown=pause,watchdog=none"
#define MEMORY_BASE       0xc0000000u
#define PORT_BASE         0xc000u
#define RAM_WINDOW        (64 * KiB) /* that programs write to */
#define RAM_BASE          (1 * MiB)
#define TURNS_MAX         4   /* of the main loop, for one operation */
#define BUSES_MAX         32

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Window {
    GuestAddr first;
    uint64_t bytes;
} Window;

/* This process' one. */
static struct {
    OptionSet *options; /* the process's, to its end, as the words they are made of */
    char **words;
    MemoryListener memory_listener, port_listener;
    GArray *memory, *ports;   /* of Window: what is no RAM */
    GPtrArray *devices;       /* Device with inputs, a reference each: programs eject some */
    GPtrArray *functions;     /* PciDevice, likewise */
    uint64_t next_memory, next_port;
    unsigned next_bus;
} machine;

/* --- a program --- */

typedef struct Program {
    const uint8_t *at, *end;
} Program;

/* Little-endian; zeros behind the end. */
static uint64_t take(Program *p, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && p->at < p->end; i++) {
        value |= (uint64_t)*p->at++ << 8 * i;
    }
    return value;
}

/* Low addresses have the registers: a third of all is within 16 bytes. */
static uint64_t take_offset(Program *p, uint64_t limit)
{
    uint8_t shape = take(p, 1);
    uint64_t offset = shape % 3 == 0 ? shape / 3 % 16 : take(p, shape % 3 == 1 ? 1 : 3);

    return limit ? offset % limit : 0;
}

static MemFormat take_format(Program *p)
{
    static const MemFormat formats[] = { MEM_8, MEM_LE16, MEM_LE32, MEM_LE64 };

    return formats[take(p, 1) % ARRAY_SIZE(formats)];
}

/* Something of the size, or a pointer into the RAM that is written to. */
static uint64_t take_value(Program *p)
{
    uint8_t shape = take(p, 1);

    switch (shape % 4) {
    case 0:  return shape / 4;
    case 1:  return RAM_BASE + (take(p, 2) & ~0xfu);
    case 2:  return take(p, 4);
    default: return take(p, 8);
    }
}

/* --- where things are --- */

static GArray *windows_of(MemoryListener *listener)
{
    return listener == &machine.port_listener ? machine.ports : machine.memory;
}

static void window_came(MemoryListener *listener, const MemorySection *section)
{
    Window window = { section->first, section->last - section->first + 1 };

    if (section->region->kind == MEMORY_IO || section->region->kind == MEMORY_ROM_DEVICE ||
        section->region->kind == MEMORY_ONES) {
        g_array_append_val(windows_of(listener), window);
    }
}

static void window_went(MemoryListener *listener, const MemorySection *section)
{
    GArray *windows = windows_of(listener);

    for (guint i = 0; i < windows->len; i++) {
        if (g_array_index(windows, Window, i).first == section->first) {
            g_array_remove_index(windows, i);
            return;
        }
    }
}

static const MemoryListenerOps listener_ops = {
    .name = "fuzz", .region_add = window_came, .region_del = window_went,
};

static void find_things(void *opaque, Object *obj)
{
    if (object_is_a(obj, TYPE_DEVICE)) {
        if (DEVICE(obj)->input_sets) {
            g_ptr_array_add(machine.devices, object_ref(obj));
        }
    }
    if (object_is_a(obj, TYPE_PCI_DEVICE)) {
        g_ptr_array_add(machine.functions, object_ref(obj));
    }
    object_each_child(obj, find_things, NULL);
}

static void find_all(void)
{
    g_ptr_array_set_size(machine.devices, 0);
    g_ptr_array_set_size(machine.functions, 0);
    find_things(NULL, (Object *)machine_current());
}

/* --- a firmware's work --- */

static uint64_t place(uint64_t *next, uint64_t bytes)
{
    uint64_t at = ROUND_UP(*next, bytes);

    *next = at + bytes;
    return at;
}

static void place_bar(PciDevice *dev, unsigned n)
{
    PciBar *bar = &dev->bars[n];
    bool is_io = bar->type & PCI_BAR_IO;
    uint64_t at;

    if (!bar->region || n == PCI_BAR_ROM || bar->size > 256 * MiB) {
        return;
    }
    at = place(is_io ? &machine.next_port : &machine.next_memory, bar->size);
    pci_config_write(dev, PCI_BAR0 + 4 * n, at, 4);
    if (bar->type & PCI_BAR_64 && !is_io) {
        pci_config_write(dev, PCI_BAR0 + 4 * n + 4, 0, 4);
    }
}

/* A bridge passes on the buses and addresses that are below it; there are no more than fit. */
static void open_bridge(PciDevice *dev)
{
    unsigned number = machine.next_bus++;

    pci_config_write(dev, PCI_PRIMARY_BUS, pci_bus_number(pci_device_bus(dev)), 1);
    pci_config_write(dev, PCI_SECONDARY_BUS, number % BUSES_MAX, 1);
    pci_config_write(dev, PCI_SUBORDINATE_BUS, BUSES_MAX - 1, 1);
    pci_config_write(dev, PCI_MEMORY_BASE, MEMORY_BASE >> 16, 2);
    pci_config_write(dev, PCI_MEMORY_LIMIT, 0xfeb0, 2);
    pci_config_write(dev, PCI_IO_BASE, PORT_BASE >> 8, 1);
    pci_config_write(dev, PCI_IO_LIMIT, 0xf0, 1);
}

static void set_up_functions(void)
{
    find_all();
    machine.next_memory = MEMORY_BASE;
    machine.next_port = PORT_BASE;
    machine.next_bus = 1;
    memory_transaction_begin();
    for (guint i = 0; i < machine.functions->len; i++) {
        PciDevice *dev = machine.functions->pdata[i];

        for (unsigned n = 0; n < PCI_BAR_COUNT; n++) {
            place_bar(dev, n);
        }
        if (pci_device_ops(dev)->is_bridge) {
            open_bridge(dev);
        }
        pci_config_write(dev, PCI_COMMAND,
                         PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    }
    memory_transaction_commit();
}

/* --- operations --- */

static bool take_window(Program *p, GArray *windows, Window *window)
{
    unsigned n = take(p, 1);

    if (!windows->len) {
        return false;
    }
    *window = g_array_index(windows, Window, n % windows->len);
    return true;
}

static void access_space(Program *p, AddressSpace *as, GArray *windows, bool is_write)
{
    Window window;
    uint64_t at, value;
    MemFormat format;

    if (!take_window(p, windows, &window)) {
        return;
    }
    at = window.first + take_offset(p, window.bytes);
    format = take_format(p);
    if (is_write) {
        address_space_store(as, at, format, MEM_TX_NONE, take_value(p));
    } else {
        address_space_load(as, at, format, MEM_TX_NONE, &value);
    }
}

static void port_read(Program *p)
{
    access_space(p, address_space_io(), machine.ports, false);
}

static void port_write(Program *p)
{
    access_space(p, address_space_io(), machine.ports, true);
}

static void memory_read(Program *p)
{
    access_space(p, address_space_system(), machine.memory, false);
}

static void memory_write(Program *p)
{
    access_space(p, address_space_system(), machine.memory, true);
}

/* One of the functions, at its own place in configuration space; ports reach it unaligned, too. */
static void config_access(Program *p)
{
    unsigned n = take(p, 1), bytes = 1 << take(p, 1) % 3;
    PciDevice *dev;
    unsigned at;

    if (!machine.functions->len) {
        return;
    }
    dev = machine.functions->pdata[n % machine.functions->len];
    if (!DEVICE(dev)->is_realized) {
        return;
    }
    at = take_offset(p, dev->config_size);
    pci_config_read(dev, at, bytes);
    pci_config_write(dev, at, take_value(p), bytes);
}

static void fill_ram(Program *p)
{
    uint64_t at = RAM_BASE + (take(p, 2) & (RAM_WINDOW - 1) & ~0xfu);
    uint8_t bytes[64];
    unsigned count = 1 + take(p, 1) % sizeof(bytes);

    for (unsigned i = 0; i < count; i++) {
        bytes[i] = take(p, 1);
    }
    dma_write(address_space_system(), at, MEM_TX_NONE, bytes, count);
}

static void change_line(Program *p)
{
    unsigned set = take(p, 2), n = take(p, 1);
    unsigned all = machine.devices->len;
    IrqInputs *inputs;
    Device *dev;

    if (!all) {
        return;
    }
    dev = machine.devices->pdata[set % all];
    inputs = &dev->inputs[set / all % dev->input_sets];
    if (dev->is_realized && inputs->count) {
        irq_input_set(irq_inputs_at(inputs, n % inputs->count), take(p, 1) & 1);
    }
}

/* Up to 2^24 ns in one step: no timer is so fast that this takes long. */
static void pass_time(Program *p)
{
    clock_qtest_step((int64_t)take(p, 1) << take(p, 1) % 17);
}

/* Seconds, by the deadlines there are. */
static void pass_deadline(Program *p)
{
    clock_qtest_step_to_next();
}

static void turn_loop(Program *p)
{
    for (unsigned i = 0; i < TURNS_MAX && event_loop_run_once(event_loop_main(), false); i++) {
    }
}

static void use_input(Program *p)
{
    uint8_t what = take(p, 1);

    if (what & 1) {
        input_send_key(take(p, 1) % Q_KEY_CODE_COUNT, what & 2);
        return;
    }
    input_send_button(take(p, 1) % INPUT_BUTTON_COUNT, what & 2);
    input_send_rel(INPUT_AXIS_X, (int8_t)take(p, 1));
    input_send_abs(INPUT_AXIS_Y, take(p, 2), 0x7fff);
    input_sync();
}

/* What devices asked of the process; none of it ends this one. */
static void serve_requests(void)
{
    int status;

    vm_serve_requests(&status);
    if (!vm_is_running()) {
        if (run_state_current() == RUN_STATE_SUSPENDED) {
            vm_request_wakeup(WAKEUP_OTHER, NULL);
            vm_serve_requests(&status);
        }
        if (run_state_needs_reset()) {
            vm_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
        }
        vm_start();
    }
}

static void reset(Program *p)
{
    if (take(p, 1) == 0x5a) { /* seldom: much is lost by it */
        vm_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
        set_up_functions();
    }
}

static void (*const operations[])(Program *p) = {
    port_read, port_write, memory_read, memory_write, port_write, memory_write, config_access,
    fill_ram, fill_ram, change_line, pass_time, pass_deadline, turn_loop, use_input, reset,
};

/* --- the machine --- */

static bool clear_block(void *opaque, RamBlock *block)
{
    MemoryRegion *ram = machine_current()->ram;

    if (ram && memory_region_is_ram(ram) && ram_block_host(block) == memory_region_host(ram)) {
        memset(ram_block_host(block), 0, ram->size);
    }
    return true;
}

/* Views of memory that went are freed under the lock, which nothing else here lets go. */
static void free_what_went(void)
{
    machine_unlock();
    rcu_barrier_all();
    machine_lock();
}

static void begin(void)
{
    free_what_went();
    serve_requests();
    ram_block_each(clear_block, NULL);
    vm_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    serve_requests();
    set_up_functions();
}

static void start_machine(int argc, char **argv)
{
    Error *err = NULL;

    machine.options = option_set_new();
    option_register_groups();
    if (!option_set_parse(machine.options, argc, argv, &err)) {
        error_report_err(err);
        exit(1);
    }
    machine_lock_init_main();
    if (!startup_prepare(machine.options) || !startup_machine(machine.options)) {
        exit(1);
    }
}

static void drop_line(void *opaque, const char *line)
{
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *wanted = g_getenv("TANDEM_FUZZ_ARGS");
    g_autofree char *line = g_strconcat("fuzz ", wanted ? wanted : ARGUMENTS_DEFAULT,
                                        ARGUMENTS_ALWAYS, NULL);
    int count;

    if (!g_shell_parse_argv(line, &count, &machine.words, NULL)) {
        error_report("TANDEM_FUZZ_ARGS: '%s' is no command line", wanted);
        exit(1);
    }
    start_machine(count, machine.words);
    machine.memory = g_array_new(false, false, sizeof(Window));
    machine.ports = g_array_new(false, false, sizeof(Window));
    machine.devices = g_ptr_array_new_with_free_func(object_unref);
    machine.functions = g_ptr_array_new_with_free_func(object_unref);
    memory_listener_register(&machine.memory_listener, &listener_ops, address_space_system());
    memory_listener_register(&machine.port_listener, &listener_ops, address_space_io());
    error_redirect(drop_line, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Program program = { data, data + size };

    begin();
    while (program.at < program.end) {
        operations[take(&program, 1) % ARRAY_SIZE(operations)](&program);
        serve_requests();
    }
    return 0;
}
