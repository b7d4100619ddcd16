/*
 * The TCO watchdog: see hw/acpi/tco.h. The first timeout is an SMI; the second without a reload
 * in between is the watchdog's action. It counts from the first write that starts or reloads it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/tco.h"
#include "system/run_state.h"
#include "system/vmstate_kind.h"
#include "trace.h"
#include "util/log.h"

#define STATUS1_SW_SMI  BIT(1)
#define STATUS1_SW_IRQ  BIT(2)
#define STATUS1_TIMEOUT BIT(3)
#define STATUS1_CLEARABLE 0x178eu
#define STATUS2_SECOND  BIT(1)
#define STATUS2_BOOT    BIT(2)
#define STATUS2_CLEARABLE 0x0017u

#define CONTROL1_HALTED BIT(11)
#define CONTROL1_LOCKED BIT(12)
#define CONTROL1_WRITABLE 0x1f00u
#define COUNT_MASK 0x3ffu

/* --- the timer --- */

static bool can_run(const AcpiTco *tco)
{
    return !(tco->control1 & CONTROL1_HALTED) && tco->initial;
}

static void start(AcpiTco *tco)
{
    tco->expires_ns = clock_now_ns(CLOCK_VIRTUAL) + tco->initial * ACPI_TCO_TICK_NS;
    timer_arm_at_ns(&tco->timer, tco->expires_ns);
}

/* What is left, in ticks. */
static uint16_t count(const AcpiTco *tco)
{
    int64_t left = tco->expires_ns - clock_now_ns(CLOCK_VIRTUAL);

    if (!timer_is_armed(&tco->timer)) {
        return tco->reload;
    }
    return MAX(left, 0) / ACPI_TCO_TICK_NS & COUNT_MASK;
}

static void expired(void *opaque)
{
    AcpiTco *tco = opaque;

    trace_acpi_tco_timeout(tco->timeouts);
    tco->status1 |= STATUS1_TIMEOUT;
    if (tco->timeouts++ == 0) {
        tco->chip->raise_smi(tco);
    } else {
        tco->timeouts = 0;
        tco->status2 |= STATUS2_SECOND | STATUS2_BOOT;
        if (!tco->chip->is_reboot_forbidden(tco)) {
            vm_watchdog_expired();
        }
    }
    start(tco);
}

static void write_reload(AcpiTco *tco, uint16_t value)
{
    tco->timeouts = 0;
    tco->reload = value & COUNT_MASK;
    if (can_run(tco)) {
        start(tco);
    } else {
        tco->reload = tco->initial;
    }
}

static void write_control1(AcpiTco *tco, uint16_t value)
{
    uint16_t locked = tco->control1 & CONTROL1_LOCKED, left = count(tco);

    tco->control1 = (value & CONTROL1_WRITABLE) | locked;
    if (!can_run(tco)) {
        tco->reload = left;
        timer_cancel(&tco->timer);
    } else if (!timer_is_armed(&tco->timer)) {
        start(tco);
    }
}

/* --- registers, as bytes or words --- */

static void write_data_in(AcpiTco *tco, uint16_t value)
{
    tco->data_in = value;
    tco->status1 |= STATUS1_SW_SMI;
    tco->chip->raise_smi(tco);
}

static void write_data_out(AcpiTco *tco, uint16_t value)
{
    tco->data_out = value;
    tco->status1 |= STATUS1_SW_IRQ;
}

static void write_status1(AcpiTco *tco, uint16_t value)
{
    tco->status1 &= ~(value & STATUS1_CLEARABLE);
}

static void write_status2(AcpiTco *tco, uint16_t value)
{
    tco->status2 &= ~(value & STATUS2_CLEARABLE);
}

