/*
 * e1000: the EEPROM: 64 words, whose sum is 0xbaba (82574L, chapter 6). It is read and written by
 * word (EERD, EEWR) and by its wires (EECD): Microwire of the 8254x, SPI of the 82574L. What is
 * written lasts until the machine is reset, which brings the ids and the address that the user
 * chose. There is no flash part on the board.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "e1000.h"

#include "util/log.h"

#define NVM_SUM         0xbaba
#define ADDR_BITS       6 /* of a word */
enum { NVM_COMPAT = 3, NVM_ID_LED = 4, NVM_PBA = 8, NVM_INIT_1 = 10, NVM_SUBSYSTEM = 11,
       NVM_SUBSYSTEM_VENDOR = 12, NVM_DEVICE = 13, NVM_VENDOR = 14, NVM_INIT_2 = 15,
       NVM_INIT_3 = 0x24, NVM_CHECKSUM = 0x3f };
#define ID_LED_DEFAULT  0x8911
#define INIT_1_DEFAULT  0x4408 /* load the ids */
#define INIT_3_WAKE     0x0400 /* wake-up by magic packets, if enabled */

void e1000_nvm_init(E1000Nic *s)
{
    const uint8_t *config = s->parent.config;
    uint16_t sum = 0;

    memset(s->nvm, 0, sizeof(s->nvm));
    for (unsigned n = 0; n < 3; n++) {
        s->nvm[n] = load_le16(s->conf.mac + 2 * n);
    }
    s->nvm[NVM_COMPAT] = s->model->nvm_compat;
    s->nvm[NVM_ID_LED] = ID_LED_DEFAULT;
    s->nvm[NVM_PBA] = 0x3000;
    s->nvm[NVM_PBA + 1] = 0x1000;
    s->nvm[NVM_INIT_1] = INIT_1_DEFAULT;
    s->nvm[NVM_SUBSYSTEM] = load_le16(config + PCI_SUBSYSTEM_ID);
    s->nvm[NVM_SUBSYSTEM_VENDOR] = load_le16(config + PCI_SUBSYSTEM_VENDOR_ID);
    s->nvm[NVM_DEVICE] = load_le16(config + PCI_DEVICE_ID);
    s->nvm[NVM_VENDOR] = load_le16(config + PCI_VENDOR_ID);
    s->nvm[NVM_INIT_2] = s->model->nvm_init_2;
    s->nvm[NVM_INIT_3] = INIT_3_WAKE;
    for (unsigned n = 0; n < NVM_CHECKSUM; n++) {
        sum += s->nvm[n];
    }
    s->nvm[NVM_CHECKSUM] = NVM_SUM - sum;
}

static uint16_t read_word(const E1000Nic *s, unsigned addr)
{
    return addr < E1000_NVM_WORDS ? s->nvm[addr] : 0xffff;
}

static void write_word(E1000Nic *s, unsigned addr, uint16_t value)
{
    if (addr < E1000_NVM_WORDS) {
        s->nvm[addr] = value;
    } else {
        guest_error("e1000: EEPROM has no word 0x%x", addr);
    }
}

/* --- by word --- */

void e1000_eerd_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, EERD) & 0xffff & ~s->model->eerd_done;

    if (value & EERD_START) {
        unsigned addr = value >> s->model->eerd_shift;

        value = (value & ~EERD_START) | (uint32_t)read_word(s, addr) << 16;
    }
    MAC(s, EERD) = value | s->model->eerd_done;
}

void e1000_eewr_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t value = MAC(s, EEWR);

    if (value & EERD_START) {
        write_word(s, value >> s->model->eerd_shift & 0x3fff, value >> 16);
    }
    MAC(s, EEWR) = (value & ~EERD_START) | s->model->eerd_done;
}

/* --- Microwire: a start bit, two of the command, the address, then words --- */

enum { MICROWIRE_EXTENDED = 0, MICROWIRE_WRITE = 1, MICROWIRE_READ = 2 };
#define MICROWIRE_COMMAND_BITS (3 + ADDR_BITS)

static void put_word(E1000Serial *w, uint16_t value)
{
    w->out = (uint32_t)value << 16;
    w->out_bits = 16;
}

static void microwire_begin(E1000Nic *s)
{
    E1000Serial *w = &s->serial;

    w->command = w->in >> ADDR_BITS & 3;
    w->addr = w->in & (E1000_NVM_WORDS - 1);
    w->in = w->in_bits = 0;
    if (w->command == MICROWIRE_READ) {
        put_word(w, read_word(s, w->addr));
        w->out >>= 1; /* a 0 comes first */
        w->out_bits++;
    } else if (w->command == MICROWIRE_EXTENDED) {
        w->is_write_enabled = w->addr >> (ADDR_BITS - 2) == 3;
    }
}

