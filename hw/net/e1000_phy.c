/*
 * e1000: the PHY behind MDIC, and the link (IEEE 802.3, 22.2.4 and annex 28B; 82574L, chapter 9,
 * for what is Marvell's). It always finds a partner that does all speeds, if the network has a
 * link. Pages other than the first: the registers that drivers set up are kept, to no effect.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "util/log.h"

#define PHY_ADDRESS   1
#define AUTONEG_NS    (100 * NS_PER_MS)
enum { PHY_CONTROL = 0, PHY_STATUS = 1, PHY_ID1 = 2, PHY_ID2 = 3, PHY_ADVERTISE = 4,
       PHY_PARTNER = 5, PHY_EXPANSION = 6, PHY_NEXT_PAGE = 7, PHY_1000_CONTROL = 9,
       PHY_1000_STATUS = 10, PHY_EXTENDED = 15, PHY_SPEC_CONTROL = 16, PHY_SPEC_STATUS = 17,
       PHY_INT_ENABLE = 18, PHY_INT_STATUS = 19, PHY_EXT_CONTROL = 20, PHY_ERRORS = 21,
       PHY_PAGE = 22, PHY_LED = 24 };
#define CONTROL_RESET    BIT(15)
#define CONTROL_LOOPBACK BIT(14)
#define CONTROL_AUTONEG  BIT(12)
#define CONTROL_DOWN     BIT(11)
#define CONTROL_RESTART  BIT(9)
#define STATUS_DONE      BIT(5)
#define STATUS_LINK      BIT(2)
#define SPEC_LINK        BIT(10)

/* The first page; rows that are not here read as 0 and cannot be written. */
typedef struct PhyRow {
    uint8_t at;
    uint16_t initial, writable;
} PhyRow;
static const PhyRow rows[] = {
    { PHY_CONTROL, 0x1140, 0x7dff & ~CONTROL_RESTART },
    { PHY_STATUS, 0x7949, 0 },
    { PHY_ID1, 0x0141, 0 },
    { PHY_ADVERTISE, 0x0de1, 0xffff },
    { PHY_PARTNER, 0x45e1, 0 },
    { PHY_EXPANSION, 0x000f, 0 },
    { PHY_NEXT_PAGE, 0x2001, 0xffff },
    { PHY_1000_CONTROL, 0x0e00, 0xffff },
    { PHY_1000_STATUS, 0x3c00, 0 },
    { PHY_EXTENDED, 0x3000, 0 },
    { PHY_SPEC_CONTROL, 0x0360, 0xffff },
    { PHY_SPEC_STATUS, 0xa800, 0 }, /* 1000 Mbit/s, full duplex, resolved */
    { PHY_INT_ENABLE, 0, 0xffff },
    { PHY_INT_STATUS, 0, 0 },
    { PHY_EXT_CONTROL, 0x0d60, 0xffff },
    { PHY_ERRORS, 0, 0 },
    { PHY_PAGE, 0, 0xff },
    { PHY_LED, 0x4100, 0xffff }, /* LED control */
    { 25, 0, 0xffff },                /* LED override */
    { 29, 0, 0xffff }, { 30, 0, 0xffff }, /* test registers that drivers clear */
};

static const PhyRow *find(unsigned at)
{
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        if (rows[n].at == at) {
            return &rows[n];
        }
    }
    return NULL;
}

void e1000_phy_reset(E1000Nic *s)
{
    memset(s->phy, 0, sizeof(s->phy));
    for (unsigned n = 0; n < ARRAY_SIZE(rows); n++) {
        s->phy[rows[n].at] = rows[n].initial;
    }
    s->phy[PHY_ID2] = s->model->phy_id_2;
    memset(s->phy_pages, 0, sizeof(s->phy_pages));
    timer_cancel(&s->autoneg);
    s->is_negotiating = false;
}

/* --- the link --- */

bool e1000_phy_loops(const E1000Nic *s)
{
    return s->phy[PHY_CONTROL] & CONTROL_LOOPBACK;
}

bool e1000_has_link(const E1000Nic *s)
{
    return !s->end.is_link_down && !s->is_negotiating && !(s->phy[PHY_CONTROL] & CONTROL_DOWN);
}

void e1000_update_link(E1000Nic *s)
{
    bool is_up = e1000_has_link(s);

    if (is_up != s->had_link) {
        s->had_link = is_up;
        e1000_raise(s, ICR_LSC);
        e1000_wake_by_link(s);
    }
}

void e1000_autoneg_done(Device *dev)
{
    E1000Nic *s = E1000(dev);

    s->is_negotiating = false;
    e1000_update_link(s);
}

static void negotiate(E1000Nic *s)
{
    if (s->negotiates) {
        s->is_negotiating = true;
        timer_arm_after_ns(&s->autoneg, AUTONEG_NS);
    }
    e1000_update_link(s);
}

/* --- registers --- */

static void write_control(E1000Nic *s, uint16_t value)
{
    if (value & CONTROL_RESET) {
        e1000_phy_reset(s);
        negotiate(s);
    } else if (value & CONTROL_RESTART && value & CONTROL_AUTONEG) {
        negotiate(s);
    } else {
        e1000_update_link(s);
    }
}

/* A register of another page, of those that are kept; NULL: there is none. */
static uint16_t *paged(E1000Nic *s, unsigned at)
{
    unsigned page = s->phy[PHY_PAGE];

    return page < E1000_PHY_PAGES && at >= PHY_SPEC_CONTROL && at <= PHY_ERRORS
               ? &s->phy_pages[page][at - PHY_SPEC_CONTROL] : NULL;
}

static bool is_on_first_page(const E1000Nic *s, unsigned at)
{
    return !s->phy[PHY_PAGE] || at < PHY_SPEC_CONTROL || at == PHY_PAGE;
}

static uint16_t read_phy(E1000Nic *s, unsigned at)
{
    bool has_link = e1000_has_link(s);

    if (!is_on_first_page(s, at)) {
        uint16_t *word = paged(s, at);

        return word ? *word : 0;
    }
    if (at == PHY_STATUS) {
        return s->phy[at] | (has_link ? STATUS_LINK : 0) |
               (s->is_negotiating || s->end.is_link_down ? 0 : STATUS_DONE);
    }
    return s->phy[at] | (at == PHY_SPEC_STATUS && has_link ? SPEC_LINK : 0);
}

static void write_phy(E1000Nic *s, unsigned at, uint16_t value)
{
    const PhyRow *row = find(at);

    if (!is_on_first_page(s, at)) {
        uint16_t *word = paged(s, at);

        if (word) {
            *word = value;
        }
        return;
    }
    if (!row || !row->writable) {
        guest_error("e1000: PHY register %u written, which is read-only", at);
        return;
    }
    s->phy[at] = (s->phy[at] & ~row->writable) | (value & row->writable);
    if (at == PHY_CONTROL) {
        write_control(s, value);
    }
}

void e1000_mdic_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, MDIC) & ~(MDIC_READY | MDIC_E);
    unsigned at = value >> 16 & 0x1f, op = value >> 26 & 3;

    if ((value >> 21 & 0x1f) != PHY_ADDRESS || (op != MDIC_READ && op != MDIC_WRITE)) {
        value |= MDIC_E;
    } else if (op == MDIC_READ) {
        value = (value & 0xffff0000) | read_phy(s, at);
    } else {
        write_phy(s, at, value);
    }
    MAC(s, MDIC) = value | MDIC_READY;
    if (value & MDIC_I) {
        e1000_raise(s, ICR_MDAC);
    }
}
