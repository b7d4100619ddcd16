/*
 * qtest: memory and I/O ports. Values are stored in the target's byte order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "qtest.h"
#include "system/address_space.h"
#include "system/target.h"

#define MAX_BLOCK_BYTES (64 * MiB) /* it is in memory four times, as bytes, digits and lines */

static Endian target_endian(void)
{
    return target_info()->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE;
}

static MemFormat target_format(unsigned bytes)
{
    return mem_format(bytes, target_endian());
}

static bool two_numbers(QtestServer *server, char **words, uint64_t *a, uint64_t *b)
{
    return qtest_number(server, words[0], a) && qtest_number(server, words[1], b);
}

static void port_out(QtestServer *server, char **words, unsigned bytes)
{
    uint64_t port, value;

    if (!two_numbers(server, words, &port, &value)) {
        return;
    }
    if (port > 0xffff) {
        qtest_reply(server, "FAIL No such port");
        return;
    }
    address_space_store(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                        value);
    qtest_reply(server, "OK");
}

static void port_in(QtestServer *server, char **words, unsigned bytes)
{
    uint64_t port, value;

    if (!qtest_number(server, words[0], &port)) {
        return;
    }
    if (port > 0xffff) {
        qtest_reply(server, "FAIL No such port");
        return;
    }
    address_space_load(address_space_io(), port, mem_format(bytes, ENDIAN_LITTLE), MEM_TX_NONE,
                       &value);
    qtest_reply(server, "OK 0x%04" PRIx64, value);
}

/* Not aligned, it is what a bus makes of a buffer: accesses as wide as they can be. */
static MemTxResult store_value(uint64_t addr, unsigned bytes, uint64_t value)
{
    uint8_t buffer[8];

    if (IS_ALIGNED(addr, bytes)) {
        return address_space_store(address_space_system(), addr, target_format(bytes),
                                   MEM_TX_NONE, value);
    }
    store_bytes(buffer, bytes, target_endian(), value);
    return address_space_write(address_space_system(), addr, MEM_TX_NONE, buffer, bytes);
}

static MemTxResult load_value(uint64_t addr, unsigned bytes, uint64_t *value)
{
    uint8_t buffer[8];
    MemTxResult result;

    if (IS_ALIGNED(addr, bytes)) {
        return address_space_load(address_space_system(), addr, target_format(bytes), MEM_TX_NONE,
                                  value);
    }
    result = address_space_read(address_space_system(), addr, MEM_TX_NONE, buffer, bytes);
    *value = load_bytes(buffer, bytes, target_endian());
    return result;
}

static void store(QtestServer *server, char **words, unsigned bytes)
{
    uint64_t addr, value;

    if (two_numbers(server, words, &addr, &value)) {
        store_value(addr, bytes, value);
        qtest_reply(server, "OK");
    }
}

static void load(QtestServer *server, char **words, unsigned bytes)
{
    uint64_t addr, value = 0;

    if (!qtest_number(server, words[0], &addr)) {
        return;
    }
    if (load_value(addr, bytes, &value) != MEM_TX_OK) {
        value = 0;
    }
    qtest_reply(server, "OK 0x%016" PRIx64, value);
}

#define SIZED(name, fn, bytes)                                                                     \
    static void run_##name(QtestServer *server, char **words, unsigned count)                      \
    {                                                                                              \
        fn(server, words, bytes);                                                                  \
    }
SIZED(outb, port_out, 1)
SIZED(outw, port_out, 2)
SIZED(outl, port_out, 4)
SIZED(inb, port_in, 1)
SIZED(inw, port_in, 2)
SIZED(inl, port_in, 4)
SIZED(writeb, store, 1)
SIZED(writew, store, 2)
SIZED(writel, store, 4)
SIZED(writeq, store, 8)
SIZED(readb, load, 1)
SIZED(readw, load, 2)
SIZED(readl, load, 4)
SIZED(readq, load, 8)

static uint8_t *allocate(QtestServer *server, uint64_t size)
{
    uint8_t *buf = size <= MAX_BLOCK_BYTES ? g_try_malloc0(size ? size : 1) : NULL;

    if (!buf) {
        qtest_reply(server, "FAIL cannot allocate %" PRIu64 " bytes", size);
    }
    return buf;
}

static uint8_t *read_guest(QtestServer *server, char **words, uint64_t *size)
{
    uint64_t addr;
    uint8_t *buf;

    if (!two_numbers(server, words, &addr, size)) {
        return NULL;
    }
    buf = allocate(server, *size);
    if (buf) {
        address_space_read_or_zero(address_space_system(), addr, MEM_TX_NONE, buf, *size);
    }
    return buf;
}

