/*
 * isa-i8259: Intel 8259A programmable interrupt controller, as PCs have two of, with the edge/level
 * register (ELCR) of the 82371 bridges. Per the 8259A data sheet (231468) and the PIIX3's: LTIM is
 * ignored in favour of the ELCR; 8080 mode is not there. A request that was latched stays latched
 * when its line falls, so that a short pulse is not lost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/i8259.h"

#include "hw/core/interrupt_stats.h"

#define INPUTS       8
#define CASCADE      2
#define SPURIOUS     7

#define ICW1_START   BIT(4)
#define ICW1_SINGLE  BIT(1)
#define ICW1_IC4     BIT(0)
#define ICW2_BASE    0xf8
#define ICW4_SFNM    BIT(4)
#define ICW4_AEOI    BIT(1)
#define OCW3_SELECT  BIT(3)
#define OCW3_ESMM    BIT(6)
#define OCW3_SMM     BIT(5)
#define OCW3_POLL    BIT(2)
#define OCW3_RR      BIT(1)
#define OCW3_RIS     BIT(0)
#define POLL_PENDING BIT(7)

typedef enum InitState { INIT_DONE, INIT_ICW2, INIT_ICW3, INIT_ICW4, INIT_STATES } InitState;

typedef struct Pic {
    IsaDevice parent;
    RegisterBank elcr_bank;
    IrqLine out;
    struct Pic *slave; /* of a master; borrowed, lives on the same bus */
    uint32_t iobase, elcr_addr;
    uint8_t elcr_mask;
    bool is_master;
    uint8_t levels, irr, imr, isr, elcr, base;
    uint8_t top; /* the input of highest priority */
    bool is_isr_read, is_polled, has_special_mask, has_auto_eoi, rotates_on_auto_eoi;
    bool is_fully_nested, wants_icw4, is_single;
    int init_state;
    uint64_t counts[INPUTS]; /* of requests, for people */
} Pic;
DECLARE_CAST(Pic, PIC)

/* Steps from the highest priority to the first set bit; INPUTS if there is none. */
static unsigned first_by_priority(const Pic *s, uint8_t bits)
{
    unsigned n = 0;

    while (n < INPUTS && !(bits & BIT((s->top + n) % INPUTS))) {
        n++;
    }
    return n;
}

/* The input to serve, or -1. */
static int pending_input(const Pic *s)
{
    unsigned request = first_by_priority(s, s->irr & ~s->imr);
    uint8_t in_service = s->isr;

    if (s->has_special_mask) {
        in_service &= ~s->imr;
    }
    /* The slave may interrupt itself through a master in special fully nested mode. */
    if (s->is_fully_nested && s->is_master) {
        in_service &= ~BIT(CASCADE);
    }
    if (request == INPUTS || request >= first_by_priority(s, in_service)) {
        return -1;
    }
    return (s->top + request) % INPUTS;
}

static void update_output(Pic *s)
{
    irq_set(&s->out, pending_input(s) >= 0);
}

static void i8259_input(void *opaque, unsigned n, int level)
{
    Pic *s = PIC(opaque);
    uint8_t bit = BIT(n);
    bool was_up = s->levels & bit;

    s->levels = level ? s->levels | bit : s->levels & ~bit;
    s->counts[n] += level && !was_up;
    if (s->elcr & bit) {
        s->irr = level ? s->irr | bit : s->irr & ~bit;
    } else if (level && !was_up) {
        s->irr |= bit;
    }
    update_output(s);
}

static void take(Pic *s, unsigned n)
{
    if (!s->has_auto_eoi) {
        s->isr |= BIT(n);
    } else if (s->rotates_on_auto_eoi) {
        s->top = (n + 1) % INPUTS;
    }
    if (!(s->elcr & BIT(n))) {
        s->irr &= ~BIT(n);
    }
    update_output(s);
}

static uint8_t acknowledge(Pic *s)
{
    int n = pending_input(s);
    uint8_t vector;

    if (n < 0) {
        return s->base + SPURIOUS;
    }
    vector = n == CASCADE && s->slave ? acknowledge(s->slave) : s->base + n;
    take(s, n);
    return vector;
}

uint8_t i8259_acknowledge(Device *master)
{
    return acknowledge(PIC(master));
}

bool i8259_is_pending(Device *master)
{
    return pending_input(PIC(master)) >= 0;
}

/* --- commands --- */

static void start_init(Pic *s, uint8_t icw1)
{
    /* Lines must fall and rise again to be seen; levels are seen as they are. */
    s->irr &= s->elcr;
    s->imr = s->isr = s->top = 0;
    s->is_isr_read = s->is_polled = s->has_special_mask = false;
    s->has_auto_eoi = s->rotates_on_auto_eoi = s->is_fully_nested = false;
    s->wants_icw4 = icw1 & ICW1_IC4;
    s->is_single = icw1 & ICW1_SINGLE;
    s->init_state = INIT_ICW2;
}

