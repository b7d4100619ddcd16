/*
 * One counter of an Intel 8254, as a function of time: no timers, no lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_TIMER_I8254_COUNTER_H
#define HW_TIMER_I8254_COUNTER_H

#include "system/vmstate.h"

#define PIT_HZ 1193182
#define PIT_NEVER UINT64_MAX

typedef enum PitAccess { PIT_LATCH, PIT_LOW, PIT_HIGH, PIT_WORD, PIT_ACCESSES } PitAccess;

typedef struct PitCounter {
    uint32_t count;     /* 1 to 65536; 0: none written since the mode was set */
    int64_t start_ns;   /* while it counts: when it would have begun */
    uint64_t held_ticks; /* while it does not: how far it had come */
    uint8_t mode, access, low_byte, status;
    uint16_t latched;
    uint8_t latched_bytes; /* still to be read */
    bool is_bcd, gate, counts, is_status_latched;
    bool reads_high, writes_high; /* the next byte is the high one */
} PitCounter;

extern const VMState pit_counter_state;

void pit_counter_reset(PitCounter *c, bool gate, int64_t now_ns);
/* A control word for this counter, the latch command included. */
void pit_counter_control(PitCounter *c, uint8_t word, int64_t now_ns);
void pit_counter_latch_status(PitCounter *c, int64_t now_ns);
void pit_counter_latch_count(PitCounter *c, int64_t now_ns);
void pit_counter_write(PitCounter *c, uint8_t value, int64_t now_ns);
uint8_t pit_counter_read(PitCounter *c, int64_t now_ns);
void pit_counter_set_gate(PitCounter *c, bool gate, int64_t now_ns);
bool pit_counter_out(const PitCounter *c, int64_t now_ns);
/* When OUT changes next by itself; INT64_MAX: not. */
int64_t pit_counter_next_change_ns(const PitCounter *c, int64_t now_ns);

#endif
