/*
 * Commands of Intel's 82078 floppy disk controller (data sheet 290474, chapters 5 and 6). The
 * data of a transfer is in fdc_transfer.c. Seeks take no time. Left out: FM and sectors of other
 * sizes than 512 bytes, which no disk here has, overrun, the gap and timing parameters' effects.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fdc_state.h"
#include "util/log.h"

enum {
    MSR_RQM = 0x80, MSR_DIO = 0x40, MSR_NON_DMA = 0x20, MSR_BUSY = 0x10,
    DOR_NOT_RESET = 0x04, DOR_DMA = 0x08,
    ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_READY_CHANGED = 0xc0, ST0_SEEK_END = 0x20,
    ST1_MISSING_MARK = 0x01, ST3_TRACK0 = 0x10, ST3_ALWAYS = 0x28,
    ST3_PROTECTED = 0x40,
};
#define DRIVE_MASK    3
#define HEAD_SHIFT    2
#define VERSION       0x90 /* of an 82078 or 82077 */
#define PART_ID       0x41 /* 64 pins */
#define CONFIG_RESET  0x60 /* implied seeks, the FIFO is off */
#define ID_NS         (NS_PER_SEC / 50)

Floppy *fdc_floppy(const Fdc *fdc, unsigned n)
{
    Floppy *floppy = n < FDC_DRIVES ? fdc->floppies[n] : NULL;

    return floppy && floppy->medium ? floppy : NULL;
}

void fdc_set_irq(Fdc *fdc, bool is_up)
{
    irq_set(&fdc->irq, is_up);
    fdc->sra = is_up ? 0x80 : 0;
}

static void enter(Fdc *fdc, FdcPhase phase, unsigned length)
{
    fdc->phase = phase;
    fdc->pos = 0;
    fdc->length = length;
}

static void idle(Fdc *fdc)
{
    enter(fdc, FDC_COMMAND, 1);
}

/* `bytes` of the fifo are the answer. */
static void reply(Fdc *fdc, unsigned bytes)
{
    enter(fdc, FDC_RESULT, bytes);
}

static uint8_t unit_of(const Fdc *fdc)
{
    return fdc->current | fdc->head << HEAD_SHIFT;
}

void fdc_finish(Fdc *fdc, uint8_t status0, uint8_t status1, uint8_t status2)
{
    const uint8_t result[] = {
        fdc->status0 = status0 | fdc->current, status1, status2, fdc->cylinder, fdc->head,
        fdc->sector, fdc->size_code,
    };

    memcpy(fdc->fifo, result, sizeof(result));
    reply(fdc, sizeof(result));
    fdc_set_irq(fdc, true);
}

/* --- seeking --- */

static void seek(Fdc *fdc, unsigned unit, int track)
{
    FdcDrive *drive = &fdc->drives[unit & DRIVE_MASK];
    uint8_t to = CLAMP(track, 0, FDC_MAX_TRACK);

    if (to != drive->track && fdc_floppy(fdc, unit & DRIVE_MASK)) {
        drive->has_changed = false;
    }
    drive->track = to;
    fdc->current = unit & DRIVE_MASK;
    fdc->head = unit >> HEAD_SHIFT & 1;
    fdc->status0 = ST0_SEEK_END | unit_of(fdc);
    idle(fdc);
    fdc_set_irq(fdc, true);
}

static void do_seek(Fdc *fdc)
{
    seek(fdc, fdc->fifo[1], fdc->fifo[2]);
}

static void do_relative_seek(Fdc *fdc)
{
    int track = fdc->drives[fdc->fifo[1] & DRIVE_MASK].track;

    seek(fdc, fdc->fifo[1], fdc->fifo[0] & 0x40 ? track + fdc->fifo[2] : track - fdc->fifo[2]);
}

static void do_recalibrate(Fdc *fdc)
{
    seek(fdc, fdc->fifo[1] & DRIVE_MASK, 0);
}

/* --- answers --- */