static void run_read(QtestServer *server, char **words, unsigned count)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t size;
    g_autofree uint8_t *buf = read_guest(server, words, &size);
    g_autofree char *hex = buf ? g_try_malloc(size * 2 + 1) : NULL;

    if (!buf) {
        return;
    }
    if (!hex) {
        qtest_reply(server, "FAIL cannot allocate the reply");
        return;
    }
    for (uint64_t i = 0; i < size; i++) {
        hex[i * 2] = digits[buf[i] >> 4];
        hex[i * 2 + 1] = digits[buf[i] & 15];
    }
    hex[size * 2] = '\0';
    qtest_reply(server, "OK 0x%s", hex);
}

static void run_b64read(QtestServer *server, char **words, unsigned count)
{
    uint64_t size;
    g_autofree uint8_t *buf = read_guest(server, words, &size);

    if (buf) {
        g_autofree char *text = g_base64_encode(buf, size);

        qtest_reply(server, "OK %s", text);
    }
}

static void write_guest(QtestServer *server, uint64_t addr, const uint8_t *buf, uint64_t size)
{
    address_space_write(address_space_system(), addr, MEM_TX_NONE, buf, size);
    qtest_reply(server, "OK");
}

/* Short text leaves zeros, as it always did. */
static void run_write(QtestServer *server, char **words, unsigned count)
{
    uint64_t addr, size;
    const char *hex = words[2];
    size_t digits = strlen(hex);
    g_autofree uint8_t *buf = NULL;

    if (!two_numbers(server, words, &addr, &size)) {
        return;
    }
    if (digits < 3) {
        qtest_reply(server, "ERR invalid argument size");
        return;
    }
    buf = allocate(server, size);
    for (uint64_t i = 0; buf && i < size && 2 + i * 2 + 1 < digits; i++) {
        int high = g_ascii_xdigit_value(hex[2 + i * 2]);
        int low = g_ascii_xdigit_value(hex[3 + i * 2]);

        buf[i] = high < 0 || low < 0 ? 0 : high << 4 | low;
    }
    if (buf) {
        write_guest(server, addr, buf, size);
    }
}

static void run_b64write(QtestServer *server, char **words, unsigned count)
{
    uint64_t addr, size;
    g_autofree uint8_t *data = NULL;
    gsize got;

    if (!two_numbers(server, words, &addr, &size)) {
        return;
    }
    data = count > 2 ? g_base64_decode(words[2], &got) : NULL;
    if (!data || !got) {
        qtest_reply(server, "ERR invalid argument size");
        return;
    }
    write_guest(server, addr, data, MIN(size, got));
}

static void run_memset(QtestServer *server, char **words, unsigned count)
{
    uint64_t addr, size, value;

    if (two_numbers(server, words, &addr, &size) && qtest_number(server, words[2], &value)) {
        address_space_fill(address_space_system(), addr, MEM_TX_NONE, value, size);
        qtest_reply(server, "OK");
    }
}

static void run_endianness(QtestServer *server, char **words, unsigned count)
{
    qtest_reply(server, "OK %s", target_info()->is_big_endian ? "big" : "little");
}

static void run_module_load(QtestServer *server, char **words, unsigned count)
{
    qtest_reply(server, "FAIL this build has no modules");
}

static const QtestCommand commands[] = {
    { "outb", 2, 2, run_outb },       { "outw", 2, 2, run_outw },
    { "outl", 2, 2, run_outl },       { "inb", 1, 1, run_inb },
    { "inw", 1, 1, run_inw },         { "inl", 1, 1, run_inl },
    { "writeb", 2, 2, run_writeb },   { "writew", 2, 2, run_writew },
    { "writel", 2, 2, run_writel },   { "writeq", 2, 2, run_writeq },
    { "readb", 1, 1, run_readb },     { "readw", 1, 1, run_readw },
    { "readl", 1, 1, run_readl },     { "readq", 1, 1, run_readq },
    { "read", 2, 2, run_read },       { "write", 3, 3, run_write },
    { "b64read", 2, 2, run_b64read }, { "b64write", 2, 3, run_b64write },
    { "memset", 3, 3, run_memset },   { "endianness", 0, 0, run_endianness },
    { "module_load", 2, 2, run_module_load },
};
const QtestFamily qtest_memory_family = { commands, ARRAY_SIZE(commands) };
