/*
 * The registers of an IDE channel: both drives hear writes to the task file, one answers.
 * ATA/ATAPI-7 volume 2, chapters 5 (device registers) and 9 (SRST).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ide_drive.h"
#include "trace.h"
#include "util/log.h"

static IdeDrive *selected(const IdeBus *bus)
{
    return bus->drives[!!(bus->device & IDE_DEV_DEV)];
}

bool ide_bus_has_drive(const IdeBus *bus)
{
    return selected(bus);
}

static void update_interrupt(IdeBus *bus)
{
    bus->transport->interrupt(bus->opaque,
                              bus->is_interrupt_pending && !(bus->control & IDE_CTL_NIEN));
}

static void set_interrupt(IdeBus *bus, bool is_pending)
{
    bus->is_interrupt_pending = is_pending;
    update_interrupt(bus);
}

void ide_drive_interrupt(IdeDrive *drive)
{
    if (selected(drive->bus) == drive) {
        set_interrupt(drive->bus, true);
    }
}

void ide_drive_set_signature(IdeDrive *drive)
{
    memset(drive->features, 0, 2);
    memcpy(drive->count, (IdePair){ 1, 0 }, 2);
    memcpy(drive->lba_low, (IdePair){ 1, 0 }, 2);
    memcpy(drive->lba_mid, (IdePair){ drive->is_cd ? 0x14 : 0, 0 }, 2);
    memcpy(drive->lba_high, (IdePair){ drive->is_cd ? 0xeb : 0, 0 }, 2);
    drive->device &= IDE_DEV_DEV;
}

/* --- the task file --- */

static uint8_t *pair_of(IdeDrive *drive, unsigned reg)
{
    switch (reg) {
    case IDE_FEATURES:
        return drive->features;
    case IDE_COUNT:
        return drive->count;
    case IDE_LBA_LOW:
        return drive->lba_low;
    case IDE_LBA_MID:
        return drive->lba_mid;
    default:
        return drive->lba_high;
    }
}

static uint8_t read_drive(IdeBus *bus, IdeDrive *drive, unsigned reg)
{
    switch (reg) {
    case IDE_ERROR:
        return bus->control & IDE_CTL_HOB ? drive->features[1] : drive->error;
    case IDE_DEVICE:
        return drive->device | 0xa0;
    case IDE_STATUS:
        set_interrupt(bus, false);
        return drive->status;
    default:
        return pair_of(drive, reg)[!!(bus->control & IDE_CTL_HOB)];
    }
}

/* With no drive there, drive 0 of the pair answers for it, with nothing in its status. */
uint8_t ide_bus_read(IdeBus *bus, unsigned reg)
{
    IdeDrive *drive = selected(bus);
    uint8_t value = 0;

    if (drive) {
        value = read_drive(bus, drive, reg);
    } else if (reg == IDE_DEVICE && (bus->drives[0] || bus->drives[1])) {
        value = bus->device | 0xa0;
    }
    trace_ide_read(bus_name(&bus->parent), reg, value);
    return value;
}

static void write_file(IdeBus *bus, unsigned reg, uint8_t value)
{
    for (unsigned n = 0; n < IDE_MAX_UNITS; n++) {
        IdeDrive *drive = bus->drives[n];

        if (drive && reg == IDE_DEVICE) {
            drive->device = value;
        } else if (drive) {
            pair_of(drive, reg)[1] = pair_of(drive, reg)[0];
            pair_of(drive, reg)[0] = value;
        }
    }
}

static bool is_busy(const IdeDrive *drive)
{
    return drive->status & (IDE_ST_BSY | IDE_ST_DRQ);
}

static void write_command(IdeBus *bus, uint8_t value)
{
    IdeDrive *drive = selected(bus);

    if (value == 0x90) { /* EXECUTE DEVICE DIAGNOSTIC: both do, drive 0 answers */
        for (unsigned n = 0; n < IDE_MAX_UNITS; n++) {
            if (bus->drives[n]) {
                ide_drive_command(bus->drives[n], value);
            }
        }
        bus->device = 0;
        return;
    }
    if (!drive) {
        return;
    }
    if (is_busy(drive) && !(value == 0x08 && drive->is_cd)) {
        guest_error("%s: command 0x%02x while drive %u is busy", bus_name(&bus->parent), value,
                    drive->unit);
        return;
    }
    ide_drive_command(drive, value);
}

void ide_bus_write(IdeBus *bus, unsigned reg, uint8_t value)
{
    trace_ide_write(bus_name(&bus->parent), reg, value);
    bus->control &= ~IDE_CTL_HOB;
    switch (reg) {
    case IDE_COMMAND:
        set_interrupt(bus, false);
        write_command(bus, value);
        break;
    case IDE_DEVICE:
        bus->device = value;
        write_file(bus, reg, value);
        break;
    default:
        if (selected(bus) && is_busy(selected(bus))) {
            guest_error("%s: write to register %u while drive %u is busy",
                        bus_name(&bus->parent), reg, selected(bus)->unit);
            break;
        }
        write_file(bus, reg, value);
        break;
    }
}