/* After a reset once for each drive; else for the interrupt that is there. */
static void do_sense_interrupt(Fdc *fdc)
{
    if (fdc->resets_to_sense) {
        fdc->fifo[0] = ST0_READY_CHANGED | (4 - fdc->resets_to_sense--);
        fdc->fifo[1] = 0;
    } else if (!fdc->sra) {
        fdc->fifo[0] = ST0_INVALID;
        reply(fdc, 1);
        return;
    } else {
        fdc->fifo[0] = fdc->status0;
        fdc->fifo[1] = fdc->drives[fdc->current].track;
    }
    fdc_set_irq(fdc, false);
    fdc->status0 = ST0_READY_CHANGED;
    reply(fdc, 2);
}

static void do_sense_drive(Fdc *fdc)
{
    unsigned n = fdc->fifo[1] & DRIVE_MASK;
    const Floppy *floppy = fdc_floppy(fdc, n);

    fdc->current = n;
    fdc->fifo[0] = ST3_ALWAYS | (fdc->drives[n].track ? 0 : ST3_TRACK0) | (fdc->fifo[1] & 7) |
                   (!floppy || floppy->medium->is_read_only ? ST3_PROTECTED : 0);
    reply(fdc, 1);
}

static void do_specify(Fdc *fdc)
{
    fdc->srt_hut = fdc->fifo[1];
    fdc->hlt_nd = fdc->fifo[2];
    fdc->dor = fdc->hlt_nd & 1 ? fdc->dor & ~DOR_DMA : fdc->dor | DOR_DMA;
    idle(fdc);
}

static void do_configure(Fdc *fdc)
{
    fdc->config = fdc->fifo[2];
    fdc->pretrk = fdc->fifo[3];
    idle(fdc);
}

/* The registers that DUMPREG and SAVE tell alike. */
static void put_registers(const Fdc *fdc, uint8_t *to)
{
    for (unsigned n = 0; n < 4; n++) {
        to[n] = fdc->drives[n].track;
    }
    to[4] = fdc->srt_hut;
    to[5] = fdc->hlt_nd;
}

static void do_dump_registers(Fdc *fdc)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);

    put_registers(fdc, fdc->fifo);
    fdc->fifo[6] = floppy ? floppy->geometry.last_sector : 0xff;
    fdc->fifo[7] = fdc->is_locked << 7 | fdc->perpendicular << 2;
    fdc->fifo[8] = fdc->config;
    fdc->fifo[9] = fdc->pretrk;
    reply(fdc, 10);
}

static void do_version(Fdc *fdc)
{
    fdc->fifo[0] = VERSION;
    reply(fdc, 1);
}

static void do_part_id(Fdc *fdc)
{
    fdc->fifo[0] = PART_ID;
    reply(fdc, 1);
}

static void do_lock(Fdc *fdc)
{
    fdc->is_locked = fdc->fifo[0] & 0x80;
    fdc->fifo[0] = fdc->is_locked << 4;
    reply(fdc, 1);
}

static void do_perpendicular(Fdc *fdc)
{
    if (fdc->fifo[1] & 0x80) { /* overwrite */
        fdc->perpendicular = fdc->fifo[1] & 0x7;
    }
    idle(fdc);
}

static void do_power_down(Fdc *fdc)
{
    fdc->fifo[0] = fdc->fifo[1];
    reply(fdc, 1);
}

static void do_option(Fdc *fdc)
{
    fdc->options = fdc->fifo[1];
    idle(fdc);
}

static void do_save(Fdc *fdc)
{
    memset(fdc->fifo, 0, 16);
    put_registers(fdc, fdc->fifo + 4);
    fdc->fifo[10] = fdc_floppy(fdc, fdc->current) ?
                        fdc_floppy(fdc, fdc->current)->geometry.last_sector : 0xff;
    fdc->fifo[11] = fdc->is_locked << 7 | fdc->perpendicular << 2;
    fdc->fifo[12] = fdc->config;
    fdc->fifo[13] = fdc->pretrk;
    reply(fdc, 16);
}

