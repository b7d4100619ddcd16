/*
 * The 16550A UART, per National's PC16550D data sheet. Bytes go out at once; the receiver is as
 * fast as the chardev, its timeout runs in character times. Modem lines are the host's if it has
 * them. The chardev's parity and framing errors cannot be seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/char/serial.h"
#include "system/run_state.h"

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RDI       BIT(0)
#define IER_THRI      BIT(1)
#define IER_RLSI      BIT(2)
#define IER_MSI       BIT(3)
#define IER_MASK      0x0f
#define IIR_NONE      0x01
#define IIR_MSI       0x00
#define IIR_THRI      0x02
#define IIR_RDI       0x04
#define IIR_RLSI      0x06
#define IIR_CTI       0x0c
#define IIR_FIFOS     0xc0
#define FCR_ENABLE    BIT(0)
#define FCR_CLEAR_RX  BIT(1)
#define FCR_CLEAR_TX  BIT(2)
#define FCR_KEPT      0xc9
#define LCR_BREAK     BIT(6)
#define LCR_DLAB      BIT(7)
#define MCR_DTR       BIT(0)
#define MCR_RTS       BIT(1)
#define MCR_OUT2      BIT(3)
#define MCR_LOOP      BIT(4)
#define MCR_MASK      0x1f
#define LSR_DR        BIT(0)
#define LSR_OE        BIT(1)
#define LSR_BI        BIT(4)
#define LSR_THRE      BIT(5)
#define LSR_TEMT      BIT(6)
#define LSR_ERRORS    0x1e
#define MSR_DELTAS    0x0f
#define MSR_TERI      BIT(2)
#define MSR_CTS       BIT(4)
#define MSR_DSR       BIT(5)
#define MSR_RI        BIT(6)
#define MSR_DCD       BIT(7)

static bool has_fifos(const SerialPort *p)
{
    return p->fcr & FCR_ENABLE;
}

static unsigned rx_room(const SerialPort *p)
{
    return has_fifos(p) ? SERIAL_FIFO_BYTES : 1;
}

static unsigned rx_trigger(const SerialPort *p)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return has_fifos(p) ? levels[p->fcr >> 6] : 1;
}

/* --- the interrupt --- */

static uint8_t pending(const SerialPort *p)
{
    if (p->ier & IER_RLSI && p->lsr & LSR_ERRORS) {
        return IIR_RLSI;
    }
    if (p->ier & IER_RDI && p->is_timeout_pending) {
        return IIR_CTI;
    }
    if (p->ier & IER_RDI && p->rx_count >= rx_trigger(p)) {
        return IIR_RDI;
    }
    if (p->ier & IER_THRI && p->is_thr_pending) {
        return IIR_THRI;
    }
    return p->ier & IER_MSI && p->msr & MSR_DELTAS ? IIR_MSI : IIR_NONE;
}

static void update_irq(SerialPort *p)
{
    irq_set(&p->irq, pending(p) != IIR_NONE);
}

/* --- line settings --- */

static unsigned char_bits(const SerialPort *p)
{
    return 1 + 5 + (p->lcr & 3) + (p->lcr & BIT(3) ? 1 : 0) + (p->lcr & BIT(2) ? 2 : 1);
}

static unsigned speed_bps(const SerialPort *p)
{
    return p->divisor ? p->baudbase / p->divisor : 0;
}

static void tell_params(SerialPort *p)
{
    CharSerialParams params = {
        .speed_bps = speed_bps(p),
        .parity = !(p->lcr & BIT(3)) ? 'N' : p->lcr & BIT(4) ? 'E' : 'O',
        .data_bits = 5 + (p->lcr & 3),
        .stop_bits = p->lcr & BIT(2) ? 2 : 1,
    };

    if (params.speed_bps) {
        char_frontend_set_serial(&p->chr, &params);
    }
}

/* New levels of the modem lines; what changed is told by the deltas. */
static void set_modem_inputs(SerialPort *p, uint8_t lines)
{
    uint8_t changed = (p->msr ^ lines) >> 4;

    if (changed & MSR_TERI && lines & MSR_RI) { /* only its trailing edge counts */
        changed &= ~MSR_TERI;
    }
    p->msr = lines | (p->msr & MSR_DELTAS) | changed;
}

