/*
 * IRQ lines: an IrqLine is an output, embedded in who drives it; an IrqInput is where a handler
 * listens. A line goes to at most one input; several may drive one (the last change wins: put an
 * IrqOr there if they share it). Levels are ints: 0 low, else high, or a value where both ends
 * agree. Machine lock, unless an end says otherwise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_IRQ_H
#define SYSTEM_IRQ_H

typedef struct IrqLine IrqLine;
typedef struct IrqInput IrqInput;
typedef struct IrqInputs IrqInputs;

/* Called for every irq_set() of a line connected to input `n`, changed or not. */
typedef void IrqHandler(void *opaque, unsigned n, int level);

/*
 * Told when a level changes, before it is delivered. One at a time; embed it. This is how a
 * test watches lines that go on working.
 */
typedef struct IrqObserver {
    void (*changed)(struct IrqObserver *observer, int level);
} IrqObserver;

struct IrqLine {
    IrqInput *to;      /* NULL: not connected */
    IrqLine *next;     /* of those that drive `to` */
    IrqObserver *observer;
    int level;
};

struct IrqInput {
    IrqInputs *set;
    IrqLine *lines;
    IrqObserver *observer;
    int level;         /* as last set */
};

struct IrqInputs {
    IrqHandler *handler;
    void *opaque;
    unsigned count;
    IrqInput *items;
};

void irq_inputs_init(IrqInputs *inputs, unsigned count, IrqHandler *handler, void *opaque);
/* Disconnects all lines that end here. */
void irq_inputs_clear(IrqInputs *inputs);
IrqInput *irq_inputs_at(IrqInputs *inputs, unsigned n);
unsigned irq_input_index(const IrqInput *input);

/* A line that is up stays up: the new input is told. NULL disconnects. */
void irq_connect(IrqLine *line, IrqInput *to);
void irq_disconnect(IrqLine *line);
static inline bool irq_is_connected(const IrqLine *line)
{
    return line->to;
}

void irq_set(IrqLine *line, int level);
/* Drives an input as a line would: tests, boards. */
void irq_input_set(IrqInput *input, int level);
static inline int irq_level(const IrqLine *line)
{
    return line->level;
}
static inline void irq_raise(IrqLine *line)
{
    irq_set(line, 1);
}
static inline void irq_lower(IrqLine *line)
{
    irq_set(line, 0);
}
static inline void irq_pulse(IrqLine *line)
{
    irq_raise(line);
    irq_lower(line);
}

/* False if it has an observer already. NULL takes it away. */
bool irq_observe(IrqLine *line, IrqObserver *observer);
bool irq_input_observe(IrqInput *input, IrqObserver *observer);

/* --- joints (system/irq_joints.c). Embed; outputs are connected like any line --- */

/* Up while any input is. */
typedef struct IrqOr {
    IrqInputs in;
    IrqLine out;
    unsigned high_count;
    bool *is_high; /* per input */
} IrqOr;
void irq_or_init(IrqOr *joint, unsigned inputs);
void irq_or_clear(IrqOr *joint);

/* One input to several lines. */
typedef struct IrqSplit {
    IrqInputs in; /* one */
    unsigned count;
    IrqLine *out;
} IrqSplit;
void irq_split_init(IrqSplit *joint, unsigned outputs);
void irq_split_clear(IrqSplit *joint);

typedef struct IrqInvert {
    IrqInputs in; /* one */
    IrqLine out;  /* up from the start */
} IrqInvert;
void irq_invert_init(IrqInvert *joint);
void irq_invert_clear(IrqInvert *joint);

#endif
