/*
 * ATA commands (ATA8-ACS, chapter 7) and what both kinds of drives do on a reset. Left out:
 * security, host protected area's SET MAX, logs but SMART's, CFA, streaming, trusted computing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "trace.h"

/* Who knows a command; FOR_DISK with a medium. */
enum { FOR_DISK = 1, FOR_CD = 2, FOR_BOTH = 3 };

enum {
    DATA_SET_MANAGEMENT = 0x06, DEVICE_RESET = 0x08,
    READ_VERIFY_EXT = 0x42, READ_VERIFY = 0x40, READ_VERIFY_NO_RETRY = 0x41, SMART = 0xb0,
};

#define MAX_TRIM_ENTRY 0xffff

static void ide_abort(IdeDrive *drive)
{
    ide_fail(drive, IDE_ER_ABRT);
}

/* --- addresses --- */

static uint64_t lba28(const IdeDrive *drive)
{
    return (drive->device & 0xf) << 24 | drive->lba_high[0] << 16 | drive->lba_mid[0] << 8 |
           drive->lba_low[0];
}

static uint64_t lba48(const IdeDrive *drive)
{
    return (uint64_t)drive->lba_high[1] << 40 | (uint64_t)drive->lba_mid[1] << 32 |
           (uint64_t)drive->lba_low[1] << 24 | drive->lba_high[0] << 16 |
           drive->lba_mid[0] << 8 | drive->lba_low[0];
}

/* UINT64_MAX: there is no such sector. */
static uint64_t chs(const IdeDrive *drive)
{
    uint64_t cylinder = drive->lba_high[0] << 8 | drive->lba_mid[0];
    unsigned head = drive->device & 0xf, sector = drive->lba_low[0];

    if (!sector || sector > drive->now_secs || head >= drive->now_heads) {
        return UINT64_MAX;
    }
    return (cylinder * drive->now_heads + head) * drive->now_secs + sector - 1;
}

typedef struct Range {
    uint64_t sector;
    uint32_t sectors;
} Range;

/* False: it was refused. */
static bool get_range(IdeDrive *drive, bool is_ext, Range *range)
{
    uint32_t count = is_ext ? drive->count[1] << 8 | drive->count[0] : drive->count[0];

    range->sectors = count ? count : is_ext ? 65536 : 256;
    range->sector = is_ext ? lba48(drive) : drive->device & IDE_DEV_LBA ? lba28(drive) :
                                                                         chs(drive);
    if (range->sector >= drive->medium->sectors ||
        range->sectors > drive->medium->sectors - range->sector) {
        ide_fail(drive, IDE_ER_IDNF | IDE_ER_ABRT);
        return false;
    }
    return true;
}

static void read_data(IdeDrive *drive, bool is_ext, uint32_t block, bool is_dma)
{
    Range range;

    if (get_range(drive, is_ext, &range)) {
        ide_start_read(drive, range.sector, range.sectors, block, is_dma);
    }
}

static void write_data(IdeDrive *drive, bool is_ext, uint32_t block, bool is_dma)
{
    Range range;

    if (drive->medium->is_read_only) {
        ide_abort(drive);
    } else if (get_range(drive, is_ext, &range)) {
        ide_start_write(drive, range.sector, range.sectors, block, is_dma);
    }
}

/* --- reading and writing: by opcode, a row says how --- */

typedef struct Transfer {
    uint8_t command;
    bool is_write, is_ext, is_dma, is_multiple;
} Transfer;

