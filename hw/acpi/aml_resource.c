/*
 * AML: resource templates (ACPI 6.4, 6.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml_resource.h"
#include "hw/acpi/aml_term.h"
#include "hw/acpi/pack.h"

/* Tags; of a small item with the length in its low bits. */
#define IRQ_NO_FLAGS    0x22
#define IRQ             0x23
#define DMA             0x2a
#define START_DEPENDENT 0x31
#define END_DEPENDENT   0x38
#define IO              0x47
#define FIXED_IO        0x4b
#define REGISTER        0x82
#define MEMORY32_FIXED  0x86
#define DWORD_SPACE     0x87
#define WORD_SPACE      0x88
#define INTERRUPT       0x89
#define QWORD_SPACE     0x8a
#define GPIO            0x8c

#define SPACE_MEMORY 0
#define SPACE_IO     1
#define SPACE_BUS    2

#define GPIO_REVISION     1
#define GPIO_TYPE_INT     0
#define GPIO_TYPE_IO      1
#define GPIO_HEADER_BYTES 23
#define LARGE_BYTES       3 /* tag and length, which the length does not count */

#define SHARE_BITS(share, shared_bit, wake_bit)                                                    \
    (((share) & 1 ? BIT(shared_bit) : 0) | ((share) & 2 ? BIT(wake_bit) : 0))

Aml *aml_resource_template_of(Aml **descriptors)
{
    return aml_append_all(aml_new(AML_RESOURCES, 0), descriptors);
}

static Aml *descriptor(void)
{
    return aml_new(AML_PLAIN, 0);
}

Aml *aml_memory32_fixed(AmlReadWrite access, uint32_t base, uint32_t bytes)
{
    Aml *term = descriptor();

    bytes_pack(term->bytes, "12144", MEMORY32_FIXED, 9, access == AML_READ_WRITE, base, bytes);
    return term;
}

Aml *aml_io(AmlDecode decode, uint16_t min, uint16_t max, uint8_t align, uint8_t bytes)
{
    Aml *term = descriptor();

    bytes_pack(term->bytes, "112211", IO, decode == AML_DECODE_16, min, max, align, bytes);
    return term;
}

Aml *aml_fixed_io(uint16_t base, uint8_t bytes)
{
    Aml *term = descriptor();

    bytes_pack(term->bytes, "121", FIXED_IO, base, bytes);
    return term;
}

Aml *aml_irq_no_flags(unsigned irq)
{
    Aml *term = descriptor();

    assert(irq < 16);
    bytes_pack(term->bytes, "12", IRQ_NO_FLAGS, BIT(irq));
    return term;
}

Aml *aml_irq(AmlTrigger trigger, AmlPolarity polarity, AmlShare share, unsigned irq)
{
    Aml *term = descriptor();

    assert(irq < 16 && polarity != AML_ACTIVE_BOTH);
    bytes_pack(term->bytes, "121", IRQ, BIT(irq),
               (trigger == AML_EDGE) | (polarity == AML_ACTIVE_LOW) << 3 |
                   SHARE_BITS(share, 4, 5));
    return term;
}

Aml *aml_dma(AmlBusMaster master, AmlDmaWidth width, unsigned channel)
{
    Aml *term = descriptor();

    assert(channel < 8);
    bytes_pack(term->bytes, "111", DMA, BIT(channel), width | (master == AML_BUS_MASTER) << 2);
    return term;
}

Aml *aml_start_dependent_fn(uint8_t compatibility, uint8_t performance)
{
    Aml *term = descriptor();

    assert(compatibility <= 2 && performance <= 2);
    bytes_pack(term->bytes, "11", START_DEPENDENT, compatibility | performance << 2);
    return term;
}

Aml *aml_end_dependent_fn(void)
{
    return aml_op(END_DEPENDENT);
}

Aml *aml_interrupt(const AmlInterrupt *how, uint32_t gsi)
{
    return aml_interrupts(how, &gsi, 1);
}

