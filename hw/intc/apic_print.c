/*
 * Local APIC: its registers for people, `info lapic`.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/intc/apic_state.h"

#define LVT_ACTIVE_LOW BIT(13)
#define ICR_LOGICAL    BIT(11)
#define ICR_LEVEL      BIT(15)
#define ICR_ASSERT     BIT(14)

static const char *const delivery_names[] = {
    "Fixed", "LowestPri", "SMI", "...", "NMI", "INIT", "SIPI", "ExtINT",
};

static void print_lvt(const Apic *apic, const char *name, unsigned n, GString *out)
{
    static const char *const timer_modes[] = { "one-shot", "periodic", "tsc-deadline", "reserved" };
    uint32_t lvt = apic->lvt[n];

    g_string_append_printf(out, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, lvt,
                           lvt & LVT_ACTIVE_LOW ? "active-lo" : "active-hi",
                           lvt & APIC_LVT_LEVEL ? "level" : "edge",
                           lvt & APIC_LVT_MASKED ? "masked" : "", "",
                           n == APIC_LVT_TIMER ? timer_modes[lvt >> 17 & 3] : "",
                           delivery_names[lvt >> 8 & 7]);
    if ((lvt >> 8 & 7) != APIC_NMI) {
        g_string_append_printf(out, " (vec %u)", lvt & 0xff);
    }
    g_string_append_c(out, '\n');
}

static void print_icr(const Apic *apic, GString *out)
{
    static const char *const shorthands[] = {
        "no-shorthand", "self", "all-self", "all",
    };
    uint32_t icr = apic->icr[0];
    bool is_logical = icr & ICR_LOGICAL, is_named = !(icr >> 18 & 3);

    g_string_append_printf(out, "ICR\t 0x%08x %s %s %s %s\n", icr,
                           is_logical ? "logical" : "physical",
                           icr & ICR_LEVEL ? "level" : "edge",
                           icr & ICR_ASSERT ? "assert" : "de-assert", shorthands[icr >> 18 & 3]);
    g_string_append_printf(out, "ICR2\t 0x%08x", apic->icr[1]);
    if (is_named && !is_logical) {
        g_string_append_printf(out, " cpu %u (APIC ID)",
                               apic_is_x2(apic) ? apic->icr[1] : apic->icr[1] >> 24);
    } else if (is_named) {
        g_string_append_printf(out, " mask %02x", apic->icr[1] >> 24);
    }
    g_string_append_c(out, '\n');
}

static void print_vectors(const char *name, const uint32_t *bits, const uint32_t *levels,
                          GString *out)
{
    bool has_any = false;

    g_string_append_printf(out, "%s\t ", name);
    for (unsigned n = 0; n < 256; n++) {
        if (bits[n / 32] >> n % 32 & 1) {
            g_string_append_printf(out, "%u%s ", n,
                                   levels[n / 32] >> n % 32 & 1 ? "(level)" : "");
            has_any = true;
        }
    }
    g_string_append(out, has_any ? "\n" : "(none)\n");
}

void apic_print(Device *dev, GString *out)
{
    Apic *apic = APIC(dev);
    unsigned divide = 1u << (((apic->divide & 3) + (apic->divide >> 1 & 4) + 1) & 7);

    g_string_append_printf(out, "dumping local APIC state for CPU %-2u\n\n", apic->initial_id);
    print_lvt(apic, "LVT0", APIC_LVT_LINT0, out);
    print_lvt(apic, "LVT1", APIC_LVT_LINT1, out);
    print_lvt(apic, "LVTPC", APIC_LVT_COUNTERS, out);
    print_lvt(apic, "LVTERR", APIC_LVT_ERROR, out);
    print_lvt(apic, "LVTTHMR", APIC_LVT_THERMAL, out);
    print_lvt(apic, "LVTT", APIC_LVT_TIMER, out);
    g_string_append_printf(out, "Timer\t DCR=0x%x (divide by %u) initial_count = %u "
                           "current_count = %u\n", apic->divide, divide, apic->initial_count,
                           (uint32_t)apic_timer_count(dev, 0));
    g_string_append_printf(out, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", apic->svr,
                           apic_is_software_enabled(apic) ? "enabled" : "disabled",
                           apic->svr & BIT(9) ? "on" : "off", apic->svr & 0xff);
    print_icr(apic, out);
    g_string_append_printf(out, "ESR\t 0x%08x\n", apic->esr);
    print_vectors("ISR", apic->isr, apic->tmr, out);
    print_vectors("IRR", apic->irr, apic->tmr, out);
    g_string_append_printf(out, "\nAPR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n",
                           apic->tpr, apic->dfr >> 28, apic->ldr >> 24,
                           apic_processor_priority(apic));
}
