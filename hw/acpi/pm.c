/*
 * Power management registers: see hw/acpi/pm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/pm.h"
#include "qapi/qapi-events-run-state.h"
#include "trace.h"

#define SCI_SOURCES (ACPI_PM1_TIMER | ACPI_PM1_GLOBAL | ACPI_PM1_POWER | ACPI_PM1_SLEEP |          \
                     ACPI_PM1_RTC)
#define STATUS_CLEARABLE (SCI_SOURCES | BIT(4) | BIT(14) | ACPI_PM1_WAKE)

#define CONTROL_SLEEP BIT(13) /* reads as 0 */
#define CONTROL_SLEEP_TYPE(bits) ((bits) >> 10 & 7)
#define CONTROL_WRITABLE 0x1c03u
enum { SLEEP_TYPE_OFF, SLEEP_TYPE_RAM };

/* A 24-bit counter; software is told when its top bit changes. */
#define TIMER_MASK 0xffffff
#define TIMER_HALF 0x800000

/* --- interrupts --- */

static void update_sci(AcpiPm *pm)
{
    bool is_up = pm->status & pm->enable & SCI_SOURCES;

    for (unsigned i = 0; i < pm->chip->gpe_bytes / 2; i++) {
        is_up |= pm->gpe_status[i] & pm->gpe_enable[i];
    }
    pm->chip->set_sci(pm, is_up && (pm->control_bits & ACPI_PM1_SCI_ENABLED));
}

void acpi_pm_raise(AcpiPm *pm, uint16_t status)
{
    trace_acpi_pm_raise(status);
    pm->status |= status;
    update_sci(pm);
}

void acpi_pm_raise_gpe(AcpiPm *pm, unsigned gpe)
{
    assert(gpe / 8 < pm->chip->gpe_bytes / 2);
    trace_acpi_pm_raise_gpe(gpe);
    pm->gpe_status[gpe / 8] |= BIT(gpe % 8);
    update_sci(pm);
}

void acpi_pm_enable_sci(AcpiPm *pm, bool is_on)
{
    pm->control_bits = (pm->control_bits & ~ACPI_PM1_SCI_ENABLED) |
                       (is_on ? ACPI_PM1_SCI_ENABLED : 0);
    update_sci(pm);
}

/* --- the timer --- */

static uint64_t ticks_now(void)
{
    return (unsigned __int128)clock_now_ns(CLOCK_VIRTUAL) * ACPI_PM_TIMER_HZ / NS_PER_SEC;
}

static int64_t ticks_to_ns(uint64_t ticks)
{
    return ((unsigned __int128)ticks * NS_PER_SEC + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
}

static void find_next_overflow(AcpiPm *pm)
{
    pm->overflow_ns = ticks_to_ns((ticks_now() / TIMER_HALF + 1) * TIMER_HALF);
}

/* The status bit is worked out when someone looks, unless an interrupt is wanted. */
static void update_overflow(AcpiPm *pm)
{
    if (clock_now_ns(CLOCK_VIRTUAL) >= pm->overflow_ns) {
        pm->status |= ACPI_PM1_TIMER;
        find_next_overflow(pm);
    }
    if (pm->enable & ACPI_PM1_TIMER) {
        timer_arm_at_ns(&pm->overflow, pm->overflow_ns);
    } else {
        timer_cancel(&pm->overflow);
    }
}

static void overflowed(void *opaque)
{
    update_overflow(opaque);
    update_sci(opaque);
}

static uint64_t timer_read(void *opaque, uint64_t at, unsigned bytes)
{
    return ticks_now() & TIMER_MASK;
}

static void timer_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
}

/* --- PM1 --- */

static uint64_t event_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiPm *pm = opaque;

    update_overflow(pm);
    return at < 2 ? pm->status : pm->enable;
}

static void event_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiPm *pm = opaque;

    update_overflow(pm);
    if (at < 2) {
        pm->status &= ~(value & STATUS_CLEARABLE);
    } else {
        pm->enable = value & SCI_SOURCES;
        vm_enable_wakeup(WAKEUP_RTC, pm->enable & ACPI_PM1_RTC);
        vm_enable_wakeup(WAKEUP_PM_TIMER, pm->enable & ACPI_PM1_TIMER);
    }
    update_overflow(pm);
    update_sci(pm);
}

static void sleep_as(AcpiPm *pm, unsigned type)
{
    trace_acpi_pm_sleep(type);
    if (type == SLEEP_TYPE_OFF) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    } else if (type == SLEEP_TYPE_RAM) {
        vm_request_suspend();
    } else if (type == pm->s4_type) {
        qapi_event_send_suspend_disk();
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN);
    }
}

static uint64_t control_read(void *opaque, uint64_t at, unsigned bytes)
{
    return ((AcpiPm *)opaque)->control_bits;
}

static void control_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiPm *pm = opaque;

    pm->control_bits = value & CONTROL_WRITABLE;
    if (value & CONTROL_SLEEP) {
        sleep_as(pm, CONTROL_SLEEP_TYPE(value));
    }
    update_sci(pm);
}

/* --- GPE0 and SMI_CMD --- */

static uint64_t gpe_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiPm *pm = opaque;
    unsigned half = pm->chip->gpe_bytes / 2;

    return at < half ? pm->gpe_status[at] : pm->gpe_enable[at - half];
}

static void gpe_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiPm *pm = opaque;
    unsigned half = pm->chip->gpe_bytes / 2;

    if (at < half) {
        pm->gpe_status[at] &= ~value;
    } else {
        pm->gpe_enable[at - half] = value;
    }
    update_sci(pm);
}

static uint64_t command_read(void *opaque, uint64_t at, unsigned bytes)
{
    AcpiPm *pm = opaque;

    return at ? pm->smi_data : pm->smi_command;
}

