/*
 * Interrupt routing in the DSDT: _PRT, and the link devices that set the PIRQ registers of PIIX3
 * (config 0x60 to 0x63) or ICH9 (0x60 to 0x63 and 0x68 to 0x6b). With IOAPICs, ICH9's PIRQs are
 * also GSIs 16 to 23, which no register changes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "acpi_board.h"

#define SLOTS 32
#define ISA_FUNCTION "\\_SB.PCI0.ISA"
#define ROUTE_DISABLED 0x80
#define FIRST_PIRQ_GSI 16
#define INTERRUPT_AT 5 /* of the number in a template's only Interrupt() */
#define PIIX_PM_SLOT 1

static const uint32_t choices[] = { 5, 10, 11 };
static const AmlInterrupt shared_level = {
    AML_CONSUMER, AML_LEVEL, AML_ACTIVE_HIGH, AML_SHARED,
};

/* --- routes --- */

/* The PIRQ of a pin, from 0; -1: the SCI's own link. */
static int pirq_of(const AcpiBoard *board, unsigned slot, unsigned pin)
{
    if (!board->is_express) {
        return slot == PIIX_PM_SLOT && pin == 0 ? -1 : (int)((slot + pin + 3) % 4);
    }
    return slot < 25 ? (slot + pin) % 4 + 4 : pin;
}

static Aml *route_table(const AcpiBoard *board, const char *link)
{
    Aml *table = aml_package();

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_PIN_COUNT; pin++) {
            int pirq = pirq_of(board, slot, pin);
            Aml *source = pirq < 0 ? aml_ref("LNKS") :
                                     aml_ref(aml_path("%s%c", link, 'A' + pirq).text);

            aml_append(table, aml_package(aml_int(slot << 16 | 0xffff), aml_int(pin), source,
                                          aml_int(0)));
        }
    }
    return table;
}

Aml *acpi_pci_routes(const AcpiBoard *board)
{
    if (!board->is_express) {
        return aml_method("_PRT", 0, AML_NOT_SERIALIZED,
                          aml_return(route_table(board, "\\_SB.LNK")));
    }
    return aml_list(aml_name("PRTP", route_table(board, "\\_SB.LNK")),
                    aml_name("PRTA", route_table(board, "\\_SB.GSI")),
                    aml_method("_PRT", 0, AML_NOT_SERIALIZED,
                               aml_if(aml_lequal(aml_ref("\\PICF"), aml_int(0)),
                                      aml_return(aml_ref("PRTP"))),
                               aml_return(aml_ref("PRTA"))));
}

/* --- links --- */

static Aml *link_head(const char *name, unsigned uid)
{
    return aml_device(name, aml_name("_HID", aml_eisaid("PNP0C0F")),
                      aml_name("_UID", aml_int(uid)));
}

static Aml *link_device(unsigned n)
{
    char letter = 'A' + n;
    AmlPath reg = aml_path(ISA_FUNCTION ".PRQ%c", letter);
    Aml *dev = link_head(aml_path("LNK%c", letter).text, n);

    aml_append(dev, aml_name("_PRS", aml_resource_template(aml_interrupts(
                                         &shared_level, choices, ARRAY_SIZE(choices)))));
    aml_append(dev, aml_method("_STA", 0, AML_NOT_SERIALIZED,
                               aml_return(aml_call("IQST", aml_ref(reg.text)))));
    aml_append(dev, aml_method("_DIS", 0, AML_NOT_SERIALIZED,
                               aml_or(aml_ref(reg.text), aml_int(ROUTE_DISABLED),
                                      aml_ref(reg.text))));
    aml_append(dev, aml_method("_CRS", 0, AML_NOT_SERIALIZED,
                               aml_return(aml_call("IQCR", aml_ref(reg.text)))));
    aml_append(dev, aml_method("_SRS", 1, AML_NOT_SERIALIZED,
                               aml_create_dword_field(aml_arg(0), aml_int(INTERRUPT_AT), "PRRI"),
                               aml_store(aml_ref("PRRI"), aml_ref(reg.text))));
    return dev;
}

static Aml *fixed_link(const char *name, unsigned uid, uint32_t gsi)
{
    Aml *dev = link_head(name, uid);

    aml_append(dev, aml_name("_PRS", aml_resource_template(aml_interrupt(&shared_level, gsi))));
    aml_append(dev, aml_name("_CRS", aml_resource_template(aml_interrupt(&shared_level, gsi))));
    aml_append(dev, aml_method("_STA", 0, AML_NOT_SERIALIZED, aml_return(aml_int(0xb))));
    aml_append(dev, aml_method("_DIS", 0, AML_NOT_SERIALIZED));
    aml_append(dev, aml_method("_SRS", 1, AML_NOT_SERIALIZED));
    return dev;
}

static Aml *link_methods(void)
{
    return aml_list(
        aml_method("IQST", 1, AML_NOT_SERIALIZED,
                   aml_if(aml_and(aml_arg(0), aml_int(ROUTE_DISABLED), NULL),
                          aml_return(aml_int(9))),
                   aml_return(aml_int(0xb))),
        aml_method("IQCR", 1, AML_SERIALIZED,
                   aml_store(aml_resource_template(aml_interrupt(&shared_level, 0)),
                             aml_local(0)),
                   aml_create_dword_field(aml_local(0), aml_int(INTERRUPT_AT), "PRRI"),
                   aml_if(aml_lless(aml_arg(0), aml_int(ROUTE_DISABLED)),
                          aml_store(aml_arg(0), aml_ref("PRRI"))),
                   aml_return(aml_local(0))));
}

/* For the scope \_SB. */
Aml *acpi_pci_links(const AcpiBoard *board)
{
    unsigned count = board->is_express ? 8 : 4;
    Aml *terms = aml_list(link_methods());

    for (unsigned n = 0; n < count; n++) {
        aml_append(terms, link_device(n));
    }
    if (!board->is_express) {
        aml_append(terms, fixed_link("LNKS", count, board->sci_gsi));
        return terms;
    }
    for (unsigned n = 0; n < count; n++) {
        aml_append(terms, fixed_link(aml_path("GSI%c", 'A' + n).text, FIRST_PIRQ_GSI + n,
                                     FIRST_PIRQ_GSI + n));
    }
    return terms;
}
