/*
 * i8042: the PC's keyboard controller with its second (aux) port, as IBM's Personal System/2
 * Technical Reference and the 8042 data sheets of PC chip sets have it: ports 0x60 and 0x64, the
 * command byte, scan code translation, the output port with A20 and the reset of the machine.
 *
 * Left out: the password (it says that there is none), timeouts and parity errors, diagnostic dumps.
 * "kbd-throttle" leaves a keyboard a millisecond between bytes, for guests that lose them. Without
 * "extended-state" a byte that waits in the output buffer is not saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/input/i8042.h"
#include "hw/input/i8042_translate.h"
#include "hw/input/ps2.h"
#include "hw/isa/isa.h"
#include "system/run_state.h"
#include "util/log.h"

#define I8042_DATA    0x60
#define I8042_COMMAND 0x64

#define STATUS_OBF     BIT(0)
#define STATUS_SYS     BIT(2)
#define STATUS_COMMAND BIT(3)
#define STATUS_UNLOCKED BIT(4)
#define STATUS_AUX_OBF BIT(5)

/* The command byte: byte 0 of the controller's RAM. */
#define MODE_KBD_INT     BIT(0)
#define MODE_AUX_INT     BIT(1)
#define MODE_SYS         BIT(2)
#define MODE_KBD_DISABLE BIT(4)
#define MODE_AUX_DISABLE BIT(5)
#define MODE_TRANSLATE   BIT(6)

#define OUT_RUNS    BIT(0) /* low resets the machine */
#define OUT_A20     BIT(1)
#define OUT_KBD_OBF BIT(4)
#define OUT_AUX_OBF BIT(5)

#define INPUT_PORT  0x80 /* the keyboard is not locked */
#define THROTTLE_US 1000
#define RAM_BYTES   32

enum {
    CMD_READ_RAM = 0x20, CMD_WRITE_RAM = 0x60, CMD_TEST_PASSWORD = 0xa4, CMD_DISABLE_AUX = 0xa7,
    CMD_ENABLE_AUX = 0xa8, CMD_TEST_AUX = 0xa9, CMD_SELF_TEST = 0xaa, CMD_TEST_KBD = 0xab,
    CMD_DISABLE_KBD = 0xad, CMD_ENABLE_KBD = 0xae, CMD_READ_INPUT = 0xc0, CMD_READ_OUTPUT = 0xd0,
    CMD_WRITE_OUTPUT = 0xd1, CMD_WRITE_KBD_OBF = 0xd2, CMD_WRITE_AUX_OBF = 0xd3,
    CMD_WRITE_AUX = 0xd4, CMD_DISABLE_A20 = 0xdd, CMD_ENABLE_A20 = 0xdf, CMD_READ_TEST = 0xe0,
    CMD_PULSE_OUTPUT = 0xf0,
};

typedef struct Kbc {
    IsaDevice parent;
    MemoryRegion data, command;
    IrqLine irq[2]; /* keyboard, mouse */
    IrqLine a20;
    Timer throttle;
    Ps2Device *kbd, *mouse; /* children, while it is realized */
    uint8_t kbd_irq, mouse_irq;
    bool has_extended_state, is_throttled;
    uint8_t ram[RAM_BYTES];
    uint8_t argument_of; /* the command that waits for a byte; 0: none */
    bool is_command_last;
    uint8_t outport;
    /* The output buffer, and an answer that waits for it. */
    bool is_full, is_aux, has_answer, is_answer_aux;
    uint8_t buffer, answer;
    bool is_break; /* the translation saw 0xf0 */
    bool is_fetching;
} Kbc;
DECLARE_CAST(Kbc, KBC)

/* --- the output buffer --- */

static uint8_t mode_of(const Kbc *s)
{
    return s->ram[0];
}

static void update_lines(Kbc *s)
{
    irq_set(&s->irq[0], s->is_full && !s->is_aux && mode_of(s) & MODE_KBD_INT);
    irq_set(&s->irq[1], s->is_full && s->is_aux && mode_of(s) & MODE_AUX_INT);
}

static void fill(Kbc *s, uint8_t byte, bool is_aux)
{
    s->buffer = byte;
    s->is_aux = is_aux;
    s->is_full = true;
    update_lines(s);
}

