/*
 * Native command queuing (ATA8-ACS 7.22, 7.62; SATA 3.x, 13.6): READ and WRITE FPDMA QUEUED. A
 * command is accepted with a D2H frame and ended with a set-device-bits frame, in any order. The
 * log of NCQ errors is left out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/ide/ahci.h"

#define NCQ_WRITE 0x61

static void submit(AhciNcq *ncq);

static void end(AhciNcq *ncq, uint8_t error)
{
    AhciPort *port = ncq->port;

    ncq->is_used = false;
    dma_list_clear(&ncq->list);
    g_clear_pointer(&ncq->buf, g_free);
    if (error) {
        port->is_halted = true;
    }
    ahci_send_sdb(port, error ? 0 : BIT(ncq->tag), error);
}

static size_t move(AhciNcq *ncq, size_t bytes, bool to_memory)
{
    DmaSpan span = { ncq->done_bytes, bytes };
    size_t done = 0;

    if (to_memory) {
        dma_list_write(&ncq->list, span, ncq->buf, &done);
    } else {
        dma_list_read(&ncq->list, span, ncq->buf, &done);
    }
    return done;
}

static void request_done(DiskRequest *request, int error)
{
    AhciNcq *ncq = container_of(request, AhciNcq, request);
    size_t bytes = request->sectors * DISK_SECTOR_BYTES;

    if (error) {
        end(ncq, ncq->is_write ? IDE_ER_ABRT : IDE_ER_UNC);
        return;
    }
    if (!ncq->is_write) {
        move(ncq, bytes, true);
    }
    ncq->done_bytes += bytes;
    ncq->sector += request->sectors;
    ncq->left -= request->sectors;
    if (ncq->left) {
        submit(ncq);
    } else {
        end(ncq, 0);
    }
}

/* At most 65536 sectors in pieces of 128: a medium that answers at once nests 512 deep. */
static void submit(AhciNcq *ncq)
{
    DiskMedium *medium = ide_bus_medium(ncq->port->bus);
    uint32_t sectors = MIN(ncq->left, AHCI_NCQ_BYTES / DISK_SECTOR_BYTES);

    if (!medium) { /* it was taken away, drive_del */
        end(ncq, IDE_ER_ABRT);
        return;
    }
    if (ncq->is_write) {
        move(ncq, (size_t)sectors * DISK_SECTOR_BYTES, false);
    }
    ncq->request = (DiskRequest){
        .op = ncq->is_write ? DISK_OP_WRITE : DISK_OP_READ, .sector = ncq->sector,
        .sectors = sectors, .buf = ncq->buf, .done = request_done,
    };
    medium->ops->submit(medium, &ncq->request);
}

/* What is wrong with a command before anything is done: an error register's bits. */
static uint8_t check(const AhciPort *port, const AhciNcq *ncq)
{
    const DiskMedium *medium = ide_bus_medium(port->bus);

    if (!medium) {
        return IDE_ER_ABRT;
    }
    if (ncq->sector >= medium->sectors || ncq->left > medium->sectors - ncq->sector) {
        return IDE_ER_IDNF | IDE_ER_ABRT;
    }
    if (ncq->is_write && medium->is_read_only) {
        return IDE_ER_ABRT;
    }
    return ncq->list.bytes < (uint64_t)ncq->left * DISK_SECTOR_BYTES ? IDE_ER_ABRT : 0;
}

void ahci_ncq_issue(AhciPort *port, unsigned slot, const uint8_t header[32],
                    const uint8_t fis[64])
{
    Ahci *a = port->ahci;
    unsigned tag = fis[12] >> 3;
    AhciNcq *ncq = &port->ncq[tag];
    uint32_t sectors = fis[11] << 8 | fis[3];
    bool unused;
    uint8_t error;

    a->ci[port->n] &= ~BIT(slot);
    ahci_send_d2h(port, false);
    if (ncq->is_used || !ahci_get_list(port, header, &ncq->list, &unused)) {
        port->is_halted = true;
        ahci_send_sdb(port, 0, IDE_ER_ABRT);
        return;
    }
    ncq->is_used = true;
    ncq->port = port;
    ncq->tag = tag;
    ncq->is_write = fis[2] == NCQ_WRITE;
    ncq->done_bytes = 0;
    ncq->left = sectors ? sectors : 65536;
    ncq->sector = (uint64_t)fis[10] << 40 | (uint64_t)fis[9] << 32 | (uint64_t)fis[8] << 24 |
                  fis[6] << 16 | fis[5] << 8 | fis[4];
    ncq->buf = g_malloc(AHCI_NCQ_BYTES);
    error = check(port, ncq);
    if (error) {
        end(ncq, error);
    } else {
        submit(ncq);
    }
}

void ahci_ncq_stop(AhciPort *port)
{
    bool has_cancelled = false;

    for (unsigned tag = 0; tag < AHCI_SLOTS; tag++) {
        AhciNcq *ncq = &port->ncq[tag];

        if (ncq->is_used && !has_cancelled) {
            DiskMedium *medium = ide_bus_medium(port->bus);

            if (medium) {
                medium->ops->cancel(medium);
            }
            has_cancelled = true;
        }
        if (ncq->is_used) {
            dma_list_clear(&ncq->list);
            g_clear_pointer(&ncq->buf, g_free);
            ncq->is_used = false;
        }
    }
}