/* --- the data port --- */

/* The drive whose PIO block the host moves, if `bytes` of it are left. */
static IdeDrive *pio_drive(IdeBus *bus, IdePhase phase, unsigned bytes)
{
    IdeDrive *drive = selected(bus);

    if (!drive || drive->phase != phase || drive->is_dma || !(drive->status & IDE_ST_DRQ)) {
        return NULL;
    }
    return drive->stop - drive->pos >= bytes ? drive : NULL;
}

uint32_t ide_bus_read_data(IdeBus *bus, unsigned bytes)
{
    IdeDrive *drive = pio_drive(bus, IDE_IN, bytes);
    uint32_t value;

    if (!drive) {
        return 0;
    }
    value = load_bytes(drive->buffer + drive->pos, bytes, ENDIAN_LITTLE);
    drive->pos += bytes;
    if (drive->pos == drive->stop) {
        ide_run(drive);
    }
    return value;
}

static void write_packet(IdeDrive *drive, unsigned bytes, uint32_t value)
{
    store_bytes(drive->packet + drive->pos, bytes, ENDIAN_LITTLE, value);
    drive->pos += bytes;
    if (drive->pos == IDE_PACKET_BYTES) {
        atapi_execute(drive);
    }
}

void ide_bus_write_data(IdeBus *bus, unsigned bytes, uint32_t value)
{
    IdeDrive *drive = pio_drive(bus, IDE_OUT, bytes);

    if (!drive) {
        drive = pio_drive(bus, IDE_PACKET, bytes);
        if (drive) {
            write_packet(drive, bytes, value);
        }
        return;
    }
    store_bytes(drive->buffer + drive->pos, bytes, ENDIAN_LITTLE, value);
    drive->pos += bytes;
    if (drive->pos == drive->stop) {
        ide_run(drive);
    }
}

uint8_t *ide_bus_pio_block(IdeBus *bus, size_t *bytes)
{
    IdeDrive *drive = selected(bus);

    *bytes = drive->stop - drive->pos;
    return drive->buffer + drive->pos;
}

void ide_bus_pio_done(IdeBus *bus)
{
    IdeDrive *drive = selected(bus);

    drive->pos = drive->stop;
    ide_run(drive);
}

/* --- the control block --- */

uint8_t ide_bus_read_alt_status(IdeBus *bus)
{
    IdeDrive *drive = selected(bus);

    return drive ? drive->status : 0;
}

static void soft_reset(IdeBus *bus, bool is_over)
{
    for (unsigned n = 0; n < IDE_MAX_UNITS; n++) {
        IdeDrive *drive = bus->drives[n];

        if (drive && !is_over) {
            ide_drive_reset(drive, false);
            drive->status = IDE_ST_BSY;
        } else if (drive) {
            ide_drive_set_signature(drive);
            drive->error = 1; /* diagnostics passed */
            drive->status = drive->is_cd ? 0 : IDE_ST_DRDY | IDE_ST_DSC;
        }
    }
    bus->device = 0;
    set_interrupt(bus, false);
    if (is_over && bus->transport->ended && ide_bus_has_drive(bus)) {
        bus->transport->ended(bus->opaque);
    }
}

void ide_bus_write_control(IdeBus *bus, uint8_t value)
{
    uint8_t changed = bus->control ^ value;

    trace_ide_control(bus_name(&bus->parent), value);
    bus->control = value;
    if (changed & IDE_CTL_SRST) {
        soft_reset(bus, !(value & IDE_CTL_SRST));
    }
    update_interrupt(bus);
}

/* --- DMA --- */

bool ide_bus_dma_is_waiting(const IdeBus *bus)
{
    const IdeDrive *drive = selected(bus);

    return drive && drive->is_dma && !drive->is_waiting &&
           (drive->phase == IDE_IN || drive->phase == IDE_OUT);
}

void ide_bus_dma_started(IdeBus *bus)
{
    if (ide_bus_dma_is_waiting(bus)) {
        ide_run(selected(bus));
    }
}

void ide_bus_cancel(IdeBus *bus)
{
    IdeDrive *drive = selected(bus);

    if (drive && drive->phase != IDE_IDLE) {
        ide_cancel(drive);
        drive->status = IDE_ST_DRDY | IDE_ST_DSC;
    }
}

