/*
 * SerialPort: the registers and FIFOs of a 16550A UART; ISA, PCI and memory-mapped ports embed it.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "chardev/frontend.h"
#include "system/irq.h"
#include "system/timer.h"
#include "system/vmstate.h"

#define SERIAL_FIFO_BYTES 16

typedef struct SerialPort {
    CharFrontend chr;   /* the holder's property */
    uint32_t baudbase;  /* bit/s with divisor 1; the holder's property */
    bool wakeup;        /* received bytes wake a suspended guest; the holder's property */
    IrqLine irq;
    Timer timeout;      /* the holder declares it with serial_port_timeout() */
    GSource *watch;     /* the chardev is full */
    uint16_t divisor;
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr, rbr;
    bool is_thr_pending, is_timeout_pending;
    uint8_t rx[SERIAL_FIFO_BYTES], tx[SERIAL_FIFO_BYTES];
    uint8_t rx_count, tx_count;
} SerialPort;

extern const VMState serial_port_state;

/* Listens to the chardev; lets it go. */
void serial_port_start(SerialPort *port);
void serial_port_stop(SerialPort *port);
void serial_port_reset(SerialPort *port);
void serial_port_timeout(SerialPort *port);
/* `at` 0 to 7. */
uint8_t serial_port_read(SerialPort *port, unsigned at);
void serial_port_write(SerialPort *port, unsigned at, uint8_t value);

#endif
