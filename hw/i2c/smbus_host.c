/*
 * SMBus host controllers: see hw/i2c/smbus_host.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/i2c/smbus_host.h"
#include "trace.h"
#include "util/log.h"

enum { HST_STS = 0x0, HST_CNT = 0x2, HST_CMD = 0x3, XMIT_SLVA = 0x4, HST_D0 = 0x5, HST_D1 = 0x6,
       HOST_BLOCK_DB = 0x7, PEC = 0x8, AUX_STS = 0xc, AUX_CTL = 0xd };

#define STS_HOST_BUSY BIT(0)
#define STS_INTR      BIT(1)
#define STS_DEV_ERR   BIT(2)
#define STS_FAILED    BIT(4)
#define STS_INUSE     BIT(6)
#define STS_BYTE_DONE BIT(7)
#define STS_CAUSES    (STS_INTR | STS_DEV_ERR | STS_FAILED | STS_BYTE_DONE)

#define CNT_INTREN    BIT(0)
#define CNT_KILL      BIT(1)
#define CNT_COMMAND(v) ((v) >> 2 & 7)
#define I2C_READ_COMMAND 6
#define CNT_LAST_BYTE BIT(5)
#define CNT_START     BIT(6)
#define CNT_PEC_EN    BIT(7)
#define AUX_STS_CRCE   BIT(0) /* a check of a packet failed */
#define AUX_CTL_AAC    BIT(0) /* append the checksum; else PEC has it */
#define AUX_CTL_BUFFER BIT(1) /* E32B: a block is a buffer, not bytes */

static void update_irq(SmbusHost *host)
{
    host->chip->set_irq(host, (host->control & CNT_INTREN) && (host->status & STS_CAUSES));
}

static bool has_buffer(const SmbusHost *host)
{
    return !host->chip->is_ich || (host->aux_control & AUX_CTL_BUFFER);
}

/* --- bytes on the wire, with their checksum: x^8 + x^2 + x + 1 over all, addresses as well --- */

static void add_to_crc(SmbusHost *host, uint8_t byte)
{
    host->crc ^= byte;
    for (unsigned i = 0; i < 8; i++) {
        host->crc = host->crc << 1 ^ (host->crc & 0x80 ? 0x07 : 0);
    }
}

static bool begin(SmbusHost *host, I2cDirection direction)
{
    add_to_crc(host, (host->address & ~1) | (direction == I2C_READ));
    return i2c_start(host->bus, host->address >> 1, direction);
}

static bool send(SmbusHost *host, uint8_t byte)
{
    add_to_crc(host, byte);
    return i2c_send(host->bus, byte);
}

static uint8_t receive(SmbusHost *host)
{
    uint8_t byte = i2c_receive(host->bus);

    add_to_crc(host, byte);
    return byte;
}

static bool has_checks(const SmbusHost *host)
{
    return host->chip->is_ich && (host->control & CNT_PEC_EN);
}

/* The end of what was sent. */
static bool send_check(SmbusHost *host)
{
    return !has_checks(host) ||
           i2c_send(host->bus, host->aux_control & AUX_CTL_AAC ? host->crc : host->pec);
}

/* The end of what was received. */
static bool receive_check(SmbusHost *host)
{
    if (!has_checks(host)) {
        return true;
    }
    host->pec = i2c_receive(host->bus);
    if (host->pec != host->crc) {
        host->aux_status |= AUX_STS_CRCE;
    }
    return host->pec == host->crc;
}

/* --- ends of transfers --- */

static void finish(SmbusHost *host, uint8_t status)
{
    i2c_stop(host->bus);
    host->phase = SMBUS_IDLE;
    host->status = (host->status & ~STS_HOST_BUSY) | status;
}

static void finish_if(SmbusHost *host, bool is_acknowledged)
{
    finish(host, is_acknowledged ? STS_INTR : STS_DEV_ERR);
}

/* --- protocols (System Management Bus Specification 2.0, 5.5) --- */