/* What is under way may come to its end: half a write would be worse. */
void ide_bus_dma_cancelled(IdeBus *bus)
{
    IdeDrive *drive = selected(bus);

    if (drive && drive->is_dma && drive->is_waiting && drive->medium && drive->medium->ops->wait) {
        drive->medium->ops->wait(drive->medium);
    }
    if (drive && drive->is_dma) {
        ide_bus_cancel(bus);
    }
}

/* --- FIS --- */

static void set_pair(IdePair pair, unsigned low, unsigned high)
{
    pair[0] = low;
    pair[1] = high;
}

void ide_bus_issue(IdeBus *bus, const IdeTaskFile *file)
{
    IdeDrive *drive = bus->drives[0];

    bus->device = file->device & ~IDE_DEV_DEV;
    if (!drive) {
        return;
    }
    drive->device = bus->device;
    set_pair(drive->features, file->features & 0xff, file->features >> 8);
    set_pair(drive->count, file->count & 0xff, file->count >> 8);
    set_pair(drive->lba_low, file->lba & 0xff, file->lba >> 24 & 0xff);
    set_pair(drive->lba_mid, file->lba >> 8 & 0xff, file->lba >> 32 & 0xff);
    set_pair(drive->lba_high, file->lba >> 16 & 0xff, file->lba >> 40 & 0xff);
    bus->is_interrupt_pending = false;
    ide_drive_command(drive, file->command);
}

void ide_bus_send_packet(IdeBus *bus, const uint8_t packet[12])
{
    IdeDrive *drive = selected(bus);

    if (drive && drive->phase == IDE_PACKET) {
        memcpy(drive->packet, packet, IDE_PACKET_BYTES);
        atapi_execute(drive);
    }
}

void ide_bus_get_file(const IdeBus *bus, IdeTaskFile *file, uint8_t *status, uint8_t *error)
{
    const IdeDrive *drive = selected(bus);

    *file = (IdeTaskFile){
        .command = drive->command, .device = drive->device | 0xa0,
        .features = drive->features[1] << 8 | drive->features[0],
        .count = drive->count[1] << 8 | drive->count[0],
        .lba = (uint64_t)drive->lba_high[1] << 40 | (uint64_t)drive->lba_mid[1] << 32 |
               (uint64_t)drive->lba_low[1] << 24 | drive->lba_high[0] << 16 |
               drive->lba_mid[0] << 8 | drive->lba_low[0],
    };
    *status = drive->status;
    *error = drive->error;
}

uint32_t ide_bus_signature(const IdeBus *bus)
{
    return bus->drives[0]->is_cd ? 0xeb140101 : 0x00000101;
}

DiskMedium *ide_bus_medium(const IdeBus *bus)
{
    return bus->drives[0]->medium;
}

unsigned ide_bus_queue_depth(const IdeBus *bus)
{
    return bus->drives[0] && !bus->drives[0]->is_cd ? IDE_NCQ_DEPTH : 0;
}

/* --- the bus --- */

void ide_bus_reset(IdeBus *bus)
{
    bus->device = 0;
    bus->control = 0;
    for (unsigned n = 0; n < IDE_MAX_UNITS; n++) {
        if (bus->drives[n]) {
            ide_drive_reset(bus->drives[n], true);
        }
    }
    set_interrupt(bus, false);
}

IdeBus *ide_bus_new(Device *owner, unsigned units, const IdeTransport *transport, void *opaque)
{
    g_autofree char *name = bus_free_name(owner->id ? owner->id : "ide");
    IdeBus *bus = IDE_BUS(bus_new(TYPE_IDE_BUS, owner, name));

    bus->units = units;
    bus->transport = transport;
    bus->opaque = opaque;
    return bus;
}

static const VMField ide_bus_fields[] = {
    VM_U8(IdeBus, device), VM_U8(IdeBus, control), VM_BOOL(IdeBus, is_interrupt_pending),
};
const VMState ide_bus_state = VMSTATE_INIT(ide_bus_fields, .name = "ide_bus", .version = 1);

/* The unit a new drive takes: the one it asks for, else the first that is free. */
static bool ide_bus_check(Bus *bus, Device *dev, Error **errp)
{
    return ide_device_place(IDE_BUS(bus), dev, errp);
}

static char *ide_bus_firmware_path(Bus *bus, Device *dev)
{
    guint channel = 0;

    g_ptr_array_find(bus->owner->buses, bus, &channel);
    return g_strdup_printf("drive@%x/disk@%x", channel, (unsigned)object_get_int(dev, "unit"));
}

static const BusType ide_bus_type = {
    .name = TYPE_IDE_BUS,
    .parent = TYPE_BUS,
    .doc = "A channel of ATA and ATAPI drives",
    .size = sizeof(IdeBus),
    .max_devices = IDE_MAX_UNITS,
    .check = ide_bus_check,
    .firmware_path = ide_bus_firmware_path,
};
BUS_TYPE(ide_bus_type)