/* False: it was only half of something. */
static bool translate(Kbc *s, uint8_t *byte)
{
    if (!(mode_of(s) & MODE_TRANSLATE)) {
        return true;
    }
    if (*byte == 0xf0) {
        s->is_break = true;
        return false;
    }
    *byte = i8042_translate(*byte) | (s->is_break ? 0x80 : 0);
    s->is_break = false;
    return true;
}

static bool fetch_from_keyboard(Kbc *s)
{
    while (ps2_has_data(s->kbd) && !(mode_of(s) & MODE_KBD_DISABLE) &&
           !timer_is_armed(&s->throttle)) {
        uint8_t byte = ps2_read(s->kbd);

        if (translate(s, &byte)) {
            fill(s, byte, false);
            return true;
        }
    }
    return false;
}

/* If the buffer is free: the next byte, of whoever has one and may send. */
static void fetch(Kbc *s)
{
    if (s->is_full || s->is_fetching) {
        return;
    }
    s->is_fetching = true;
    if (s->has_answer) {
        s->has_answer = false;
        fill(s, s->answer, s->is_answer_aux);
    } else if (!fetch_from_keyboard(s) && ps2_has_data(s->mouse) &&
               !(mode_of(s) & MODE_AUX_DISABLE)) {
        fill(s, ps2_read(s->mouse), true);
    }
    s->is_fetching = false;
}

/* Of the controller itself, or what a command wants to be seen. */
static void answer(Kbc *s, uint8_t byte, bool is_aux)
{
    s->answer = byte;
    s->is_answer_aux = is_aux;
    s->has_answer = true;
    fetch(s);
}

static void device_line_changed(void *opaque, unsigned n, int level)
{
    if (level) {
        fetch(opaque);
    }
}

static void throttle_expired(Device *dev)
{
    fetch(KBC(dev));
}

/* --- the ports --- */

static void set_mode(Kbc *s, uint8_t clear, uint8_t set)
{
    s->ram[0] = (s->ram[0] & ~clear) | set;
    update_lines(s);
    fetch(s);
}

