/*
 * Functions of HMP's table: `hmp_*` run a command, `show_*` print what a QMP command returned,
 * `complete_*` offer words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_HMP_HANDLERS_H
#define MONITOR_HMP_HANDLERS_H

#include "hmp.h"

/* hmp_help.c */
void hmp_help(Hmp *hmp, json_object *args);
void hmp_info_help(Hmp *hmp, json_object *args);
void hmp_history(Hmp *hmp, json_object *args);
void hmp_print(Hmp *hmp, json_object *args);
void complete_command(HmpWords *words);

/* hmp_block.c */
void hmp_drive_add(Hmp *hmp, json_object *args);
void hmp_commit(Hmp *hmp, json_object *args);
void hmp_drive_del(Hmp *hmp, json_object *args);
void hmp_info_block(Hmp *hmp, json_object *args);
void show_blockstats(Hmp *hmp, json_object *value);
/* Three digits and a unit. Free it. */
char *hmp_size_text(uint64_t bytes);

/* hmp_devices.c */
void hmp_device_add(Hmp *hmp, json_object *args);
void hmp_qdm(Hmp *hmp, json_object *args);
void hmp_qtree(Hmp *hmp, json_object *args);
void complete_device_type(HmpWords *words);

/* hmp_cpu.c */
void hmp_cpu(Hmp *hmp, json_object *args);
void hmp_gdbserver(Hmp *hmp, json_object *args);
void hmp_gpa2hpa(Hmp *hmp, json_object *args);
void hmp_gpa2hva(Hmp *hmp, json_object *args);
void hmp_gva2gpa(Hmp *hmp, json_object *args);
void hmp_irq(Hmp *hmp, json_object *args);
void hmp_lapic(Hmp *hmp, json_object *args);
void hmp_mem(Hmp *hmp, json_object *args);
void hmp_memsave(Hmp *hmp, json_object *args);
void hmp_pic(Hmp *hmp, json_object *args);
void hmp_registers(Hmp *hmp, json_object *args);
void hmp_tlb(Hmp *hmp, json_object *args);

/* hmp_dump.c */
void hmp_dump_guest_memory(Hmp *hmp, json_object *args);
void show_dump(Hmp *hmp, json_object *value);
void hmp_dump_physical(Hmp *hmp, json_object *args);
void hmp_dump_virtual(Hmp *hmp, json_object *args);

/* hmp_pci.c */
void hmp_pcie_aer_inject_error(Hmp *hmp, json_object *args);
void show_pci(Hmp *hmp, json_object *value);

/* hmp_iommu.c */
void hmp_iommu_walk(Hmp *hmp, json_object *args);
void show_iommu(Hmp *hmp, json_object *value);

/* hmp_memory.c */
void hmp_jit(Hmp *hmp, json_object *args);
void hmp_one_insn_per_tb(Hmp *hmp, json_object *args);
void hmp_mtree(Hmp *hmp, json_object *args);
void hmp_port_read(Hmp *hmp, json_object *args);
void hmp_port_write(Hmp *hmp, json_object *args);
void hmp_ramblock(Hmp *hmp, json_object *args);
void hmp_sum(Hmp *hmp, json_object *args);

/* hmp_migration.c */
void hmp_migrate(Hmp *hmp, json_object *args);
void hmp_migrate_set_capability(Hmp *hmp, json_object *args);
void hmp_migrate_set_parameter(Hmp *hmp, json_object *args);
void show_migrate(Hmp *hmp, json_object *value);
void show_migrate_capabilities(Hmp *hmp, json_object *value);
void show_migrate_parameters(Hmp *hmp, json_object *value);
void complete_migration_capability(HmpWords *words);
void complete_migration_parameter(HmpWords *words);

/* hmp_snapshot.c */
void hmp_savevm(Hmp *hmp, json_object *args);
void hmp_loadvm(Hmp *hmp, json_object *args);
void hmp_delvm(Hmp *hmp, json_object *args);
void show_snapshots(Hmp *hmp, json_object *drives);

/* hmp_objects.c */
/* The member "options" as -chardev and the like read it; NULL: what is wrong is printed. */
json_object *hmp_parse_options(Hmp *hmp, json_object *args, const char *implied_key);
void hmp_netdev_add(Hmp *hmp, json_object *args);
void hmp_announce_self(Hmp *hmp, json_object *args);
void hmp_hostfwd_add(Hmp *hmp, json_object *args);
void hmp_hostfwd_remove(Hmp *hmp, json_object *args);
void hmp_usernet(Hmp *hmp, json_object *args);
void hmp_network(Hmp *hmp, json_object *args);
void hmp_chardev_add(Hmp *hmp, json_object *args);
void hmp_change(Hmp *hmp, json_object *args);
void hmp_chardev_change(Hmp *hmp, json_object *args);
void hmp_object_add(Hmp *hmp, json_object *args);
void hmp_qom_set(Hmp *hmp, json_object *args);
void show_qom_list(Hmp *hmp, json_object *value);
void show_json(Hmp *hmp, json_object *value);
void hmp_qom_tree(Hmp *hmp, json_object *args);
void complete_netdev(HmpWords *words);
void complete_netdev_type(HmpWords *words);
void complete_network_end(HmpWords *words);
void complete_chardev(HmpWords *words);
void complete_device(HmpWords *words);
void complete_object(HmpWords *words);
void complete_object_type(HmpWords *words);
void complete_path(HmpWords *words);
/* Properties of the object that the word before names. */
void complete_property(HmpWords *words);

/* hmp_input.c */
void hmp_mouse_button(Hmp *hmp, json_object *args);
void hmp_mouse_move(Hmp *hmp, json_object *args);
void hmp_mouse_set(Hmp *hmp, json_object *args);
void hmp_sendkey(Hmp *hmp, json_object *args);
void show_mice(Hmp *hmp, json_object *value);
void show_vnc(Hmp *hmp, json_object *value);
/* The last of keys joined by '-'. */
void complete_key(HmpWords *words);

/* hmp_log.c */
void hmp_log(Hmp *hmp, json_object *args);
void hmp_logfile(Hmp *hmp, json_object *args);
void hmp_trace_event(Hmp *hmp, json_object *args);
void hmp_trace_events(Hmp *hmp, json_object *args);
void hmp_trace_file(Hmp *hmp, json_object *args);
void complete_log_item(HmpWords *words);
void complete_trace_event(HmpWords *words);
void complete_trace_file(HmpWords *words);

/* hmp_status.c */
void show_chardevs(Hmp *hmp, json_object *value);
void show_cpus(Hmp *hmp, json_object *value);
void show_hotpluggable_cpus(Hmp *hmp, json_object *value);
void show_iothreads(Hmp *hmp, json_object *value);
void show_kvm(Hmp *hmp, json_object *value);
void show_memdevs(Hmp *hmp, json_object *value);
void show_memory_devices(Hmp *hmp, json_object *value);
void show_memory_size(Hmp *hmp, json_object *value);
void show_balloon(Hmp *hmp, json_object *value);
void show_name(Hmp *hmp, json_object *value);
void show_virtio(Hmp *hmp, json_object *list);
void show_virtio_element(Hmp *hmp, json_object *value);
void show_virtio_queue(Hmp *hmp, json_object *value);
void show_virtio_status(Hmp *hmp, json_object *value);
void show_status(Hmp *hmp, json_object *value);
void show_tpms(Hmp *hmp, json_object *value);
void show_text(Hmp *hmp, json_object *value);
void show_uuid(Hmp *hmp, json_object *value);
void show_version(Hmp *hmp, json_object *value);

#endif