static void microwire_bit(E1000Nic *s, bool bit)
{
    E1000Serial *w = &s->serial;

    if (!w->has_command) {
        if (!w->in_bits && !bit) {
            return; /* before the start bit */
        }
        w->in = w->in << 1 | bit;
        if (++w->in_bits == MICROWIRE_COMMAND_BITS) {
            w->has_command = true;
            microwire_begin(s);
        }
    } else if (w->command == MICROWIRE_READ) {
        if (!w->out_bits) {
            put_word(w, read_word(s, ++w->addr % E1000_NVM_WORDS));
        }
    } else if (w->command == MICROWIRE_WRITE) {
        w->in = w->in << 1 | bit;
        if (++w->in_bits == 16 && w->is_write_enabled) {
            write_word(s, w->addr, w->in);
        }
    }
}

/* --- SPI: a byte of command, one of address (of bytes), then bytes --- */

enum { SPI_WRITE = 2, SPI_READ = 3, SPI_WRITE_DISABLE = 4, SPI_READ_STATUS = 5,
       SPI_WRITE_ENABLE = 6 };
#define SPI_STATUS_WRITE_ENABLED 2
#define SPI_COMMAND_BITS         8
#define SPI_BYTES                (2 * E1000_NVM_WORDS)

static uint8_t spi_read(const E1000Nic *s, unsigned at)
{
    return read_word(s, at % SPI_BYTES / 2) >> (at & 1 ? 8 : 0);
}

static void spi_write(E1000Nic *s, unsigned at, uint8_t value)
{
    uint16_t *word = &s->nvm[at % SPI_BYTES / 2];
    unsigned shift = at & 1 ? 8 : 0;

    *word = (*word & ~(0xffu << shift)) | (unsigned)value << shift;
}

static void put_byte(E1000Serial *w, uint8_t value)
{
    w->out = (uint32_t)value << 24;
    w->out_bits = 8;
}

static void spi_begin(E1000Serial *w)
{
    w->command = w->in;
    w->has_command = true;
    if (w->command == SPI_WRITE_ENABLE || w->command == SPI_WRITE_DISABLE) {
        w->is_write_enabled = w->command == SPI_WRITE_ENABLE;
    } else if (w->command == SPI_READ_STATUS) {
        put_byte(w, w->is_write_enabled ? SPI_STATUS_WRITE_ENABLED : 0);
    }
}

/* A byte is complete. */
static void spi_byte(E1000Nic *s)
{
    E1000Serial *w = &s->serial;

    if (!w->has_command) {
        spi_begin(w);
    } else if (w->command != SPI_READ && w->command != SPI_WRITE) {
        return;
    } else if (!w->has_addr) {
        w->addr = w->in;
        w->has_addr = true;
    } else if (w->command == SPI_WRITE && w->is_write_enabled) {
        spi_write(s, w->addr++, w->in);
    }
    if (w->command == SPI_READ && w->has_addr) {
        put_byte(w, spi_read(s, w->addr++));
    }
}

static void spi_bit(E1000Nic *s, bool bit)
{
    E1000Serial *w = &s->serial;

    w->in = w->in << 1 | bit;
    if (++w->in_bits == 8) {
        w->in &= 0xff;
        spi_byte(s);
        w->in = w->in_bits = 0;
    }
}

/* --- the wires --- */

static void shift_out(E1000Nic *s)
{
    E1000Serial *w = &s->serial;
    bool bit = !w->out_bits || w->out >> 31; /* pulled up */

    if (w->out_bits) {
        w->out <<= 1;
        w->out_bits--;
    }
    MAC(s, EECD) = bit ? MAC(s, EECD) | EECD_DO : MAC(s, EECD) & ~EECD_DO;
}

static void start_over(E1000Serial *w)
{
    *w = (E1000Serial){ .is_write_enabled = w->is_write_enabled };
}

/* Of a rising edge of the clock while it is selected: a bit goes in, then one comes out. */
static void clock_edge(E1000Nic *s)
{
    bool bit = MAC(s, EECD) & EECD_DI;

    if (s->model->is_82574) {
        shift_out(s);
        spi_bit(s, bit);
    } else {
        microwire_bit(s, bit);
        shift_out(s);
    }
}

void e1000_eecd_written(Device *dev)
{
    E1000Nic *s = E1000(dev);
    uint32_t now = MAC(s, EECD), changed = now ^ s->serial_lines;
    bool is_selected = !(now & EECD_CS) == s->model->is_82574;

    MAC(s, EECD) = now & EECD_REQ ? now | EECD_GNT : now & ~EECD_GNT;
    s->serial_lines = now;
    if (changed & EECD_CS) {
        start_over(&s->serial);
        MAC(s, EECD) |= EECD_DO; /* ready */
    } else if (is_selected && now & EECD_GNT && changed & now & EECD_SK) {
        clock_edge(s);
    }
}