static I2cDirection direction_of(const SmbusHost *host)
{
    return host->address & 1 ? I2C_READ : I2C_WRITE;
}

static bool send_command(SmbusHost *host)
{
    return begin(host, I2C_WRITE) && send(host, host->command);
}

static bool receive_words(SmbusHost *host, unsigned bytes)
{
    if (!begin(host, I2C_READ)) {
        return false;
    }
    host->data0 = receive(host);
    if (bytes == 2) {
        host->data1 = receive(host);
    }
    return receive_check(host);
}

static bool send_words(SmbusHost *host, unsigned bytes)
{
    return send(host, host->data0) && (bytes < 2 || send(host, host->data1));
}

static void run_quick(SmbusHost *host)
{
    finish_if(host, begin(host, direction_of(host)));
}

static void run_byte(SmbusHost *host)
{
    finish_if(host, direction_of(host) == I2C_READ ? receive_words(host, 1) :
                                                     send_command(host) && send_check(host));
}

static void run_data(SmbusHost *host, unsigned bytes)
{
    finish_if(host, send_command(host) &&
                        (direction_of(host) == I2C_READ ? receive_words(host, bytes) :
                                                          send_words(host, bytes) &&
                                                              send_check(host)));
}

static void run_byte_data(SmbusHost *host)
{
    run_data(host, 1);
}

static void run_word_data(SmbusHost *host)
{
    run_data(host, 2);
}

static void run_process_call(SmbusHost *host)
{
    finish_if(host, send_command(host) && send_words(host, 2) && receive_words(host, 2));
}

/* --- blocks in the buffer --- */

static bool is_block_length(uint8_t count)
{
    return count >= 1 && count <= SMBUS_BLOCK_BYTES;
}

static bool send_block(SmbusHost *host)
{
    bool is_ok = is_block_length(host->data0) && send(host, host->data0);

    for (unsigned i = 0; is_ok && i < host->data0; i++) {
        is_ok = send(host, host->block[i]);
    }
    return is_ok;
}

static bool receive_block(SmbusHost *host)
{
    if (!begin(host, I2C_READ)) {
        return false;
    }
    host->data0 = receive(host);
    if (!is_block_length(host->data0)) {
        return false;
    }
    for (unsigned i = 0; i < host->data0; i++) {
        host->block[i] = receive(host);
    }
    return receive_check(host);
}

/* --- blocks byte by byte: software is told of each, and says when it is ready for the next --- */

static void show_byte(SmbusHost *host)
{
    host->byte = receive(host);
    host->status |= STS_BYTE_DONE;
}

static void start_receiving(SmbusHost *host, uint8_t count)
{
    host->phase = SMBUS_RECEIVING;
    host->left = count;
    show_byte(host);
}

static void receive_bytes(SmbusHost *host)
{
    if (!begin(host, I2C_READ)) {
        return finish(host, STS_DEV_ERR);
    }
    host->data0 = receive(host);
    if (!is_block_length(host->data0)) {
        return finish(host, STS_DEV_ERR);
    }
    start_receiving(host, host->data0);
}

static void send_byte(SmbusHost *host)
{
    if (!send(host, host->byte)) {
        return finish(host, STS_DEV_ERR);
    }
    host->status |= STS_BYTE_DONE;
}

static void send_bytes(SmbusHost *host)
{
    if (!is_block_length(host->data0) || !send(host, host->data0)) {
        return finish(host, STS_DEV_ERR);
    }
    host->phase = SMBUS_SENDING;
    host->left = host->data0;
    send_byte(host);
}

/* Software ends an I2C read, which has no check, with LAST_BYTE. */
static bool finish_bytes(SmbusHost *host)
{
    if (host->phase == SMBUS_SENDING) {
        return send_check(host);
    }
    return CNT_COMMAND(host->control) == I2C_READ_COMMAND || receive_check(host);
}