static void end_of_interrupt(Pic *s, unsigned n, bool rotates)
{
    s->isr &= ~BIT(n);
    if (rotates) {
        s->top = (n + 1) % INPUTS;
    }
}

/* Not specific: the one in service of highest priority. */
static void end_highest(Pic *s, bool rotates)
{
    uint8_t in_service = s->has_special_mask ? s->isr & ~s->imr : s->isr;
    unsigned n = first_by_priority(s, in_service);

    if (n < INPUTS) {
        end_of_interrupt(s, (s->top + n) % INPUTS, rotates);
    }
}

static void write_ocw2(Pic *s, uint8_t value)
{
    unsigned level = value & 7;

    switch (value >> 5) { /* R, SL, EOI */
    case 0:
    case 4:
        s->rotates_on_auto_eoi = value >> 5;
        break;
    case 1:
    case 5:
        end_highest(s, value >> 5 == 5);
        break;
    case 3:
    case 7:
        end_of_interrupt(s, level, value >> 5 == 7);
        break;
    case 6:
        s->top = (level + 1) % INPUTS;
        break;
    }
}

static void write_ocw3(Pic *s, uint8_t value)
{
    if (value & OCW3_POLL) {
        s->is_polled = true;
    }
    if (value & OCW3_RR) {
        s->is_isr_read = value & OCW3_RIS;
    }
    if (value & OCW3_ESMM) {
        s->has_special_mask = value & OCW3_SMM;
    }
}

static void write_command(Pic *s, uint8_t value)
{
    if (value & ICW1_START) {
        start_init(s, value);
    } else if (value & OCW3_SELECT) {
        write_ocw3(s, value);
    } else {
        write_ocw2(s, value);
    }
}

static void write_data(Pic *s, uint8_t value)
{
    switch (s->init_state) {
    case INIT_ICW2:
        s->base = value & ICW2_BASE;
        s->init_state = !s->is_single ? INIT_ICW3 : s->wants_icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW3: /* the wiring is fixed */
        s->init_state = s->wants_icw4 ? INIT_ICW4 : INIT_DONE;
        break;
    case INIT_ICW4:
        s->is_fully_nested = value & ICW4_SFNM;
        s->has_auto_eoi = value & ICW4_AEOI;
        s->init_state = INIT_DONE;
        break;
    default:
        s->imr = value;
        break;
    }
}

static void i8259_write(Device *dev, unsigned n, uint64_t value)
{
    if (n) {
        write_data(PIC(dev), value);
    } else {
        write_command(PIC(dev), value);
    }
    update_output(PIC(dev));
}

/* A read after a poll command is an acknowledge. */
static uint8_t read_poll(Pic *s)
{
    int n = pending_input(s);

    s->is_polled = false;
    if (n < 0) {
        return 0;
    }
    take(s, n);
    return POLL_PENDING | n;
}

static uint64_t i8259_read(Device *dev, unsigned n)
{
    Pic *s = PIC(dev);

    if (s->is_polled) {
        return read_poll(s);
    }
    if (n) {
        return s->imr;
    }
    return s->is_isr_read ? s->isr : s->irr;
}

static void elcr_write(Device *dev, unsigned n, uint64_t value)
{
    PIC(dev)->elcr = value & PIC(dev)->elcr_mask;
}

static uint64_t elcr_read(Device *dev, unsigned n)
{
    return PIC(dev)->elcr;
}

/* --- for people --- */

static void i8259_print(Object *obj, GString *out)
{
    const Pic *s = PIC(obj);

    g_string_append_printf(out, "pic%d: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d "
                           "elcr=%02x fnm=%d\n", !s->is_master, s->irr, s->imr, s->isr, s->top,
                           s->base, s->is_isr_read, s->elcr, s->is_fully_nested);
}

static const uint64_t *i8259_counts(Object *obj, unsigned *lines)
{
    *lines = INPUTS;
    return PIC(obj)->counts;
}

static const InterruptStats i8259_stats = { i8259_print, i8259_counts };
static const InterfaceImpl i8259_interfaces[] = {
    { TYPE_INTERRUPT_STATS, &i8259_stats }, { NULL },
};

/* --- life --- */

static void i8259_reset(Device *dev)
{
    Pic *s = PIC(dev);

    s->elcr = 0;
    start_init(s, 0);
    s->base = 0;
    s->init_state = INIT_DONE;
}

static void i8259_reset_exit(Device *dev)
{
    update_output(PIC(dev));
}