static const Transfer transfers[] = {
    { 0x20 }, { 0x21 }, { 0x24, .is_ext = true },
    { 0x25, .is_ext = true, .is_dma = true }, { 0xc8, .is_dma = true }, { 0xc9, .is_dma = true },
    { 0xc4, .is_multiple = true }, { 0x29, .is_ext = true, .is_multiple = true },
    { 0x30, .is_write = true }, { 0x31, .is_write = true }, { 0x3c, .is_write = true },
    { 0x34, .is_write = true, .is_ext = true },
    { 0x35, .is_write = true, .is_ext = true, .is_dma = true },
    { 0x3d, .is_write = true, .is_ext = true, .is_dma = true },
    { 0xca, .is_write = true, .is_dma = true }, { 0xcb, .is_write = true, .is_dma = true },
    { 0xc5, .is_write = true, .is_multiple = true },
    { 0x39, .is_write = true, .is_ext = true, .is_multiple = true },
    { 0xce, .is_write = true, .is_ext = true, .is_multiple = true },
    { READ_VERIFY }, { READ_VERIFY_NO_RETRY }, { READ_VERIFY_EXT, .is_ext = true },
};

bool ide_drive_is_verifying(const IdeDrive *drive)
{
    return drive->command == READ_VERIFY || drive->command == READ_VERIFY_NO_RETRY ||
           drive->command == READ_VERIFY_EXT;
}

static void do_transfer(IdeDrive *drive)
{
    const Transfer *row = transfers;
    uint32_t block;

    while (row->command != drive->command) {
        row++;
    }
    if (row->is_multiple && !drive->multiple) {
        ide_abort(drive);
        return;
    }
    block = row->is_multiple ? drive->multiple :
            row->is_dma || ide_drive_is_verifying(drive) ? IDE_BUFFER_SECTORS : 1;
    if (row->is_write) {
        write_data(drive, row->is_ext, block, row->is_dma);
    } else {
        read_data(drive, row->is_ext, block, row->is_dma);
    }
}

/* --- discarding --- */

static void do_discard(IdeDrive *drive)
{
    uint32_t blocks = drive->count[0]; /* IDENTIFY permits no more: the high byte is 0 */

    if (!(drive->features[0] & 1) || !blocks || blocks > IDE_BUFFER_SECTORS ||
        drive->medium->is_read_only) {
        ide_abort(drive);
        return;
    }
    ide_receive_buffer(drive, blocks * DISK_SECTOR_BYTES, true);
}

/* An entry is 48 bits of address and 16 of length; those of length 0 mean nothing. */
bool ide_drive_discard_next(IdeDrive *drive)
{
    while (drive->command == DATA_SET_MANAGEMENT && drive->pos < drive->end) {
        uint64_t entry = load_le64(drive->buffer + drive->pos);
        uint64_t sector = entry & (UINT64_MAX >> 16), sectors = entry >> 48;

        drive->pos += 8;
        if (!sectors) {
            continue;
        }
        if (!drive->medium || sector >= drive->medium->sectors ||
            sectors > drive->medium->sectors - sector) {
            drive->io_error = EINVAL;
            return true;
        }
        drive->sector = sector;
        drive->left = sectors;
        ide_start_sync(drive, DISK_OP_DISCARD);
        return true;
    }
    return false;
}

void ide_drive_take_buffer(IdeDrive *drive)
{
    drive->pos = 0;
    drive->phase = IDE_SYNC;
    drive->io_error = 0;
    if (!ide_drive_discard_next(drive)) {
        ide_finish(drive);
    }
}

/* --- no data --- */

static void do_flush(IdeDrive *drive)
{
    drive->left = 0;
    ide_start_sync(drive, DISK_OP_FLUSH);
}

static void do_nothing(IdeDrive *drive)
{
    ide_finish(drive);
}

static void do_seek(IdeDrive *drive)
{
    uint64_t sector = drive->device & IDE_DEV_LBA ? lba28(drive) : chs(drive);

    if (sector < drive->medium->sectors) {
        ide_finish(drive);
    } else {
        ide_fail(drive, IDE_ER_IDNF);
    }
}

static void do_initialize_parameters(IdeDrive *drive)
{
    if (!drive->count[0]) {
        ide_abort(drive);
        return;
    }
    drive->now_secs = drive->count[0];
    drive->now_heads = (drive->device & 0xf) + 1;
    ide_finish(drive);
}

