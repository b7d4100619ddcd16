/*
 * Requests of virtio-scsi (virtio 1.3, 5.6.6.1): where a command goes, where its data is, and what
 * came of it. Each is answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_scsi.h"

#include "util/byte_order.h"

/* Of a request, before the command; of a response, before sense data. */
enum { REQUEST_TAG = 8, REQUEST_CDB = 19 };
enum { RESPONSE_SENSE_LENGTH = 0, RESPONSE_RESIDUAL = 4, RESPONSE_STATUS = 10,
       RESPONSE_RESPONSE = 11, RESPONSE_BYTES = 12 };
#define MAX_CDB 255

ScsiDevice *virtio_scsi_find(const VirtioScsi *s, const uint8_t address[VIRTIO_SCSI_LUN_BYTES],
                             unsigned *lun)
{
    *lun = load_be16(address + 2) & 0x3fff;
    return address[0] == 1 ? scsi_bus_find(s->bus, 0, address[1], *lun) : NULL;
}

static void respond(VirtioScsiCommand *command, uint8_t response)
{
    const VirtioScsi *s = command->adapter;
    const ScsiRequest *request = &command->request;
    g_autofree uint8_t *data = g_malloc0(RESPONSE_BYTES + s->sense_bytes);
    VirtQueue *vq = command->elem.vq;
    bool has_sense = response == VIRTIO_SCSI_S_OK && request->status == SCSI_CHECK_CONDITION;
    uint32_t sense = has_sense ? MIN(s->sense_bytes, SCSI_SENSE_BYTES) : 0;
    uint64_t room = request->in_span.bytes + request->out_span.bytes;

    virtio_put(&s->parent, data + RESPONSE_SENSE_LENGTH, 4, sense);
    virtio_put(&s->parent, data + RESPONSE_RESIDUAL, 4, room - MIN(request->moved, room));
    data[RESPONSE_STATUS] = response == VIRTIO_SCSI_S_OK ? request->status : 0;
    data[RESPONSE_RESPONSE] = response;
    memcpy(data + RESPONSE_BYTES, request->sense, sense);
    virtqueue_write(command, 0, data, RESPONSE_BYTES + s->sense_bytes);
    virtqueue_push(command, RESPONSE_BYTES + s->sense_bytes +
                                (request->in_span.bytes ? request->moved : 0));
    virtqueue_notify(vq);
}

/* --- those under way --- */

static void remember(VirtioScsiCommand *command)
{
    command->next = command->adapter->commands;
    command->link = &command->adapter->commands;
    if (command->next) {
        command->next->link = &command->next;
    }
    command->adapter->commands = command;
}

static void done(ScsiRequest *request)
{
    VirtioScsiCommand *command = container_of(request, VirtioScsiCommand, request);

    *command->link = command->next;
    if (command->next) {
        command->next->link = command->link;
    }
    if (request->is_given_up) {
        respond(command, VIRTIO_SCSI_S_ABORTED);
    } else if (request->status == SCSI_GOOD &&
               request->wanted > request->in_span.bytes + request->out_span.bytes) {
        respond(command, VIRTIO_SCSI_S_OVERRUN);
    } else {
        respond(command, VIRTIO_SCSI_S_OK);
    }
}

/* --- the queue --- */

static void start(VirtioScsiCommand *command, const uint8_t *header)
{
    VirtioScsi *s = command->adapter;
    ScsiRequest *request = &command->request;
    uint64_t before_out = REQUEST_CDB + s->cdb_bytes, before_in = RESPONSE_BYTES + s->sense_bytes;
    ScsiDevice *dev = virtio_scsi_find(s, header, &command->lun);

    command->tag = virtio_get(&s->parent, header + REQUEST_TAG, 8);
    memcpy(request->cdb, header + REQUEST_CDB, MIN(s->cdb_bytes, SCSI_CDB_BYTES));
    request->out = &command->elem.out;
    request->in = &command->elem.in;
    request->out_span = (DmaSpan){ before_out, command->elem.out.bytes - before_out };
    request->in_span = (DmaSpan){ before_in, command->elem.in.bytes - before_in };
    request->done = done;
    if (request->out_span.bytes && request->in_span.bytes) { /* both ways at once */
        respond(command, VIRTIO_SCSI_S_FAILURE);
    } else if (!dev) {
        respond(command, VIRTIO_SCSI_S_BAD_TARGET);
    } else {
        remember(command);
        scsi_start(dev, command->lun, request);
    }
}

static void take(VirtioScsi *s, VirtioScsiCommand *command)
{
    uint8_t header[REQUEST_CDB + MAX_CDB];

    command->adapter = s;
    if (command->elem.out.bytes < REQUEST_CDB + s->cdb_bytes ||
        command->elem.in.bytes < RESPONSE_BYTES + s->sense_bytes) {
        virtio_error(&s->parent, "virtio-scsi: a request without room for its parts");
        virtqueue_drop(command);
        return;
    }
    virtqueue_read(command, 0, header, REQUEST_CDB + s->cdb_bytes);
    start(command, header);
}

/* Kicks are not wanted while this goes on. */
void virtio_scsi_commands(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioScsi *s = VIRTIO_SCSI(vdev);
    VirtioScsiCommand *command;
    BlockBatch batch;

    block_batch_init(&batch, s->bus->worker);
    s->bus->batch = &batch;
    do {
        virtqueue_set_kicks(vq, false);
        while ((command = virtqueue_pop(vq, sizeof(*command)))) {
            take(s, command);
        }
        block_batch_send(&batch);
        virtqueue_set_kicks(vq, true);
    } while (virtio_is_running(vdev) && !virtqueue_is_empty(vq));
    s->bus->batch = NULL;
}