static void look_at_modem(SerialPort *p)
{
    unsigned lines;

    if (p->mcr & MCR_LOOP) { /* outputs come back: OUT2, OUT1, DTR, RTS */
        set_modem_inputs(p, (p->mcr & 0x0c) << 4 | (p->mcr & MCR_DTR ? MSR_DSR : 0) |
                                (p->mcr & MCR_RTS ? MSR_CTS : 0));
        return;
    }
    if (!char_frontend_get_modem(&p->chr, &lines)) {
        set_modem_inputs(p, MSR_DCD | MSR_DSR | MSR_CTS);
        return;
    }
    set_modem_inputs(p, (lines & CHAR_MODEM_CTS ? MSR_CTS : 0) |
                            (lines & CHAR_MODEM_DSR ? MSR_DSR : 0) |
                            (lines & CHAR_MODEM_RI ? MSR_RI : 0) |
                            (lines & CHAR_MODEM_CAR ? MSR_DCD : 0));
}

/* --- receiver --- */

static void arm_timeout(SerialPort *p)
{
    int64_t speed = speed_bps(p);

    if (has_fifos(p) && p->rx_count && speed) {
        timer_arm_after_ns(&p->timeout, 4 * char_bits(p) * NS_PER_SEC / speed);
    } else {
        timer_cancel(&p->timeout);
    }
}

void serial_port_timeout(SerialPort *p)
{
    p->is_timeout_pending = p->rx_count != 0;
    update_irq(p);
}

static void receive(SerialPort *p, uint8_t byte)
{
    if (p->rx_count == rx_room(p)) {
        p->lsr |= LSR_OE;
        if (!has_fifos(p)) { /* the buffer is overwritten, a full FIFO is not */
            p->rx[0] = byte;
        }
    } else {
        p->rx[p->rx_count++] = byte;
    }
    p->lsr |= LSR_DR;
    arm_timeout(p);
}

static uint8_t read_data(SerialPort *p)
{
    if (p->rx_count) {
        p->rbr = p->rx[0];
        memmove(p->rx, p->rx + 1, --p->rx_count);
        char_frontend_accept_input(&p->chr);
    }
    if (!p->rx_count) {
        p->lsr &= ~LSR_DR;
    }
    p->is_timeout_pending = false;
    arm_timeout(p);
    return p->rbr;
}

static size_t chr_can_read(void *opaque)
{
    SerialPort *p = opaque;

    return p->mcr & MCR_LOOP ? 0 : rx_room(p) - p->rx_count;
}

static void wake(SerialPort *p)
{
    if (p->wakeup) {
        vm_request_wakeup(WAKEUP_OTHER, NULL);
    }
}

static void chr_read(void *opaque, const uint8_t *bytes, size_t size)
{
    SerialPort *p = opaque;

    wake(p);
    for (size_t i = 0; i < size; i++) {
        receive(p, bytes[i]);
    }
    update_irq(p);
}

static void chr_event(void *opaque, CharEvent event)
{
    SerialPort *p = opaque;

    if (event == CHAR_EVENT_BREAK) {
        receive(p, 0);
        p->lsr |= LSR_BI;
        update_irq(p);
    }
}

static bool chr_changed(void *opaque, Error **errp)
{
    SerialPort *p = opaque;

    tell_params(p);
    char_frontend_set_break(&p->chr, p->lcr & LCR_BREAK);
    return true;
}

static const CharHandlers serial_handlers = {
    .can_read = chr_can_read, .read = chr_read, .event = chr_event, .changed = chr_changed,
};

/* --- transmitter --- */

static void drop_watch(SerialPort *p)
{
    if (p->watch) {
        g_source_destroy(p->watch);
        g_clear_pointer(&p->watch, g_source_unref);
    }
}