static void do_set_multiple(IdeDrive *drive)
{
    unsigned sectors = drive->count[0];

    if (sectors > IDE_MAX_MULTIPLE || sectors & (sectors - 1)) {
        ide_abort(drive);
        return;
    }
    drive->multiple = sectors;
    ide_finish(drive);
}

static void set_lba(IdeDrive *drive, uint64_t lba, bool is_ext)
{
    drive->lba_low[0] = lba;
    drive->lba_mid[0] = lba >> 8;
    drive->lba_high[0] = lba >> 16;
    if (is_ext) {
        drive->lba_low[1] = lba >> 24;
        drive->lba_mid[1] = lba >> 32;
        drive->lba_high[1] = lba >> 40;
    } else {
        drive->device = (drive->device & 0xf0) | (lba >> 24 & 0xf);
    }
}

static void do_native_max(IdeDrive *drive)
{
    set_lba(drive, MIN(drive->medium->sectors, BIT64(28) - 1) - 1, false);
    ide_finish(drive);
}

static void do_native_max_ext(IdeDrive *drive)
{
    set_lba(drive, drive->medium->sectors - 1, true);
    ide_finish(drive);
}

/* STANDBY, IDLE, their IMMEDIATE forms, SLEEP: a drive without motor is always as fast. */
static void do_power(IdeDrive *drive)
{
    unsigned op = drive->command & 0xf;

    drive->power = op == 0 || op == 2 || op == 4 || op == 6 ? 0x00 : 0xff;
    ide_finish(drive);
}

static void do_check_power(IdeDrive *drive)
{
    drive->count[0] = drive->power;
    ide_finish(drive);
}

static void do_identify(IdeDrive *drive)
{
    if (drive->is_cd) {
        ide_drive_set_signature(drive);
        ide_abort(drive);
        return;
    }
    ide_identify_disk(drive, drive->buffer);
    ide_send_buffer(drive, DISK_SECTOR_BYTES, false);
}

static void do_identify_packet(IdeDrive *drive)
{
    ide_identify_cd(drive, drive->buffer);
    ide_send_buffer(drive, DISK_SECTOR_BYTES, false);
}

static void do_device_reset(IdeDrive *drive)
{
    ide_drive_reset(drive, false);
    drive->error = 1;
    drive->status = 0; /* no interrupt, and nothing else but the signature */
}

static void do_diagnostic(IdeDrive *drive)
{
    ide_cancel(drive);
    ide_drive_set_signature(drive);
    drive->device = 0;
    drive->error = 1;
    drive->status = drive->is_cd ? 0 : IDE_ST_DRDY | IDE_ST_DSC;
    if (!drive->unit) {
        drive->bus->device = 0;
        ide_drive_interrupt(drive);
    }
}

/* --- SET FEATURES --- */

static void set_write_cache(IdeDrive *drive, bool is_on)
{
    drive->has_write_cache = is_on;
    if (drive->medium && drive->medium->ops->set_write_cache) {
        drive->medium->ops->set_write_cache(drive->medium, is_on);
    }
}

static bool set_transfer_mode(IdeDrive *drive)
{
    unsigned mode = drive->count[0] & 7;

    switch (drive->count[0] >> 3) {
    case 0: /* PIO default */
    case 1: /* PIO with flow control */
        drive->udma = drive->mdma = 0;
        return mode <= 4;
    case 4:
        drive->udma = 0;
        drive->mdma = BIT(mode);
        return mode <= 2;
    case 8:
        drive->mdma = 0;
        drive->udma = BIT(mode);
        return mode <= 5;
    default:
        return false;
    }
}