/* BYTE_DONE was cleared. */
static void go_on(SmbusHost *host)
{
    bool is_last = host->phase == SMBUS_RECEIVING && (host->control & CNT_LAST_BYTE);

    if (is_last || host->left <= 1) {
        return finish_if(host, finish_bytes(host));
    }
    host->left--;
    if (host->phase == SMBUS_SENDING) {
        send_byte(host);
    } else {
        show_byte(host);
    }
}

static void run_block(SmbusHost *host)
{
    bool is_read = direction_of(host) == I2C_READ;

    host->index = 0;
    if (!send_command(host)) {
        finish(host, STS_DEV_ERR);
    } else if (has_buffer(host)) {
        finish_if(host, is_read ? receive_block(host) :
                                  send_block(host) && send_check(host));
    } else if (is_read) {
        receive_bytes(host);
    } else {
        send_bytes(host);
    }
}

/* As many as software wants, from the place in HST_D1: it says which byte is the last. */
static void run_i2c_read(SmbusHost *host)
{
    if (!host->chip->is_ich || has_buffer(host)) {
        guest_error("smbus: I2C read needs transfers byte by byte");
        finish(host, STS_FAILED);
    } else if (!begin(host, I2C_WRITE) || !send(host, host->data1) ||
               !begin(host, I2C_READ)) {
        finish(host, STS_DEV_ERR);
    } else {
        start_receiving(host, UINT8_MAX);
    }
}

static void run_block_process_call(SmbusHost *host)
{
    if (!host->chip->is_ich || !has_buffer(host)) {
        guest_error("smbus: block process call needs the buffer");
        return finish(host, STS_FAILED);
    }
    host->index = 0;
    finish_if(host, send_command(host) && send_block(host) && receive_block(host));
}

static void run(SmbusHost *host)
{
    static void (*const protocols[])(SmbusHost *host) = {
        run_quick, run_byte, run_byte_data, run_word_data,
        run_process_call, run_block, run_i2c_read, run_block_process_call,
    };

    trace_smbus_start(CNT_COMMAND(host->control), host->address, host->command);
    host->status = (host->status & STS_INUSE) | STS_HOST_BUSY;
    host->crc = 0;
    protocols[CNT_COMMAND(host->control)](host);
}

/* --- registers --- */

static void write_status(SmbusHost *host, uint8_t value)
{
    bool goes_on = host->phase != SMBUS_IDLE && (host->status & value & STS_BYTE_DONE);

    host->status &= ~(value & (STS_CAUSES | STS_INUSE));
    if (goes_on) {
        go_on(host);
    }
}

static void write_control(SmbusHost *host, uint8_t value)
{
    bool is_busy = host->status & STS_HOST_BUSY;

    host->control = value & ~CNT_START;
    if (value & CNT_KILL) {
        if (is_busy) {
            finish(host, STS_FAILED);
        }
    } else if (value & CNT_START) {
        if (is_busy) {
            guest_error("smbus: start while a transfer goes on");
        } else {
            run(host);
        }
    }
}

static uint8_t read_block(SmbusHost *host)
{
    if (!has_buffer(host)) {
        return host->byte;
    }
    return host->block[host->index++ % SMBUS_BLOCK_BYTES];
}

static void write_block(SmbusHost *host, uint8_t value)
{
    if (has_buffer(host)) {
        host->block[host->index++ % SMBUS_BLOCK_BYTES] = value;
    } else {
        host->byte = value;
    }
}

/* ICH: the first to read it has the controller until it writes the bit. */
static uint8_t read_status(SmbusHost *host)
{
    uint8_t status = host->status;

    if (host->chip->is_ich) {
        host->status |= STS_INUSE;
    }
    return status;
}