static size_t send(SerialPort *p)
{
    ssize_t taken;

    if (p->mcr & MCR_LOOP) {
        for (unsigned i = 0; i < p->tx_count; i++) {
            receive(p, p->tx[i]);
        }
        return p->tx_count;
    }
    taken = char_frontend_write(&p->chr, p->tx, p->tx_count);
    return taken == -EAGAIN ? 0 : taken < 0 ? p->tx_count : (size_t)taken;
}

static void transmit(SerialPort *p);

static gboolean chr_has_room(void *opaque, GIOCondition condition)
{
    SerialPort *p = opaque;

    g_clear_pointer(&p->watch, g_source_unref);
    transmit(p);
    return G_SOURCE_REMOVE;
}

/* What the chardev does not take waits until it has room; without such a sign it is lost. */
static void transmit(SerialPort *p)
{
    size_t taken = p->tx_count && !p->watch ? send(p) : 0;

    p->tx_count -= taken;
    memmove(p->tx, p->tx + taken, p->tx_count);
    if (p->tx_count && !p->watch) {
        p->watch = char_frontend_watch(&p->chr, G_IO_OUT | G_IO_HUP, chr_has_room, p);
        p->tx_count = p->watch ? p->tx_count : 0;
    }
    if (!p->tx_count) {
        p->lsr |= LSR_THRE | LSR_TEMT;
        p->is_thr_pending = true;
    }
    update_irq(p);
}

static void write_data(SerialPort *p, uint8_t value)
{
    unsigned room = has_fifos(p) ? SERIAL_FIFO_BYTES : 1;

    if (p->tx_count == room) { /* the last one is overwritten */
        p->tx_count--;
    }
    p->tx[p->tx_count++] = value;
    p->is_thr_pending = false;
    p->lsr &= ~(LSR_THRE | LSR_TEMT);
    transmit(p);
}

/* --- registers --- */

static void clear_rx(SerialPort *p)
{
    p->rx_count = 0;
    p->lsr &= ~(LSR_DR | LSR_BI);
    p->is_timeout_pending = false;
    timer_cancel(&p->timeout);
    char_frontend_accept_input(&p->chr);
}

static void clear_tx(SerialPort *p)
{
    p->tx_count = 0;
    drop_watch(p);
    p->lsr |= LSR_THRE | LSR_TEMT;
    p->is_thr_pending = true;
}

static void write_fcr(SerialPort *p, uint8_t value)
{
    bool is_switched = (value ^ p->fcr) & FCR_ENABLE;

    if (is_switched || (value & FCR_ENABLE && value & FCR_CLEAR_RX)) {
        clear_rx(p);
    }
    if (is_switched || (value & FCR_ENABLE && value & FCR_CLEAR_TX)) {
        clear_tx(p);
    }
    p->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
}

static void write_ier(SerialPort *p, uint8_t value)
{
    bool asks = value & ~p->ier & IER_THRI;

    p->ier = value & IER_MASK;
    if (asks) { /* an empty transmitter says so when first asked */
        p->is_thr_pending = p->lsr & LSR_THRE;
    }
}

static void write_lcr(SerialPort *p, uint8_t value)
{
    uint8_t changed = value ^ p->lcr;

    p->lcr = value;
    if (changed & LCR_BREAK) {
        char_frontend_set_break(&p->chr, value & LCR_BREAK);
    }
    tell_params(p);
}

static void write_mcr(SerialPort *p, uint8_t value)
{
    unsigned lines = 0;

    p->mcr = value & MCR_MASK;
    look_at_modem(p);
    if (!(p->mcr & MCR_LOOP) && char_frontend_get_modem(&p->chr, &lines)) {
        lines &= ~(CHAR_MODEM_DTR | CHAR_MODEM_RTS);
        lines |= p->mcr & MCR_DTR ? CHAR_MODEM_DTR : 0;
        lines |= p->mcr & MCR_RTS ? CHAR_MODEM_RTS : 0;
        char_frontend_set_modem(&p->chr, lines);
    }
    char_frontend_accept_input(&p->chr);
}

static void write_divisor(SerialPort *p, uint16_t divisor)
{
    p->divisor = divisor;
    tell_params(p);
}