static void do_set_features(IdeDrive *drive)
{
    bool is_ok = true;

    switch (drive->features[0]) {
    case 0x02:
    case 0x82:
        set_write_cache(drive, drive->features[0] == 0x02);
        if (!drive->has_write_cache && drive->medium) {
            do_flush(drive);
            return;
        }
        break;
    case 0x03: {
        uint8_t mdma = drive->mdma, udma = drive->udma;

        is_ok = set_transfer_mode(drive);
        if (!is_ok) {
            drive->mdma = mdma;
            drive->udma = udma;
        }
        break;
    }
    case 0x55:
    case 0xaa:
        drive->has_look_ahead = drive->features[0] == 0xaa;
        break;
    case 0x66: /* keep settings at a soft reset: as they are */
    case 0xcc:
        break;
    default:
        is_ok = false;
        break;
    }
    if (is_ok) {
        ide_finish(drive);
    } else {
        ide_abort(drive);
    }
}

/* --- dispatch --- */

typedef struct Command {
    void (*run)(IdeDrive *drive);
    uint8_t who;
} Command;

static const Command commands[256] = {
    [DATA_SET_MANAGEMENT] = { do_discard, FOR_DISK },
    [DEVICE_RESET] = { do_device_reset, FOR_CD },
    [0x10] = { do_nothing, FOR_DISK }, /* RECALIBRATE */
    [0x27] = { do_native_max_ext, FOR_DISK }, [0xf8] = { do_native_max, FOR_DISK },
    [0x70] = { do_seek, FOR_DISK },
    [0x90] = { do_diagnostic, FOR_BOTH },
    [0x91] = { do_initialize_parameters, FOR_DISK },
    [0x94] = { do_power, FOR_BOTH }, [0x95] = { do_power, FOR_BOTH },
    [0x96] = { do_power, FOR_BOTH }, [0x97] = { do_power, FOR_BOTH },
    [0x98] = { do_check_power, FOR_BOTH }, [0x99] = { do_power, FOR_BOTH },
    [0xa0] = { atapi_packet, FOR_CD }, [0xa1] = { do_identify_packet, FOR_CD },
    [SMART] = { ide_smart, FOR_DISK },
    [0xc6] = { do_set_multiple, FOR_DISK },
    [0xe0] = { do_power, FOR_BOTH }, [0xe1] = { do_power, FOR_BOTH },
    [0xe2] = { do_power, FOR_BOTH }, [0xe3] = { do_power, FOR_BOTH },
    [0xe5] = { do_check_power, FOR_BOTH }, [0xe6] = { do_power, FOR_BOTH },
    [0xe7] = { do_flush, FOR_DISK }, [0xea] = { do_flush, FOR_DISK },
    [0xec] = { do_identify, FOR_BOTH },
    [0xef] = { do_set_features, FOR_BOTH },
};

static const Command *find(uint8_t command)
{
    static const Command transfer = { do_transfer, FOR_DISK };

    for (size_t i = 0; i < ARRAY_SIZE(transfers); i++) {
        if (transfers[i].command == command) {
            return &transfer;
        }
    }
    return commands[command].run ? &commands[command] : NULL;
}

void ide_drive_command(IdeDrive *drive, uint8_t code)
{
    const Command *command = find(code);
    bool is_known = command && command->who & (drive->is_cd ? FOR_CD : FOR_DISK);

    trace_ide_command(bus_name(&drive->bus->parent), drive->unit, code);
    drive->command = code;
    drive->left = 0;
    if (!is_known || (!drive->is_cd && !drive->medium && code != 0x90)) {
        if (drive->is_cd && command) {
            ide_drive_set_signature(drive);
        }
        ide_abort(drive);
        return;
    }
    command->run(drive);
}