static void do_restore(Fdc *fdc)
{
    for (unsigned n = 0; n < 4; n++) {
        fdc->drives[n].track = MIN(fdc->fifo[5 + n], FDC_MAX_TRACK);
    }
    fdc->srt_hut = fdc->fifo[9];
    fdc->hlt_nd = fdc->fifo[10];
    fdc->is_locked = fdc->fifo[12] >> 7;
    fdc->perpendicular = fdc->fifo[12] >> 2 & 7;
    fdc->config = fdc->fifo[13];
    fdc->pretrk = fdc->fifo[14];
    idle(fdc);
}

/* As many bytes as the one with bit 6 set says is the last. */
static void do_drive_specification(Fdc *fdc)
{
    if (fdc->fifo[1] & 0x80) {
        fdc->fifo[0] = fdc->fifo[1];
        idle(fdc);
    } else {
        memset(fdc->fifo, 0, 4);
        reply(fdc, 4);
    }
}

/* The next address mark, whatever it is: there is one when the disk has turned. */
static void do_read_id(Fdc *fdc)
{
    fdc->current = fdc->fifo[1] & DRIVE_MASK;
    fdc->head = fdc->fifo[1] >> HEAD_SHIFT & 1;
    enter(fdc, FDC_DATA, 0);
    fdc->total = 0;
    timer_arm_after_ns(&fdc->id_timer, ID_NS);
}

void fdc_read_id_done(Fdc *fdc)
{
    const Floppy *floppy = fdc_floppy(fdc, fdc->current);

    if (!floppy || fdc->head >= floppy->geometry.heads) {
        fdc_finish(fdc, ST0_ABNORMAL | fdc->head << HEAD_SHIFT, ST1_MISSING_MARK, 0);
        return;
    }
    fdc->cylinder = fdc->drives[fdc->current].track;
    fdc->sector = 1;
    fdc->size_code = 2;
    fdc_finish(fdc, fdc->head << HEAD_SHIFT, 0, 0);
}

static void do_transfer(Fdc *fdc)
{
    enter(fdc, FDC_DATA, 0);
    fdc_start_transfer(fdc);
}

static void do_format(Fdc *fdc)
{
    enter(fdc, FDC_DATA, 0);
    fdc_start_format(fdc);
}

static void do_invalid(Fdc *fdc)
{
    guest_error("fdc: command 0x%02x is none", fdc->fifo[0]);
    fdc->fifo[0] = ST0_INVALID;
    reply(fdc, 1);
}

/* --- the table --- */

static const struct Command {
    uint8_t code, mask, params;
    void (*run)(Fdc *fdc);
} commands[] = {
    { 0x06, 0x1f, 8, do_transfer }, /* READ DATA */
    { 0x05, 0x3f, 8, do_transfer }, /* WRITE DATA */
    { 0x0c, 0x1f, 8, do_transfer }, /* READ DELETED DATA */
    { 0x09, 0x3f, 8, do_transfer }, /* WRITE DELETED DATA */
    { 0x02, 0x9f, 8, do_transfer }, /* READ TRACK */
    { 0x16, 0x1f, 8, do_transfer }, /* VERIFY */
    { 0x11, 0x1f, 8, do_transfer }, /* SCAN EQUAL, LOW OR EQUAL, HIGH OR EQUAL */
    { 0x19, 0x1f, 8, do_transfer },
    { 0x1d, 0x1f, 8, do_transfer },
    { 0x0d, 0xbf, 5, do_format },
    { 0x0a, 0xbf, 1, do_read_id },
    { 0x07, 0xff, 1, do_recalibrate },
    { 0x08, 0xff, 0, do_sense_interrupt },
    { 0x03, 0xff, 2, do_specify },
    { 0x04, 0xff, 1, do_sense_drive },
    { 0x0f, 0xff, 2, do_seek },
    { 0x8f, 0xbf, 2, do_relative_seek },
    { 0x13, 0xff, 3, do_configure },
    { 0x0e, 0xff, 0, do_dump_registers },
    { 0x10, 0xff, 0, do_version },
    { 0x18, 0xff, 0, do_part_id },
    { 0x14, 0x7f, 0, do_lock },
    { 0x12, 0xff, 1, do_perpendicular },
    { 0x17, 0xff, 2, do_power_down },
    { 0x33, 0xff, 1, do_option },
    { 0x2e, 0xff, 0, do_save },
    { 0x4e, 0xff, 16, do_restore },
    { 0x8e, 0xff, 1, do_drive_specification },
    { 0x00, 0x00, 0, do_invalid },
};

