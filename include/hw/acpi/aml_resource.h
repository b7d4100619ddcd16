/*
 * Resource templates (ACPI 6.4, 6.4 and 19.6): aml_name("_CRS", aml_resource_template(...)).
 * Ownership as in aml.h. Addresses and lengths are in bytes of the space they belong to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_AML_RESOURCE_H
#define HW_ACPI_AML_RESOURCE_H

#include "hw/acpi/aml.h"

#define aml_resource_template(...) aml_resource_template_of(AML_LIST(__VA_ARGS__))
Aml *aml_resource_template_of(Aml **descriptors);

typedef enum AmlReadWrite { AML_READ_ONLY, AML_READ_WRITE } AmlReadWrite;
typedef enum AmlDecode { AML_DECODE_10, AML_DECODE_16 } AmlDecode;
typedef enum AmlRole { AML_CONSUMER, AML_PRODUCER } AmlRole;
typedef enum AmlTrigger { AML_LEVEL, AML_EDGE } AmlTrigger;
typedef enum AmlPolarity { AML_ACTIVE_HIGH, AML_ACTIVE_LOW, AML_ACTIVE_BOTH } AmlPolarity;
typedef enum AmlShare {
    AML_EXCLUSIVE, AML_SHARED, AML_EXCLUSIVE_AND_WAKE, AML_SHARED_AND_WAKE
} AmlShare;

Aml *aml_memory32_fixed(AmlReadWrite access, uint32_t base, uint32_t bytes);
Aml *aml_io(AmlDecode decode, uint16_t min, uint16_t max, uint8_t align, uint8_t bytes);
Aml *aml_fixed_io(uint16_t base, uint8_t bytes);
Aml *aml_irq_no_flags(unsigned irq); /* edge, active high, exclusive; below 16 */
Aml *aml_irq(AmlTrigger trigger, AmlPolarity polarity, AmlShare share, unsigned irq);
typedef enum AmlDmaWidth { AML_TRANSFER_8, AML_TRANSFER_8_16, AML_TRANSFER_16 } AmlDmaWidth;
typedef enum AmlBusMaster { AML_NOT_BUS_MASTER, AML_BUS_MASTER } AmlBusMaster;
Aml *aml_dma(AmlBusMaster master, AmlDmaWidth width, unsigned channel);
Aml *aml_start_dependent_fn(uint8_t compatibility, uint8_t performance);
Aml *aml_end_dependent_fn(void);

/* Interrupt (). */
typedef struct AmlInterrupt {
    AmlRole role;
    AmlTrigger trigger;
    AmlPolarity polarity; /* not both */
    AmlShare share;
} AmlInterrupt;
Aml *aml_interrupt(const AmlInterrupt *how, uint32_t gsi);
Aml *aml_interrupts(const AmlInterrupt *how, const uint32_t *gsis, uint8_t count);

/* WordIO () and its kin: a window of a bus. */
typedef enum AmlRangeCache {
    AML_NON_CACHEABLE, AML_CACHEABLE, AML_WRITE_COMBINING, AML_PREFETCHABLE
} AmlRangeCache;
typedef enum AmlIoRange { AML_NON_ISA_ONLY = 1, AML_ISA_ONLY, AML_ENTIRE_RANGE } AmlIoRange;
typedef struct AmlWindow {
    uint64_t min, max;    /* inclusive */
    uint64_t length;      /* 0: max - min + 1 */
    uint64_t granularity, translation;
    AmlRole role;
    bool is_subtractive;
    bool is_min_movable, is_max_movable;
    AmlReadWrite access;  /* memory */
    AmlRangeCache cache;  /* memory */
    AmlIoRange range;     /* I/O; 0: the entire one */
    bool is_translated;   /* I/O out of memory, memory out of I/O */
} AmlWindow;
Aml *aml_word_bus_number(const AmlWindow *window);
Aml *aml_word_io(const AmlWindow *window);
Aml *aml_dword_io(const AmlWindow *window);
Aml *aml_qword_io(const AmlWindow *window);
Aml *aml_dword_memory(const AmlWindow *window);
Aml *aml_qword_memory(const AmlWindow *window);

/* Register (). */
Aml *aml_register(AmlSpace space, uint8_t bits, uint8_t offset, uint8_t access, uint64_t address);

/* GpioInt () and GpioIo (). */
typedef struct AmlGpio {
    const char *controller; /* path */
    const uint16_t *pins;
    uint16_t pin_count;
    uint8_t pull;           /* 0 default, 1 up, 2 down, 3 none */
    AmlTrigger trigger;     /* GpioInt */
    AmlPolarity polarity;   /* GpioInt */
    AmlShare share;
    uint8_t io_restriction; /* GpioIo: 0 none, 1 input, 2 output, 3 none and preserve */
    uint16_t debounce;      /* 10 us */
} AmlGpio;
Aml *aml_gpio_int(const AmlGpio *gpio);
Aml *aml_gpio_io(const AmlGpio *gpio);

#endif
