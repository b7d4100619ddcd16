/*
 * e1000: interrupts (82574L, 7.4 and 10.2.4): causes, masks that clear themselves, MSI-X vectors,
 * and how often there may be one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "hw/pci/msi.h"

#define CAUSES_OTHER  (ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG)
#define THROTTLE_NS   256  /* units of ITR and EITR */
#define DELAY_NS      1024 /* units of RDTR, RADV, TIDV, TADV */
#define IVAR_VALID    8

/* What has a vector of its own, and where IVAR has its number. */
static const struct {
    uint32_t cause;
    uint8_t shift;
} msix_causes[] = {
    { ICR_RXQ0, 0 }, { ICR_RXQ0 << 1, 4 }, { ICR_TXQ0, 8 }, { ICR_TXQ0 << 1, 12 },
    { ICR_OTHER, 16 },
};

static uint32_t pending(const E1000Nic *s)
{
    return MAC(s, ICR) & MAC(s, IMS);
}

static void throttle(Timer *timer, uint32_t interval)
{
    if (interval & 0xffff) {
        timer_arm_after_ns(timer, (int64_t)(interval & 0xffff) * THROTTLE_NS);
    }
}

/* --- messages by cause --- */

static void fire(E1000Nic *s, uint32_t cause, unsigned vector)
{
    s->fired |= cause;
    e1000_count(s, E1000_IAC);
    throttle(&s->eitr[vector], MAC_N(s, EITR, vector));
    msix_notify(&s->parent, vector);
    if (MAC(s, CTRL_EXT) & CTRL_EXT_EIAME) {
        MAC(s, IMS) &= ~(MAC(s, IAM) & cause);
    }
    MAC(s, ICR) &= ~(MAC(s, EIAC) & cause);
}

static void update_msix(E1000Nic *s)
{
    for (unsigned n = 0; n < ARRAY_SIZE(msix_causes); n++) {
        uint32_t cause = msix_causes[n].cause;
        unsigned entry = MAC(s, IVAR) >> msix_causes[n].shift & 0xf;
        unsigned vector = entry & (IVAR_VALID - 1);

        if (pending(s) & cause & ~s->fired && entry & IVAR_VALID && vector < E1000_VECTORS &&
            !timer_is_armed(&s->eitr[vector])) {
            fire(s, cause, vector);
        }
        s->fired &= pending(s);
    }
}

/* --- one interrupt for all --- */

static void update_pin(E1000Nic *s)
{
    if (!pending(s)) {
        s->is_asserted = false;
    } else if (!s->is_asserted && !timer_is_armed(&s->itr)) {
        s->is_asserted = true;
        e1000_count(s, E1000_IAC);
        if (s->uses_mitigation) {
            throttle(&s->itr, MAC(s, ITR));
        }
        if (msi_is_enabled(&s->parent)) {
            msi_notify(&s->parent, 0);
        }
    }
    pci_intx_set(&s->parent, s->is_asserted);
}

void e1000_update_irq(Device *dev)
{
    E1000Nic *s = E1000(dev);

    if (s->model->is_82574 && pending(s) & CAUSES_OTHER) {
        MAC(s, ICR) |= ICR_OTHER;
    }
    if (msix_is_enabled(&s->parent)) {
        update_msix(s);
    } else {
        update_pin(s);
    }
}

void e1000_raise(E1000Nic *s, uint32_t causes)
{
    MAC(s, ICR) |= causes;
    e1000_update_irq(&s->parent.parent);
}

/* --- registers --- */

static bool is_asserted(const E1000Nic *s)
{
    return msix_is_enabled(&s->parent) ? pending(s) : s->is_asserted;
}

static void auto_mask(E1000Nic *s)
{
    if (MAC(s, CTRL_EXT) & CTRL_EXT_IAME) {
        MAC(s, IMS) &= ~MAC(s, IAM);
    }
}

/* The three cases of 10.2.4.1: all masked, asserted, not asserted. */
uint64_t e1000_read_icr(Device *dev, unsigned n)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, ICR);

    if (!s->model->is_82574) {
        MAC(s, ICR) = 0;
    } else if (!MAC(s, IMS)) {
        MAC(s, ICR) = 0;
    } else if (is_asserted(s)) {
        value |= ICR_INT_ASSERTED;
        MAC(s, ICR) = 0;
        auto_mask(s);
    }
    e1000_update_irq(dev);
    return value;
}

void e1000_write_icr(Device *dev, unsigned n, uint64_t value)
{
    E1000Nic *s = E1000(dev);

    if (s->model->is_82574 && is_asserted(s)) {
        auto_mask(s);
    }
    MAC(s, ICR) &= ~value;
    e1000_update_irq(dev);
}

void e1000_write_ics(Device *dev, unsigned n, uint64_t value)
{
    e1000_raise(E1000(dev), value & ~ICR_INT_ASSERTED);
}

void e1000_write_imc(Device *dev, unsigned n, uint64_t value)
{
    MAC(E1000(dev), IMS) &= ~value;
    e1000_update_irq(dev);
}

/* --- delays --- */

static void delay(Timer *relative, uint32_t after, Timer *absolute, uint32_t at_most)
{
    timer_arm_after_ns(relative, (int64_t)(after & 0xffff) * DELAY_NS);
    if (at_most & 0xffff && !timer_is_armed(absolute)) {
        timer_arm_after_ns(absolute, (int64_t)(at_most & 0xffff) * DELAY_NS);
    }
}

void e1000_rx_timer(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t causes = s->rx_causes;

    timer_cancel(&s->rdtr);
    timer_cancel(&s->radv);
    s->rx_causes = 0;
    e1000_raise(s, causes);
}

void e1000_rx_done(E1000Nic *s, uint32_t causes)
{
    s->rx_causes |= causes;
    if (MAC(s, RDTR) & 0xffff) {
        delay(&s->rdtr, MAC(s, RDTR), &s->radv, MAC(s, RADV));
    } else {
        e1000_rx_timer(&s->parent.parent);
    }
}

void e1000_rdtr_written(Device *dev)
{
    E1000Nic *s = E1000(dev);

    if (MAC(s, RDTR) & RDTR_FPD) {
        MAC(s, RDTR) &= ~RDTR_FPD;
        e1000_rx_timer(dev);
    }
}

void e1000_tx_timer(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t causes = s->tx_causes;

    timer_cancel(&s->tidv);
    timer_cancel(&s->tadv);
    s->tx_causes = 0;
    e1000_raise(s, causes);
}

void e1000_tx_done(E1000Nic *s, uint32_t causes, bool may_wait)
{
    s->tx_causes |= causes;
    if (may_wait && MAC(s, TIDV) & 0xffff) {
        delay(&s->tidv, MAC(s, TIDV), &s->tadv, MAC(s, TADV));
    } else {
        e1000_tx_timer(&s->parent.parent);
    }
}

void e1000_irq_reset(E1000Nic *s)
{
    timer_cancel(&s->itr);
    for (unsigned n = 0; n < E1000_VECTORS; n++) {
        timer_cancel(&s->eitr[n]);
    }
    timer_cancel(&s->rdtr);
    timer_cancel(&s->radv);
    timer_cancel(&s->tidv);
    timer_cancel(&s->tadv);
    s->rx_causes = s->tx_causes = s->fired = 0;
    e1000_update_irq(&s->parent.parent);
}
