/*
 * The local APIC's state and the parts it is made of: registers (apic.c), priorities
 * (apic_priority.c), delivery (apic_delivery.c), the timer (apic_timer.c), the CPU's MSRs
 * (apic_msr.c). Intel SDM volume 3, "Advanced Programmable Interrupt Controller".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_APIC_STATE_H
#define HW_INTC_APIC_STATE_H

#include "hw/core/local_apic.h"

/* Offsets in the page; in x2APIC mode the MSR is 0x800 + offset / 16. */
#define APIC_ID       0x020
#define APIC_EOI      0x0b0
#define APIC_LDR      0x0d0
#define APIC_DFR      0x0e0
#define APIC_ESR      0x280
#define APIC_ICR_LOW  0x300
#define APIC_ICR_HIGH 0x310
#define APIC_SELF_IPI 0x3f0

#define APIC_SVR_ENABLED BIT(8)

enum { APIC_LVT_TIMER, APIC_LVT_THERMAL, APIC_LVT_COUNTERS, APIC_LVT_LINT0, APIC_LVT_LINT1,
       APIC_LVT_ERROR, APIC_LVT_COUNT };
#define APIC_LVT_REMOTE_IRR BIT(14)
#define APIC_LVT_LEVEL      BIT(15)
#define APIC_LVT_MASKED     BIT(16)

#define APIC_ESR_SEND_VECTOR     BIT(5)
#define APIC_ESR_RECEIVED_VECTOR BIT(6)
#define APIC_ESR_REGISTER        BIT(7)

typedef struct Apic {
    Device parent;
    MemoryRegion page;
    ApicCpu cpu;
    bool is_page_added;
    uint32_t initial_id; /* properties */
    uint8_t version;
    bool has_tpr_reports;
    uint64_t base; /* MSR_APIC_BASE */
    uint32_t id, tpr, ldr, dfr, svr, esr, icr[2], lvt[APIC_LVT_COUNT];
    uint32_t isr[8], irr[8], tmr[8];
    uint32_t esr_pending; /* shows in ESR when that is written */
    uint32_t initial_count, divide;
    int64_t count_start_ns; /* when initial_count began to be counted */
    uint64_t tsc_deadline;
    Timer timer;
    bool is_init;           /* waits for STARTUP */
    bool is_extint_pending; /* by message; the pin is lint_level[0] */
    uint8_t lint_level[2];
} Apic;
DECLARE_CAST(Apic, APIC)

static inline bool apic_is_x2(const Apic *apic)
{
    return apic->base & APIC_BASE_X2APIC;
}

static inline bool apic_is_on(const Apic *apic)
{
    return apic->base & APIC_BASE_ENABLED;
}

static inline bool apic_is_software_enabled(const Apic *apic)
{
    return apic->svr & APIC_SVR_ENABLED;
}

/* --- registers --- */

extern const RegisterMap apic_registers;
/* What both ways of access end in; the offset is a register's. */
uint32_t apic_read(Device *dev, uint32_t offset);
void apic_write(Device *dev, uint32_t offset, uint32_t value);
void apic_error(Apic *apic, uint32_t bits);
void apic_print(Device *dev, GString *out);
/* Where the page is, or that it is nowhere, follows the base MSR. */
void apic_place_page(Apic *apic);
/* All but what INIT keeps. */
void apic_init_reset(Apic *apic);

/* --- priorities --- */

/* The highest vector in a 256-bit register, -1: none. */
int apic_highest(const uint32_t bits[8]);
uint8_t apic_processor_priority(const Apic *apic);
/* Tells the CPU whether there is something to take. */
void apic_update(Apic *apic);
void apic_request(Apic *apic, uint8_t vector, bool is_level);
int apic_acknowledge(Device *dev);
void apic_end_of_interrupt(Apic *apic);

/* --- delivery --- */

bool apic_matches(Device *dev, const ApicMessage *message);
bool apic_arbitrates(Device *dev, uint8_t *priority);
void apic_deliver(Device *dev, const ApicMessage *message);
void apic_lint_set(void *opaque, unsigned n, int level);
void apic_fire_lvt(Apic *apic, unsigned n);
/* Does what the 64 bits of ICR say; `dest` 8 bits wide or, in x2APIC mode, 32. */
void apic_send_ipi(Apic *apic, uint32_t low, uint32_t dest);

/* --- timer --- */

void apic_timer_expired(Device *dev);
void apic_timer_start(Device *dev);
void apic_timer_divide_written(Device *dev);
/* From one mode of the timer's LVT to another. */
void apic_timer_mode_written(Apic *apic, uint32_t old);
uint64_t apic_timer_count(Device *dev, unsigned n);
uint64_t apic_timer_deadline(const Apic *apic);
void apic_timer_set_deadline(Apic *apic, uint64_t tsc);

/* --- MSRs --- */

bool apic_read_msr(Device *dev, uint32_t msr, uint64_t *value);
bool apic_write_msr(Device *dev, uint32_t msr, uint64_t value);

#endif
