/*
 * Raising exceptions, and what happens when one is raised on the way to another's handler: double
 * fault, shutdown. SDM volume 3, 6.15 "Interrupt 8".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/svm.h"

/* Vectors by what they do to each other. */
#define CONTRIBUTORY (BIT(VECTOR_DE) | BIT(VECTOR_TS) | BIT(VECTOR_NP) | BIT(VECTOR_SS) | \
                      BIT(VECTOR_GP))
#define PAGE_FAULT   BIT(VECTOR_PF)

static bool is_in(unsigned vector, uint32_t set)
{
    return vector < 32 && (set >> vector & 1);
}

/* Interrupts with the vectors of faults are none: INT 8 is no double fault. */
static bool is_interrupt(const X86Event *event)
{
    return event->kind == EVENT_EXTERNAL || event->kind == EVENT_SOFTWARE;
}

static bool makes_shutdown(const X86Event *first, unsigned second)
{
    return !is_interrupt(first) && first->vector == VECTOR_DF &&
           is_in(second, CONTRIBUTORY | PAGE_FAULT);
}

static bool makes_double_fault(const X86Event *first, unsigned second)
{
    if (is_interrupt(first)) {
        return false;
    }
    return (is_in(first->vector, CONTRIBUTORY) && is_in(second, CONTRIBUTORY)) ||
           (is_in(first->vector, PAGE_FAULT) && is_in(second, CONTRIBUTORY | PAGE_FAULT));
}

/* An exception on the way to a guest's handler is intercepted before it becomes another. */
static void check_intercept(X86Cpu *cpu, const X86Event *event)
{
    X86State *s = &cpu->state;

    if (s->svm.is_guest && (s->svm.exceptions >> (event->vector & 31) & 1)) {
        x86_svm_exit(cpu, SVM_EXIT_EXCEPTION + event->vector, event->has_error ? event->error : 0,
                     event->vector == VECTOR_PF ? event->address : 0, 0);
    }
}

/* Sets the event, or what it becomes while another one is being delivered. */
static void set_event(X86Cpu *cpu, X86Event event)
{
    X86State *s = &cpu->state;

    if (!s->is_delivering) {
        s->event = event;
        return;
    }
    check_intercept(cpu, &event);
    s->is_delivering = false;
    if (makes_shutdown(&s->event, event.vector)) {
        s->event.vector = NO_VECTOR;
        s->is_shut_down = true;
    } else if (makes_double_fault(&s->event, event.vector)) {
        s->cr2 = event.vector == VECTOR_PF ? event.address : s->cr2;
        s->event = (X86Event){ .vector = VECTOR_DF, .kind = EVENT_FAULT, .has_error = true };
    } else {
        s->event = event;
    }
}

void x86_raise(X86Cpu *cpu, unsigned vector)
{
    set_event(cpu, (X86Event){ .vector = vector, .kind = EVENT_FAULT });
    x86_leave(cpu);
}

/* Error codes of what goes wrong for an external event have the EXT bit. */
static uint32_t with_ext(const X86State *s, unsigned vector, uint32_t error)
{
    bool is_selector = vector == VECTOR_TS || vector == VECTOR_NP || vector == VECTOR_SS ||
                       vector == VECTOR_GP;

    return error | (is_selector && s->is_delivering && s->event.kind != EVENT_SOFTWARE);
}

void x86_raise_error(X86Cpu *cpu, unsigned vector, uint32_t error)
{
    set_event(cpu, (X86Event){ .vector = vector, .kind = EVENT_FAULT, .has_error = true,
                               .error = with_ext(&cpu->state, vector, error) });
    x86_leave(cpu);
}

void x86_raise_noncanonical(X86Cpu *cpu, uint64_t linear)
{
    set_event(cpu, (X86Event){ .vector = VECTOR_GP, .kind = EVENT_FAULT, .has_error = true,
                               .address = linear,
                               .is_address = !cpu->state.is_delivering });
    x86_leave(cpu);
}

void x86_raise_page_fault(X86Cpu *cpu, uint64_t linear, uint32_t error)
{
    set_event(cpu, (X86Event){ .vector = VECTOR_PF, .kind = EVENT_FAULT, .has_error = true,
                               .error = error, .address = linear });
    x86_leave(cpu);
}

void x86_raise_debug(X86Cpu *cpu, X86EventKind kind, uint64_t debug)
{
    set_event(cpu, (X86Event){ .vector = VECTOR_DB, .kind = kind, .debug = debug });
    x86_leave(cpu);
}

void x86_raise_software(X86Cpu *cpu, unsigned vector, uint64_t next_rip)
{
    set_event(cpu, (X86Event){ .vector = vector, .kind = EVENT_SOFTWARE, .next_rip = next_rip });
    x86_leave(cpu);
}

void x86_set_external_event(X86Cpu *cpu, unsigned vector)
{
    cpu->state.event = (X86Event){ .vector = vector, .kind = EVENT_EXTERNAL };
}