static void set_outport(Kbc *s, uint8_t value)
{
    s->outport = value & (OUT_RUNS | OUT_A20);
    irq_set(&s->a20, (value & OUT_A20) != 0);
    if (!(value & OUT_RUNS)) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static uint8_t read_outport(const Kbc *s)
{
    return s->outport | (s->is_full && !s->is_aux ? OUT_KBD_OBF : 0) |
           (s->is_full && s->is_aux ? OUT_AUX_OBF : 0);
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned bytes)
{
    Kbc *s = opaque;
    uint8_t value = s->buffer;

    if (s->is_full) {
        s->is_full = false;
        if (s->is_throttled && !s->is_aux) {
            timer_arm_after_us(&s->throttle, THROTTLE_US);
        }
        update_lines(s);
        fetch(s);
    }
    return value;
}

static uint64_t status_read(void *opaque, uint64_t offset, unsigned bytes)
{
    const Kbc *s = opaque;

    return (s->is_full ? STATUS_OBF : 0) | (s->is_full && s->is_aux ? STATUS_AUX_OBF : 0) |
           (mode_of(s) & MODE_SYS ? STATUS_SYS : 0) | (s->is_command_last ? STATUS_COMMAND : 0) |
           STATUS_UNLOCKED;
}

static bool run_ram_command(Kbc *s, uint8_t command)
{
    if ((command & 0xe0) == CMD_READ_RAM) {
        answer(s, s->ram[command & 0x1f], false);
    } else if ((command & 0xe0) == CMD_WRITE_RAM) {
        s->argument_of = command;
    } else {
        return false;
    }
    return true;
}

/* Commands that answer one value. */
static bool run_query(Kbc *s, uint8_t command)
{
    const struct {
        uint8_t command, value;
    } queries[] = {
        { CMD_TEST_PASSWORD, 0xf1 }, { CMD_TEST_AUX, 0 }, { CMD_SELF_TEST, 0x55 },
        { CMD_TEST_KBD, 0 }, { CMD_READ_INPUT, INPUT_PORT }, { CMD_READ_OUTPUT, read_outport(s) },
        { CMD_READ_TEST, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        if (queries[i].command == command) {
            answer(s, queries[i].value, false);
            return true;
        }
    }
    return false;
}

static void run_command(Kbc *s, uint8_t command)
{
    switch (command) {
    case CMD_DISABLE_AUX:
        set_mode(s, 0, MODE_AUX_DISABLE);
        break;
    case CMD_ENABLE_AUX:
        set_mode(s, MODE_AUX_DISABLE, 0);
        break;
    case CMD_DISABLE_KBD:
        set_mode(s, 0, MODE_KBD_DISABLE);
        break;
    case CMD_ENABLE_KBD:
        set_mode(s, MODE_KBD_DISABLE, 0);
        break;
    case CMD_WRITE_OUTPUT: case CMD_WRITE_KBD_OBF: case CMD_WRITE_AUX_OBF: case CMD_WRITE_AUX:
        s->argument_of = command;
        break;
    case CMD_DISABLE_A20:
        set_outport(s, s->outport & ~OUT_A20);
        break;
    case CMD_ENABLE_A20:
        set_outport(s, s->outport | OUT_A20);
        break;
    case CMD_PULSE_OUTPUT ... 0xff:
        if (!(command & OUT_RUNS)) {
            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    default:
        guest_error("i8042: unknown command 0x%02x", command);
    }
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Kbc *s = opaque;

    s->is_command_last = true;
    s->argument_of = 0;
    if (!run_ram_command(s, value) && !run_query(s, value)) {
        run_command(s, value);
    }
}

static void take_argument(Kbc *s, uint8_t command, uint8_t value)
{
    switch (command) {
    case CMD_WRITE_OUTPUT:
        set_outport(s, value);
        break;
    case CMD_WRITE_KBD_OBF: case CMD_WRITE_AUX_OBF:
        answer(s, value, command == CMD_WRITE_AUX_OBF);
        break;
    case CMD_WRITE_AUX:
        ps2_write(s->mouse, value);
        set_mode(s, MODE_AUX_DISABLE, 0);
        break;
    case CMD_WRITE_RAM:
        set_mode(s, 0xff, value);
        break;
    default:
        s->ram[command & 0x1f] = value;
    }
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    Kbc *s = opaque;
    uint8_t command = s->argument_of;

    s->is_command_last = false;
    s->argument_of = 0;
    if (command) {
        take_argument(s, command, value);
    } else {
        ps2_write(s->kbd, value);
        set_mode(s, MODE_KBD_DISABLE, 0);
    }
}

static const MemoryOps data_ops = {
    .read = data_read, .write = data_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};
static const MemoryOps command_ops = {
    .read = status_read, .write = command_write, .endian = ENDIAN_LITTLE, .impl.max = 1,
};

void i8042_nudge_mouse(Device *controller)
{
    ps2_mouse_nudge(KBC(controller)->mouse);
}

/* --- life --- */

static void i8042_init(Object *obj)
{
    Kbc *s = KBC(obj);

    memory_region_init_io(&s->data, obj, &data_ops, "i8042-data", 1);
    memory_region_init_io(&s->command, obj, &command_ops, "i8042-cmd", 1);
}

static void i8042_finalize(Object *obj)
{
    memory_region_clear(&KBC(obj)->data);
    memory_region_clear(&KBC(obj)->command);
}

/* NULL: it failed, and is gone. */
static Ps2Device *add_child(Device *dev, const char *name, const char *type, Error **errp)
{
    g_autoptr(Device) child = device_new(type);

    if (!object_add_child(&dev->parent, name, child, errp)) {
        return NULL;
    }
    if (!device_realize(child, bus_system(), errp)) {
        object_unparent(child);
        return NULL;
    }
    return PS2_DEVICE(child);
}

static bool add_children(Kbc *s, Error **errp)
{
    Device *dev = DEVICE(s);

    s->kbd = add_child(dev, "ps2kbd", TYPE_PS2_KEYBOARD, errp);
    s->mouse = s->kbd ? add_child(dev, "ps2mouse", TYPE_PS2_MOUSE, errp) : NULL;
    if (s->mouse) {
        device_connect(DEVICE(s->kbd), NULL, 0, dev, "ps2-kbd-input-irq", 0);
        device_connect(DEVICE(s->mouse), NULL, 0, dev, "ps2-mouse-input-irq", 0);
    } else if (s->kbd) {
        device_delete(DEVICE(s->kbd));
    }
    return s->mouse;
}

static bool i8042_realize(Device *dev, Error **errp)
{
    Kbc *s = KBC(dev);
    IsaDevice *isa = &s->parent;

    return isa_device_connect(isa, &s->irq[0], s->kbd_irq, errp) &&
           isa_device_connect(isa, &s->irq[1], s->mouse_irq, errp) &&
           isa_device_map(isa, &s->data, I8042_DATA, errp) &&
           isa_device_map(isa, &s->command, I8042_COMMAND, errp) && add_children(s, errp);
}

static void i8042_unrealize(Device *dev)
{
    device_delete(DEVICE(KBC(dev)->mouse));
    device_delete(DEVICE(KBC(dev)->kbd));
}

static void i8042_reset(Device *dev)
{
    Kbc *s = KBC(dev);

    memset(s->ram, 0, sizeof(s->ram));
    s->ram[0] = MODE_KBD_INT | MODE_AUX_INT;
    s->argument_of = 0;
    s->is_command_last = true;
    s->is_full = s->is_aux = s->has_answer = s->is_answer_aux = s->is_break = false;
    s->buffer = s->answer = 0;
    s->outport = OUT_RUNS | OUT_A20;
}

static void i8042_reset_lines(Device *dev)
{
    update_lines(KBC(dev));
    irq_set(&KBC(dev)->a20, 1);
}

static bool i8042_post_load(void *opaque, int version, Error **errp)
{
    Kbc *s = opaque;

    update_lines(s);
    irq_set(&s->a20, (s->outport & OUT_A20) != 0);
    return true;
}

static bool has_extended_state(void *opaque)
{
    return KBC(opaque)->has_extended_state;
}

static const VMField i8042_output_fields[] = {
    VM_BOOL(Kbc, is_full), VM_BOOL(Kbc, is_aux), VM_U8(Kbc, buffer),
    VM_BOOL(Kbc, has_answer), VM_BOOL(Kbc, is_answer_aux), VM_U8(Kbc, answer),
    VM_BOOL(Kbc, is_break),
};
static const VMState i8042_output = VMSTATE_INIT(
    i8042_output_fields, .name = "i8042/output", .version = 1, .needed = has_extended_state);
static const VMField i8042_fields[] = {
    VM_BUFFER(Kbc, ram), VM_U8(Kbc, argument_of), VM_BOOL(Kbc, is_command_last),
    VM_U8(Kbc, outport), VM_TIMER(Kbc, throttle),
};
static const Property i8042_props[] = {
    PROP_BOOL("extended-state", Kbc, has_extended_state, .initial = true,
              .doc = "Save what waits in the output buffer"),
    PROP_BOOL("kbd-throttle", Kbc, is_throttled,
              .doc = "Leave a millisecond between bytes of the keyboard"),
    PROP_U8("kbd-irq", Kbc, kbd_irq, .initial = 1, .doc = "The keyboard's interrupt"),
    PROP_U8("mouse-irq", Kbc, mouse_irq, .initial = 12, .doc = "The mouse's interrupt"),
};
static const IrqDef i8042_lines[] = {
    IRQ_ROW_OUT(NULL, Kbc, irq[0], .count = 2),
    IRQ_ROW_OUT("a20", Kbc, a20),
    IRQ_ROW_IN("ps2-kbd-input-irq", device_line_changed, 1),
    IRQ_ROW_IN("ps2-mouse-input-irq", device_line_changed, 1),
};

static const DeviceType i8042_type = {
    .name = TYPE_I8042,
    .doc = "PS/2 keyboard and mouse controller",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Kbc),
    .category = DEVICE_CATEGORY_INPUT,
    .irqs = IRQS(i8042_lines),
    .timers = TIMER_ON(CLOCK_VIRTUAL, Kbc, throttle, throttle_expired),
    .properties = PROPERTIES(i8042_props),
    .vmstate = VMSTATE(i8042_fields, .version = 1, .post_load = i8042_post_load,
                       .subsections = VM_SUBSECTIONS(&i8042_output)),
    .init = i8042_init,
    .finalize = i8042_finalize,
    .realize = i8042_realize,
    .unrealize = i8042_unrealize,
    .reset_enter = i8042_reset,
    .reset_hold = i8042_reset_lines,
};
DEVICE_TYPE(i8042_type)