void serial_port_write(SerialPort *p, unsigned at, uint8_t value)
{
    bool is_divisor = p->lcr & LCR_DLAB;

    switch (at) {
    case REG_DATA:
        is_divisor ? write_divisor(p, (p->divisor & 0xff00) | value) : write_data(p, value);
        break;
    case REG_IER:
        is_divisor ? write_divisor(p, (p->divisor & 0xff) | value << 8) : write_ier(p, value);
        break;
    case REG_IIR_FCR:
        write_fcr(p, value);
        break;
    case REG_LCR:
        write_lcr(p, value);
        break;
    case REG_MCR:
        write_mcr(p, value);
        break;
    case REG_SCR:
        p->scr = value;
        break;
    }
    update_irq(p);
}

static uint8_t read_iir(SerialPort *p)
{
    uint8_t id = pending(p);

    if (id == IIR_THRI) {
        p->is_thr_pending = false;
    }
    return id | (has_fifos(p) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(SerialPort *p)
{
    uint8_t value = p->lsr;

    p->lsr &= ~LSR_ERRORS;
    return value;
}

static uint8_t read_msr(SerialPort *p)
{
    uint8_t value;

    look_at_modem(p);
    value = p->msr;
    p->msr &= ~MSR_DELTAS;
    return value;
}

static uint8_t read_register(SerialPort *p, unsigned at)
{
    bool is_divisor = p->lcr & LCR_DLAB;

    switch (at) {
    case REG_DATA:
        return is_divisor ? p->divisor : read_data(p);
    case REG_IER:
        return is_divisor ? p->divisor >> 8 : p->ier;
    case REG_IIR_FCR:
        return read_iir(p);
    case REG_LCR:
        return p->lcr;
    case REG_MCR:
        return p->mcr;
    case REG_LSR:
        return read_lsr(p);
    case REG_MSR:
        return read_msr(p);
    default:
        return p->scr;
    }
}

uint8_t serial_port_read(SerialPort *p, unsigned at)
{
    uint8_t value = read_register(p, at);

    update_irq(p);
    return value;
}

/* --- life --- */

void serial_port_start(SerialPort *p)
{
    char_frontend_set_handlers(&p->chr, &serial_handlers, p, NULL);
}

void serial_port_stop(SerialPort *p)
{
    drop_watch(p);
    char_frontend_detach(&p->chr);
}

void serial_port_reset(SerialPort *p)
{
    clear_rx(p);
    clear_tx(p);
    p->ier = p->fcr = p->lcr = p->scr = p->rbr = 0;
    p->mcr = MCR_OUT2;
    p->lsr = LSR_THRE | LSR_TEMT;
    p->msr = MSR_DCD | MSR_DSR | MSR_CTS;
    p->divisor = 12; /* 9600 bit/s */
    p->is_thr_pending = false;
    update_irq(p);
}

static bool port_post_load(void *opaque, int version, Error **errp)
{
    SerialPort *p = opaque;

    if (p->rx_count > rx_room(p) || p->tx_count > rx_room(p)) {
        return error_set(errp, "serial: a FIFO holds more than it can");
    }
    tell_params(p);
    if (p->tx_count) {
        transmit(p);
    }
    return true;
}

static const VMField port_fields[] = {
    VM_U16(SerialPort, divisor), VM_U8(SerialPort, ier), VM_U8(SerialPort, fcr),
    VM_U8(SerialPort, lcr), VM_U8(SerialPort, mcr), VM_U8(SerialPort, lsr),
    VM_U8(SerialPort, msr), VM_U8(SerialPort, scr), VM_U8(SerialPort, rbr),
    VM_BOOL(SerialPort, is_thr_pending), VM_BOOL(SerialPort, is_timeout_pending),
    VM_BUFFER(SerialPort, rx), VM_BUFFER(SerialPort, tx), VM_U8(SerialPort, rx_count),
    VM_U8(SerialPort, tx_count), VM_TIMER(SerialPort, timeout),
};
const VMState serial_port_state = VMSTATE_INIT(port_fields, .name = "serial", .version = 1,
                                               .post_load = port_post_load);
