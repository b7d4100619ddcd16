# SPDX-License-Identifier: GPL-2.0-or-later
"""What libvirt looks up when it probes, row by row: what we have a subject for must be found."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from vm import Vm  # noqa: E402

# Wanted, of a subject that is there, and why it is not found.
MISSING = {
    'blockdev-add/arg-type/+nbd/tls-hostname': 'there is no NBD yet',
    'netdev_add/arg-type/+vhost-vdpa': 'there is no vDPA yet',
    'max-arm-cpu.kvm-no-adjvtime': 'an accelerator\'s, and there is no KVM',
    'max-arm-cpu.migratable': 'x86 alone has it',
    'max-arm-cpu.unavailable-features': 'x86 alone has it',
    'max-x86_64-cpu.kvm-no-adjvtime': 'Arm\'s, and there is no KVM',
}


class Lookups:
    """One binary's answers."""

    def __init__(self, qmp):
        self.qmp = qmp
        self.schema = {entity['name']: entity for entity in qmp('query-qmp-schema')}
        self.types = {entry['name'] for entry in qmp('qom-list-types', abstract=True)}
        self.types |= {entry['name'] for entry in qmp('qom-list-types')}
        self.options = {option['option']: {p['name'] for p in option['parameters']}
                        for option in qmp('query-command-line-options')}

    def step(self, entity, step):
        """Where a step of a path leads, True at its end, None if there is no such thing."""
        while entity['meta-type'] == 'array':
            entity = self.schema[entity['element-type']]
        if step in ('arg-type', 'ret-type'):
            return self.schema[entity[step]]
        if step[0] == '$':
            return step[1:] in entity.get('features', []) or None
        if step[0] == '^':
            return step[1:] in entity['values'] or None
        key, parts = (('case', entity.get('variants', [])) if step[0] == '+' else
                      ('name', entity['members']))
        found = [part['type'] for part in parts if part[key] == step.lstrip('+')]
        return self.schema[found[0]] if found else None

    def schema_path(self, lookup):
        steps = lookup.split('/')
        if steps[0] not in self.schema:
            return None  # no subject
        entity = self.schema[steps[0]]
        for step in steps[1:]:
            entity = entity and self.step(entity, step)
        return bool(entity)

    def property(self, typename, name):
        if typename not in self.types:
            return None
        return name in {p['name'] for p in self.qmp('qom-list-properties', typename=typename)}

    def object_property(self, lookup):
        return self.property(*lookup.split('.'))

    def machine_property(self, lookup):
        machine, name = lookup.split('.')
        return self.property(machine + '-machine', name)

    def command_line_option(self, lookup):
        option, _, name = lookup.partition('.')
        if option not in self.options:
            return None
        return not name or name in self.options[option]


class Rows(unittest.TestCase):
    def test_rows(self):
        rows = [row for row in house.rows('libvirt', 'caps-flags.tsv')
                if row['wanted of us'] == 'yes']
        found, missing = set(), {}
        for arch in house.ARCHES:
            with Vm(house.binary(arch), '-M', 'none', '-nodefaults') as vm:
                lookups = Lookups(vm.qmp)
                for row in rows:
                    look = getattr(lookups, row['kind'].replace('-', '_'), None)
                    answer = look(row['lookup']) if look else None
                    if answer:
                        found.add(row['lookup'])
                    elif answer is False:
                        missing.setdefault(row['lookup'], []).append(arch)
        self.assertEqual({lookup: arches for lookup, arches in missing.items()
                          if lookup not in MISSING}, {})
        self.assertLessEqual(set(MISSING), set(missing), 'these are found by now')
        self.assertGreater(len(found), 15)


if __name__ == '__main__':
    house.main()