static const struct Command *find(uint8_t code)
{
    const struct Command *command = commands;

    while ((code & command->mask) != command->code) {
        command++;
    }
    return command;
}

void fdc_write_data(Fdc *fdc, uint8_t value)
{
    if (!(fdc->dor & DOR_NOT_RESET) || fdc->phase == FDC_RESULT) {
        guest_error("fdc: a byte for the data register, which takes none");
        return;
    }
    if (fdc->phase == FDC_DATA) {
        fdc_pio_write(fdc, value);
        return;
    }
    if (!fdc->pos) {
        fdc->length = 1 + find(value)->params;
    }
    fdc->fifo[fdc->pos++] = value;
    if (fdc->pos == fdc->length) {
        find(fdc->fifo[0])->run(fdc);
    }
}

uint8_t fdc_read_data(Fdc *fdc)
{
    uint8_t value;

    if (fdc->phase == FDC_DATA) {
        return fdc_pio_read(fdc);
    }
    if (fdc->phase != FDC_RESULT) {
        guest_error("fdc: the data register is empty");
        return 0;
    }
    value = fdc->fifo[fdc->pos++];
    if (fdc->pos == fdc->length) {
        fdc_set_irq(fdc, false);
        idle(fdc);
    }
    return value;
}

static bool is_to_host(const Fdc *fdc)
{
    unsigned op = fdc->fifo[0] & 0x1f;

    return op == 0x06 || op == 0x0c || op == 0x02;
}

uint8_t fdc_main_status(const Fdc *fdc)
{
    if (!(fdc->dor & DOR_NOT_RESET)) {
        return 0;
    }
    switch ((FdcPhase)fdc->phase) {
    case FDC_RESULT:
        return MSR_RQM | MSR_DIO | MSR_BUSY;
    case FDC_DATA:
        return MSR_BUSY | (fdc->is_dma || !fdc->total ? 0 : MSR_NON_DMA) |
               (!fdc->is_dma && fdc->total && !fdc->is_waiting ? MSR_RQM : 0) |
               (is_to_host(fdc) ? MSR_DIO : 0);
    default:
        return MSR_RQM | (fdc->pos ? MSR_BUSY : 0);
    }
}

/* By the pin, the DOR or the DSR; LOCK keeps the FIFO's settings from the last two. */
void fdc_reset(Fdc *fdc, bool is_hard)
{
    fdc_cancel(fdc);
    timer_cancel(&fdc->id_timer);
    fdc_set_irq(fdc, false);
    if (is_hard || !fdc->is_locked) {
        fdc->config = CONFIG_RESET;
        fdc->pretrk = 0;
    }
    fdc->perpendicular = 0;
    fdc->current = fdc->head = 0;
    fdc->status0 = 0;
    for (unsigned n = 0; n < 4; n++) {
        fdc->drives[n].track = 0;
    }
    memset(fdc->fifo, 0, sizeof(fdc->fifo));
    idle(fdc);
    fdc->resets_to_sense = is_hard ? 0 : 4;
    if (!is_hard) {
        fdc->status0 = ST0_READY_CHANGED;
        fdc_set_irq(fdc, true);
    }
}