static uint64_t host_read(void *opaque, uint64_t at, unsigned bytes)
{
    SmbusHost *host = opaque;

    switch (at) {
    case HST_STS:
        return read_status(host);
    case HST_CNT:
        host->index = 0;
        return host->control;
    case HST_CMD:
        return host->command;
    case XMIT_SLVA:
        return host->address;
    case HST_D0:
        return host->data0;
    case HST_D1:
        return host->data1;
    case HOST_BLOCK_DB:
        return read_block(host);
    case PEC:
        return host->pec;
    case AUX_STS:
        return host->aux_status;
    case AUX_CTL:
        return host->aux_control;
    default:
        return 0;
    }
}

static void host_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    SmbusHost *host = opaque;

    switch (at) {
    case HST_STS:
        write_status(host, value);
        break;
    case HST_CNT:
        write_control(host, value);
        break;
    case HST_CMD:
        host->command = value;
        break;
    case XMIT_SLVA:
        host->address = value;
        break;
    case HST_D0:
        host->data0 = value;
        break;
    case HST_D1:
        host->data1 = value;
        break;
    case HOST_BLOCK_DB:
        write_block(host, value);
        break;
    case PEC:
        host->pec = host->chip->is_ich ? value : 0;
        break;
    case AUX_STS:
        host->aux_status &= ~value;
        break;
    case AUX_CTL:
        host->aux_control = host->chip->is_ich ? value & (AUX_CTL_AAC | AUX_CTL_BUFFER) : 0;
        break;
    default:
        unimp("smbus: write 0x%02" PRIx64 " at 0x%" PRIx64 "\n", value, at);
        break;
    }
    update_irq(host);
}

static const MemoryOps host_ops = {
    .read = host_read, .write = host_write, .endian = ENDIAN_LITTLE,
    .valid = { 1, 1 }, .impl = { 1, 1 },
};

/* --- life --- */

void smbus_host_init(SmbusHost *host, Device *owner, const SmbusHostChip *chip)
{
    host->chip = chip;
    memory_region_init_io(&host->io, &owner->parent, &host_ops, "pm-smbus", SMBUS_HOST_BYTES);
    memory_region_set_opaque(&host->io, host);
}

void smbus_host_clear(SmbusHost *host)
{
    memory_region_clear(&host->io);
}

void smbus_host_reset(SmbusHost *host)
{
    host->status = host->control = host->command = host->address = 0;
    host->data0 = host->data1 = host->aux_control = 0;
    host->index = host->byte = host->left = 0;
    host->pec = host->aux_status = host->crc = 0;
    host->phase = SMBUS_IDLE;
    memset(host->block, 0, sizeof(host->block));
    update_irq(host);
}

static bool post_load(void *opaque, int version, Error **errp)
{
    SmbusHost *host = opaque;

    if (host->phase != SMBUS_IDLE) {
        i2c_resume(host->bus, host->address >> 1);
    }
    return true;
}

static bool has_pec_state(void *opaque)
{
    const SmbusHost *host = opaque;

    return host->pec || host->aux_status || has_checks(host);
}

static const VMField pec_fields[] = {
    VM_U8(SmbusHost, pec), VM_U8(SmbusHost, aux_status), VM_U8(SmbusHost, crc),
};
static const VMState pec_state = VMSTATE_INIT(pec_fields, .name = "pmsmb/pec", .version = 1,
                                              .needed = has_pec_state);

static const VMField fields[] = {
    VM_U8(SmbusHost, status), VM_U8(SmbusHost, control), VM_U8(SmbusHost, command),
    VM_U8(SmbusHost, address), VM_U8(SmbusHost, data0), VM_U8(SmbusHost, data1),
    VM_U8(SmbusHost, aux_control), VM_BUFFER(SmbusHost, block), VM_U8(SmbusHost, index),
    VM_U8(SmbusHost, byte), VM_U8(SmbusHost, left), VM_ENUM(SmbusHost, phase, SMBUS_PHASE_COUNT),
};
const VMState smbus_host_state = VMSTATE_INIT(fields, .name = "pmsmb", .version = 1,
                                              .post_load = post_load,
                                              .subsections = VM_SUBSECTIONS(&pec_state));