static const struct {
    const char *name;
    uint8_t at, bytes;
    size_t field;
    uint16_t reset, writable;
    void (*write)(AcpiTco *tco, uint16_t value);
} regs[] = {
#define ROW(at, name, f, ...) { name, at, sizeof(((AcpiTco *)0)->f), offsetof(AcpiTco, f), __VA_ARGS__ }
    ROW(0x00, "TCO_RLD", reload, .write = write_reload),
    ROW(0x02, "TCO_DAT_IN", data_in, .write = write_data_in),
    ROW(0x03, "TCO_DAT_OUT", data_out, .write = write_data_out),
    ROW(0x04, "TCO1_STS", status1, .write = write_status1),
    ROW(0x06, "TCO2_STS", status2, .write = write_status2),
    ROW(0x08, "TCO1_CNT", control1, .write = write_control1),
    ROW(0x0a, "TCO2_CNT", control2, .reset = 0x0008, .writable = 0x003e),
    ROW(0x0c, "TCO_MESSAGE1", message1, .writable = 0xff),
    ROW(0x0d, "TCO_MESSAGE2", message2, .writable = 0xff),
    ROW(0x0e, "TCO_WDCNT", boot_count, .writable = 0xff),
    ROW(0x10, "SW_IRQ_GEN", sw_irq, .reset = 0x03, .writable = 0x03),
    ROW(0x12, "TCO_TMR", initial, .reset = 0x0004, .writable = COUNT_MASK),
#undef ROW
};

static int find(uint64_t at)
{
    for (unsigned i = 0; i < ARRAY_SIZE(regs); i++) {
        if (at >= regs[i].at && at < regs[i].at + regs[i].bytes) {
            return i;
        }
    }
    return -1;
}

static uint64_t read_one(AcpiTco *tco, uint64_t at)
{
    int i = find(at);
    uint16_t value;

    if (i < 0) {
        return 0;
    }
    value = regs[i].write == write_reload ? count(tco) :
            vm_peek((char *)tco + regs[i].field, regs[i].bytes);
    return value >> (at - regs[i].at) * 8;
}

/* Words where they are registers, else their bytes. */
static uint64_t tco_read(void *opaque, uint64_t at, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++) {
        value |= (read_one(opaque, at + i) & 0xff) << i * 8;
    }
    return value;
}

static void write_one(AcpiTco *tco, unsigned i, uint16_t value)
{
    void *field = (char *)tco + regs[i].field;
    uint16_t old = vm_peek(field, regs[i].bytes);

    trace_acpi_tco_write(regs[i].name, value);
    if (regs[i].write) {
        regs[i].write(tco, value);
    } else {
        value = (old & ~regs[i].writable) | (value & regs[i].writable);
        vm_poke(field, value, regs[i].bytes);
    }
}

static void tco_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    while (bytes) {
        int i = find(at);
        unsigned size = i < 0 ? 1 : MIN(regs[i].bytes, bytes);

        if (i >= 0 && at == regs[i].at && size == regs[i].bytes) {
            write_one(opaque, i, value);
        } else {
            guest_error("tco: write at 0x%" PRIx64 ", which is no register", at);
            size = 1;
        }
        at += size;
        value >>= size * 8;
        bytes -= size;
    }
}

static const MemoryOps tco_ops = {
    .read = tco_read, .write = tco_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 2 },
};

/* --- life --- */

void acpi_tco_init(AcpiTco *tco, Device *owner, const AcpiTcoChip *chip)
{
    tco->owner = owner;
    tco->chip = chip;
    memory_region_init_io(&tco->region, &owner->parent, &tco_ops, "sm-tco", 0x20);
    memory_region_set_opaque(&tco->region, tco);
    timer_init(&tco->timer, CLOCK_VIRTUAL, expired, tco);
    acpi_tco_reset(tco);
}

void acpi_tco_clear(AcpiTco *tco)
{
    timer_clear(&tco->timer);
    memory_region_clear(&tco->region);
}

void acpi_tco_reset(AcpiTco *tco)
{
    for (unsigned i = 0; i < ARRAY_SIZE(regs); i++) {
        vm_poke((char *)tco + regs[i].field, regs[i].reset, regs[i].bytes);
    }
    tco->timeouts = 0;
    tco->expires_ns = 0;
    timer_cancel(&tco->timer);
}

static const VMField fields[] = {
    VM_U16(AcpiTco, reload), VM_U16(AcpiTco, status1), VM_U16(AcpiTco, status2),
    VM_U16(AcpiTco, control1), VM_U16(AcpiTco, control2), VM_U16(AcpiTco, initial),
    VM_U8(AcpiTco, data_in), VM_U8(AcpiTco, data_out), VM_U8(AcpiTco, message1),
    VM_U8(AcpiTco, message2), VM_U8(AcpiTco, boot_count), VM_U8(AcpiTco, sw_irq),
    VM_U8(AcpiTco, timeouts), VM_I64(AcpiTco, expires_ns), VM_TIMER(AcpiTco, timer),
};
const VMState acpi_tco_state = VMSTATE_INIT(fields, .name = "tco", .version = 1);