void ide_drive_reset(IdeDrive *drive, bool is_hard)
{
    ide_cancel(drive);
    ide_drive_set_signature(drive);
    drive->command = 0;
    drive->device = 0;
    drive->error = 0;
    drive->status = IDE_ST_DRDY | IDE_ST_DSC;
    drive->cd.sense = SCSI_NO_SENSE;
    memset(drive->packet, 0, sizeof(drive->packet));
    drive->power = 0xff;
    if (is_hard) {
        drive->multiple = IDE_MAX_MULTIPLE;
        drive->udma = BIT(5);
        drive->mdma = 0;
        drive->now_heads = drive->heads;
        drive->now_secs = drive->secs;
        set_write_cache(drive, drive->had_write_cache);
        drive->has_look_ahead = true;
        drive->has_smart = drive->has_smart_autosave = true;
        drive->smart_selftest = 0;
        cd_drive_reset(&drive->cd);
    }
}

static bool has_transfer(void *opaque)
{
    return ((IdeDrive *)opaque)->phase != IDE_IDLE;
}

static bool is_transfer_valid(void *opaque, int version)
{
    const IdeDrive *d = opaque;
    uint32_t least = d->is_dma || !d->left ? 0 : MIN(d->block, d->left) * DISK_SECTOR_BYTES;

    return (d->phase == IDE_IN || d->phase == IDE_OUT || d->phase == IDE_PACKET) &&
           d->pos <= d->stop && d->stop <= d->end && d->end <= d->buffer_bytes &&
           d->block <= IDE_BUFFER_SECTORS && (d->block || !d->left) && least <= d->buffer_bytes &&
           (!d->left || d->end == MIN(d->block, d->left) * DISK_SECTOR_BYTES) &&
           (d->phase != IDE_PACKET || d->end == IDE_PACKET_BYTES);
}

static const VMField transfer_fields[] = {
    VM_U8(IdeDrive, phase), VM_BOOL(IdeDrive, is_dma), VM_U64(IdeDrive, sector),
    VM_U32(IdeDrive, left), VM_U32(IdeDrive, block), VM_U32(IdeDrive, pos), VM_U32(IdeDrive, end),
    VM_U32(IdeDrive, stop), VM_U32(IdeDrive, limit),
    VM_BYTES_HELD(IdeDrive, buffer, buffer_bytes),
    VM_VALIDATE("a transfer is within its buffer", is_transfer_valid),
};
static const VMState transfer_state =
    VMSTATE_INIT(transfer_fields, .name = "transfer", .version = 1, .needed = has_transfer);

static const VMField drive_fields[] = {
    VM_ARRAY(IdeDrive, features), VM_ARRAY(IdeDrive, count), VM_ARRAY(IdeDrive, lba_low),
    VM_ARRAY(IdeDrive, lba_mid), VM_ARRAY(IdeDrive, lba_high), VM_U8(IdeDrive, device),
    VM_U8(IdeDrive, status), VM_U8(IdeDrive, error), VM_U8(IdeDrive, command),
    VM_U8(IdeDrive, multiple), VM_U8(IdeDrive, udma), VM_U8(IdeDrive, mdma),
    VM_U8(IdeDrive, now_heads), VM_U8(IdeDrive, now_secs), VM_BOOL(IdeDrive, has_write_cache),
    VM_BOOL(IdeDrive, has_look_ahead), VM_BOOL(IdeDrive, has_smart),
    VM_BOOL(IdeDrive, has_smart_autosave), VM_U8(IdeDrive, smart_selftest), VM_U8(IdeDrive, power),
    VM_ARRAY(IdeDrive, packet), VM_CD_DRIVE(IdeDrive, cd),
};

/* What the host's drive still has when the machine stands still, it has after an error. */
static bool drive_pre_save(void *opaque, Error **errp)
{
    return !((IdeDrive *)opaque)->is_waiting ||
           error_set(errp, "ide: 1 request waits after an error");
}

const VMState ide_drive_state =
    VMSTATE_INIT(drive_fields, .name = "ide_drive", .version = 1, .pre_save = drive_pre_save,
                 .subsections = VM_SUBSECTIONS(&transfer_state));
