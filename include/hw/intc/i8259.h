/*
 * The PC's pair of 8259A interrupt controllers: 16 inputs, one line to the CPU.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "hw/isa/isa.h"

#define TYPE_I8259 "isa-i8259"

/*
 * Makes and realizes master and slave at the PC's places and connects the slave; the master is
 * returned (borrowed). Its unnamed output is for the board to connect.
 */
Device *i8259_pair_new(IsaBus *bus);
/* Interrupt n, 0 to 15, of the pair; n is not 2. */
IrqInput *i8259_pair_input(Device *master, unsigned n);
/* What a CPU does when it takes an interrupt (INTA): the vector. */
uint8_t i8259_acknowledge(Device *master);
/* Is there something to acknowledge? */
bool i8259_is_pending(Device *master);

#endif