static void command_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    AcpiPm *pm = opaque;

    if (at) {
        pm->smi_data = value;
        return;
    }
    pm->smi_command = value;
    if (value == pm->chip->acpi_enable_cmd || value == pm->chip->acpi_disable_cmd) {
        acpi_pm_enable_sci(pm, value == pm->chip->acpi_enable_cmd);
    }
    if (pm->chip->raise_smi) {
        pm->chip->raise_smi(pm, value);
    }
}

static const MemoryOps event_ops = {
    .read = event_read, .write = event_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 2 }, .impl = { 2, 2 },
};
static const MemoryOps control_ops = {
    .read = control_read, .write = control_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 2 }, .impl = { 2, 2 },
};
static const MemoryOps timer_ops = {
    .read = timer_read, .write = timer_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 4, 4 },
};
static const MemoryOps gpe_ops = {
    .read = gpe_read, .write = gpe_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 4 }, .impl = { 1, 1 },
};
static const MemoryOps command_ops = {
    .read = command_read, .write = command_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 2 }, .impl = { 1, 1 },
};

/* --- what happens outside --- */

static void powered_down(Notifier *notifier, void *data)
{
    acpi_pm_raise(container_of(notifier, AcpiPm, powerdown), ACPI_PM1_POWER);
}

static void woken(Notifier *notifier, void *data)
{
    static const uint16_t cause[WAKEUP_REASON_COUNT] = {
        [WAKEUP_RTC] = ACPI_PM1_RTC,
        [WAKEUP_PM_TIMER] = ACPI_PM1_TIMER,
        [WAKEUP_OTHER] = ACPI_PM1_POWER, /* as if someone had pressed the button */
    };

    acpi_pm_raise(container_of(notifier, AcpiPm, wakeup),
                  ACPI_PM1_WAKE | cause[*(WakeupReason *)data]);
}

/* --- life --- */

static void init_region(AcpiPm *pm, MemoryRegion *region, const MemoryOps *ops, const char *name,
                        uint64_t bytes)
{
    memory_region_init_io(region, &pm->owner->parent, ops, name, bytes);
    memory_region_set_opaque(region, pm);
}

void acpi_pm_init(AcpiPm *pm, Device *owner, const AcpiPmChip *chip)
{
    assert(chip->gpe_bytes <= ACPI_GPE_MAX_BYTES && chip->gpe_bytes % 2 == 0);
    pm->owner = owner;
    pm->chip = chip;
    init_region(pm, &pm->event, &event_ops, "acpi-evt", 4);
    init_region(pm, &pm->control, &control_ops, "acpi-cnt", 2);
    init_region(pm, &pm->timer, &timer_ops, "acpi-tmr", 4);
    init_region(pm, &pm->gpe, &gpe_ops, "acpi-gpe0", chip->gpe_bytes);
    init_region(pm, &pm->command, &command_ops, "apm-io", 2);
    timer_init(&pm->overflow, CLOCK_VIRTUAL, overflowed, pm);
}

void acpi_pm_start(AcpiPm *pm)
{
    find_next_overflow(pm);
    pm->powerdown.fn = powered_down;
    pm->wakeup.fn = woken;
    vm_add_powerdown_notifier(&pm->powerdown);
    vm_add_wakeup_notifier(&pm->wakeup);
    vm_set_wakeup_support(true);
}

void acpi_pm_stop(AcpiPm *pm)
{
    notifier_remove(&pm->powerdown);
    notifier_remove(&pm->wakeup);
    timer_cancel(&pm->overflow);
}

void acpi_pm_clear(AcpiPm *pm)
{
    timer_clear(&pm->overflow);
    memory_region_clear(&pm->event);
    memory_region_clear(&pm->control);
    memory_region_clear(&pm->timer);
    memory_region_clear(&pm->gpe);
    memory_region_clear(&pm->command);
}

void acpi_pm_reset_enter(AcpiPm *pm)
{
    pm->status = 0;
    pm->enable = 0;
    pm->control_bits = 0;
    pm->smi_command = 0;
    pm->smi_data = 0;
    memset(pm->gpe_status, 0, sizeof(pm->gpe_status));
    memset(pm->gpe_enable, 0, sizeof(pm->gpe_enable));
    timer_cancel(&pm->overflow);
    find_next_overflow(pm);
    vm_enable_wakeup(WAKEUP_RTC, false);
    vm_enable_wakeup(WAKEUP_PM_TIMER, false);
}

void acpi_pm_reset_exit(AcpiPm *pm)
{
    update_sci(pm);
}

static bool post_load(void *opaque, int version, Error **errp)
{
    AcpiPm *pm = opaque;

    find_next_overflow(pm);
    update_overflow(pm);
    vm_enable_wakeup(WAKEUP_RTC, pm->enable & ACPI_PM1_RTC);
    vm_enable_wakeup(WAKEUP_PM_TIMER, pm->enable & ACPI_PM1_TIMER);
    return true;
}

static bool pre_save(void *opaque, Error **errp)
{
    update_overflow(opaque);
    return true;
}

static const VMField fields[] = {
    VM_U16(AcpiPm, status), VM_U16(AcpiPm, enable), VM_U16(AcpiPm, control_bits),
    VM_ARRAY(AcpiPm, gpe_status), VM_ARRAY(AcpiPm, gpe_enable),
    VM_U8(AcpiPm, smi_command), VM_U8(AcpiPm, smi_data), VM_TIMER(AcpiPm, overflow),
};
const VMState acpi_pm_state = VMSTATE_INIT(fields, .name = "acpi-pm", .version = 1,
                                           .pre_save = pre_save, .post_load = post_load);