static bool i8259_realize(Device *dev, Error **errp)
{
    Pic *s = PIC(dev);

    return isa_device_map_registers(&s->parent, s->iobase, errp) &&
           (s->elcr_addr == ISA_UNSET ||
            isa_device_map(&s->parent, &s->elcr_bank.region, s->elcr_addr, errp));
}

static const RegDef i8259_regs[] = {
    REG_COMPUTED(0, "PORT", .count = 2, .read = i8259_read, .write = i8259_write),
};
static const RegDef elcr_regs[] = {
    REG_COMPUTED(0, "ELCR", .read = elcr_read, .write = elcr_write),
};
static const RegisterMap elcr_map = REG_MAP(elcr_regs, .size = 1, .width = 1);

static void i8259_init(Object *obj)
{
    register_bank_init(&PIC(obj)->elcr_bank, DEVICE(obj), &elcr_map, "elcr");
}

static void i8259_finalize(Object *obj)
{
    register_bank_clear(&PIC(obj)->elcr_bank);
}

static const Property i8259_props[] = {
    PROP_U32("iobase", Pic, iobase, .initial = ISA_UNSET, .doc = "First of its two ports"),
    PROP_U32("elcr_addr", Pic, elcr_addr, .initial = ISA_UNSET,
             .doc = "Port of the edge/level register; 4294967295: none"),
    PROP_U8("elcr_mask", Pic, elcr_mask, .initial = 0xff,
            .doc = "Inputs that can be made level-triggered"),
    PROP_BOOL("master", Pic, is_master, .doc = "Input 2 is the slave's"),
};

static bool i8259_state_is_sound(void *opaque, int version)
{
    return PIC(opaque)->top < INPUTS;
}

static const VMField i8259_fields[] = {
    VM_U8(Pic, levels), VM_U8(Pic, irr), VM_U8(Pic, imr), VM_U8(Pic, isr),
    VM_U8(Pic, elcr), VM_U8(Pic, base), VM_U8(Pic, top), VM_BOOL(Pic, is_isr_read),
    VM_BOOL(Pic, is_polled), VM_BOOL(Pic, has_special_mask), VM_BOOL(Pic, has_auto_eoi),
    VM_BOOL(Pic, rotates_on_auto_eoi), VM_BOOL(Pic, is_fully_nested),
    VM_BOOL(Pic, wants_icw4), VM_BOOL(Pic, is_single),
    VM_ENUM(Pic, init_state, INIT_STATES),
    VM_VALIDATE("top is an input", i8259_state_is_sound),
};

static const DeviceType i8259_type = {
    .name = TYPE_I8259,
    .doc = "Intel 8259A interrupt controller",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Pic),
    .access = DEVICE_ACCESS_BOARD,
    .interfaces = i8259_interfaces,
    .is_not_hotpluggable = true,
    .registers = REG_MAP(i8259_regs, .size = 2, .width = 1, .access_max = 4),
    .irqs = IRQS(((const IrqDef[]){ IRQ_ROW_OUT(NULL, Pic, out),
                                    IRQ_ROW_IN(NULL, i8259_input, INPUTS) })),
    .properties = PROPERTIES(i8259_props),
    .vmstate = VMSTATE(i8259_fields, .version = 1),
    .init = i8259_init,
    .finalize = i8259_finalize,
    .realize = i8259_realize,
    .reset_hold = i8259_reset,
    .reset_exit = i8259_reset_exit,
};
DEVICE_TYPE(i8259_type)

/* --- the PC's pair --- */

static Device *pair_half(IsaBus *bus, uint32_t iobase, uint32_t elcr_addr, uint8_t elcr_mask)
{
    Device *dev = device_new(TYPE_I8259);

    PIC(dev)->iobase = iobase;
    PIC(dev)->elcr_addr = elcr_addr;
    PIC(dev)->elcr_mask = elcr_mask;
    PIC(dev)->is_master = iobase == 0x20;
    device_realize_and_unref(dev, &bus->parent, NULL); /* fixed places, which are there */
    return dev;
}

Device *i8259_pair_new(IsaBus *bus)
{
    Device *master = pair_half(bus, 0x20, 0x4d0, 0xf8);
    Device *slave = pair_half(bus, 0xa0, 0x4d1, 0xde);

    PIC(master)->slave = PIC(slave);
    device_connect(slave, NULL, 0, master, NULL, CASCADE);
    return master;
}

IrqInput *i8259_pair_input(Device *master, unsigned n)
{
    assert(n < 2 * INPUTS && n != CASCADE);
    return n < INPUTS ? device_irq_in(master, NULL, n) :
                        device_irq_in(DEVICE(PIC(master)->slave), NULL, n - INPUTS);
}