Aml *aml_interrupts(const AmlInterrupt *how, const uint32_t *gsis, uint8_t count)
{
    Aml *term = descriptor();

    assert(count > 0 && how->polarity != AML_ACTIVE_BOTH);
    bytes_pack(term->bytes, "1211", INTERRUPT, 2 + 4 * count,
               (how->role == AML_CONSUMER) | (how->trigger == AML_EDGE) << 1 |
                   (how->polarity == AML_ACTIVE_LOW) << 2 | SHARE_BITS(how->share, 3, 4),
               count);
    for (unsigned i = 0; i < count; i++) {
        bytes_put_le(term->bytes, gsis[i], 4);
    }
    return term;
}

static uint8_t type_flags(uint8_t space, const AmlWindow *w)
{
    switch (space) {
    case SPACE_MEMORY:
        return (w->access == AML_READ_WRITE) | w->cache << 1 | w->is_translated << 5;
    case SPACE_IO:
        return (w->range ? w->range : AML_ENTIRE_RANGE) | w->is_translated << 4;
    default:
        return 0;
    }
}

static Aml *window(uint8_t tag, unsigned width, uint8_t space, const AmlWindow *w)
{
    Aml *term = descriptor();
    uint64_t length = w->length ? w->length : w->max - w->min + 1;
    uint64_t values[] = { w->granularity, w->min, w->max, w->translation, length };

    assert(w->min <= w->max);
    bytes_pack(term->bytes, "12111", tag, 3 + ARRAY_SIZE(values) * width, space,
               (w->role == AML_CONSUMER) | w->is_subtractive << 1 | !w->is_min_movable << 2 |
                   !w->is_max_movable << 3,
               type_flags(space, w));
    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        bytes_put_le(term->bytes, values[i], width);
    }
    return term;
}

Aml *aml_word_bus_number(const AmlWindow *w)
{
    return window(WORD_SPACE, 2, SPACE_BUS, w);
}

Aml *aml_word_io(const AmlWindow *w)
{
    return window(WORD_SPACE, 2, SPACE_IO, w);
}

Aml *aml_dword_io(const AmlWindow *w)
{
    return window(DWORD_SPACE, 4, SPACE_IO, w);
}

Aml *aml_qword_io(const AmlWindow *w)
{
    return window(QWORD_SPACE, 8, SPACE_IO, w);
}

Aml *aml_dword_memory(const AmlWindow *w)
{
    return window(DWORD_SPACE, 4, SPACE_MEMORY, w);
}

Aml *aml_qword_memory(const AmlWindow *w)
{
    return window(QWORD_SPACE, 8, SPACE_MEMORY, w);
}

Aml *aml_register(AmlSpace space, uint8_t bits, uint8_t offset, uint8_t access, uint64_t address)
{
    Aml *term = descriptor();

    bytes_pack(term->bytes, "1211118", REGISTER, 12, space, bits, offset, access, address);
    return term;
}

static Aml *gpio_descriptor(const AmlGpio *gpio, uint8_t type, uint16_t flags)
{
    Aml *term = descriptor();
    unsigned source = GPIO_HEADER_BYTES + 2 * gpio->pin_count;
    unsigned end = source + strlen(gpio->controller) + 1;

    assert(end <= UINT16_MAX);
    bytes_pack(term->bytes, "12112212221222", GPIO, end - LARGE_BYTES, GPIO_REVISION, type,
               1 /* consumer */, flags, gpio->pull, 0 /* drive strength */, gpio->debounce,
               GPIO_HEADER_BYTES, 0 /* source index */, source, end /* no vendor data */, 0);
    for (unsigned i = 0; i < gpio->pin_count; i++) {
        bytes_put_le(term->bytes, gpio->pins[i], 2);
    }
    g_byte_array_append(term->bytes, (const uint8_t *)gpio->controller, end - source);
    return term;
}

Aml *aml_gpio_int(const AmlGpio *gpio)
{
    return gpio_descriptor(gpio, GPIO_TYPE_INT,
                           (gpio->trigger == AML_EDGE) | gpio->polarity << 1 |
                               SHARE_BITS(gpio->share, 3, 4));
}

Aml *aml_gpio_io(const AmlGpio *gpio)
{
    assert(gpio->io_restriction <= 3);
    return gpio_descriptor(gpio, GPIO_TYPE_IO,
                           gpio->io_restriction | SHARE_BITS(gpio->share, 3, 4));
}
