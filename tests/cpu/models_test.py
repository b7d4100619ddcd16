"""The CPU models a binary tells of, beside what clients are used to.

Usage: models_test.py BINARY TARGET DATA. DATA has recorded replies.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import json
import os
import subprocess
import sys
import unittest

from vm import QmpError, Vm

if len(sys.argv) > 3:
    DATA, TARGET, BINARY = sys.argv.pop(), sys.argv.pop(), sys.argv.pop()
COMPARED = ('typename', 'alias-of', 'static', 'migration-safe', 'deprecated')


def recorded(name):
    with open(os.path.join(DATA, f'{TARGET}.{name}')) as file:
        return file.read()


def run(*args):
    """Standard error of a start that must fail."""
    done = subprocess.run([BINARY, '-display', 'none', *args], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 1, (args, done)
    return done.stderr


def on(*targets):
    return unittest.skipUnless(TARGET in targets, 'of other targets')


class Models(unittest.TestCase):
    def setUp(self):
        self.vm = Vm(BINARY, '-nodefaults', '-machine', 'none', '-accel', 'qtest')
        self.addCleanup(self.vm.kill)
        self.qmp = self.vm.qmp

    def expand(self, name, props=None, how='full'):
        model = {'name': name}
        if props is not None:
            model['props'] = props
        return self.qmp('query-cpu-model-expansion', type=how, model=model)['model']

    def refused(self, text, *args, **named):
        with self.assertRaises(QmpError) as caught:
            self.expand(*args, **named)
        self.assertEqual(('GenericError', text), (caught.exception.cls, caught.exception.desc))

    def definitions(self):
        return {info['name']: info for info in self.qmp('query-cpu-definitions')}

    def test_definitions(self):
        ours = self.definitions()
        for line in recorded('cpu-definitions.jsonl').splitlines():
            theirs = json.loads(line)
            name = theirs['name']
            self.assertIn(name, ours)
            if not theirs['typename']:  # Power models: the peer leaves it out
                theirs['typename'] = name + '-powerpc64-cpu'
            for key in COMPARED:
                self.assertEqual(theirs.get(key), ours[name].get(key), (name, key))

    def test_types_can_be_made(self):
        types = {t['name'] for t in self.qmp('qom-list-types', implements='cpu')}
        for name, info in self.definitions().items():
            self.assertIn(info['typename'], types, name)
            self.assertNotIn('', info.get('unavailable-features', []))

    def test_no_hotplug_without_a_board(self):
        self.assertEqual([], self.qmp('query-cpus-fast'))
        with self.assertRaisesRegex(QmpError, "The feature 'query-hotpluggable-cpus' is not"):
            self.qmp('query-hotpluggable-cpus')

    @on('ppc64')
    def test_no_expansion(self):
        with self.assertRaises(QmpError) as caught:
            self.expand('power9')
        self.assertEqual('CommandNotFound', caught.exception.cls)

    @on('x86_64', 'aarch64')
    def test_all_expand(self):
        for name in self.definitions():
            if name == 'host' or name.startswith('host-'):
                continue
            self.assertEqual(name, self.expand(name)['name'])

    @on('x86_64')
    def test_static_expansion(self):
        theirs = json.loads(recorded('cpu-expansion.static.host.json'))['reply']['model']
        ours = self.expand('max', how='static')
        self.assertEqual(theirs['name'], ours['name'])
        for name, value in theirs['props'].items():
            self.assertIn(name, ours['props'])
            self.assertIs(type(value), type(ours['props'][name]), name)

    @on('x86_64')
    def test_expansion_of_a_reply(self):
        """A client may send all of a static reply back, as another model's properties."""
        fixed = self.expand('Haswell-noTSX', how='static')
        self.assertFalse(fixed['props']['hle'])
        full = self.expand(fixed['name'], fixed['props'])
        for name, value in fixed['props'].items():
            self.assertEqual(value, full['props'][name], name)

    @on('x86_64')
    def test_refusals(self):
        self.refused("CPU model 'nope' not found", 'nope')
        self.refused("Property 'max-x86_64-cpu.foo' not found", 'max', {'foo': 1})
        self.refused("Invalid parameter type for 'avx', expected: boolean", 'max', {'avx': 1})

    @on('aarch64')
    def test_arm_refusals(self):
        self.refused('The requested expansion type is not supported', 'max', how='static')
        self.refused("The CPU type 'host' requires KVM", 'host')
        self.refused("The CPU type 'foo' is not a recognized ARM CPU type", 'foo')
        self.refused("Parameter 'model.props.not-a-prop' is unexpected", 'max',
                     {'not-a-prop': False})
        self.refused("Invalid parameter type for 'model.props', expected: object", 'max', False)
        self.refused('cannot disable sve256', 'max', {'sve256': False, 'sve512': True})
        self.refused('cannot enable sve640', 'a64fx', {'sve640': True})

    @on('aarch64')
    def test_sve(self):
        lengths = [f'sve{n}' for n in range(128, 2049, 128)]
        props = self.expand('max')['props']
        self.assertTrue(all(props[name] for name in lengths))
        props = self.expand('max', {'sve': False})['props']
        self.assertFalse(any(props[name] for name in lengths))
        props = self.expand('a64fx')['props']
        self.assertEqual(['sve128', 'sve256', 'sve512'], [n for n in lengths if props[n]])
        self.assertEqual({'pmu': True}, self.expand('cortex-a15')['props'])


class CommandLine(unittest.TestCase):
    MODEL = {'x86_64': 'qemu64,apic-id=0', 'aarch64': 'cortex-a57', 'ppc64': 'power8e_v2.1'}

    def test_cpu(self):
        with Vm(BINARY, '-nodefaults', '-machine', 'none', '-accel', 'qtest',
                '-cpu', self.MODEL[TARGET]) as vm:
            cpu, = vm.qmp('query-cpus-fast')
            self.assertEqual((0, TARGET), (cpu['cpu-index'], cpu['target']))
            self.assertTrue(os.path.exists(f"/proc/{vm.process.pid}/task/{cpu['thread-id']}"))
            names = {p['name']: p for p in vm.qmp('qom-list', path=cpu['qom-path'])}
            self.assertIs(True, vm.qmp('qom-get', path=cpu['qom-path'], property='realized'))
            for name, prop in names.items():
                if prop['type'] == 'bool':
                    value = vm.qmp('qom-get', path=cpu['qom-path'], property=name)
                    self.assertIs(bool, type(value), name)
            vm.qmp('system_reset')

    def test_refusals(self):
        bare = ('-machine', 'none', '-nodefaults', '-accel', 'qtest')
        self.assertIn('-cpu option cannot be empty', run(*bare, '-cpu', ''))
        self.assertIn("unable to find CPU model 'nope'", run(*bare, '-cpu', 'nope'))
        model = self.MODEL[TARGET].split(',')[0]
        self.assertRegex(run(*bare, '-cpu', model + ',foo=1'), r"Property '\S+\.foo' not found")

    def test_help(self):
        done = subprocess.run([BINARY, '-cpu', 'help'], capture_output=True, text=True,
                              timeout=120, check=True)
        self.assertEqual('', done.stderr)
        for line in recorded('cpu-definitions.jsonl').splitlines():
            self.assertIn(f" {json.loads(line)['name']}", done.stdout)

    @on('x86_64')
    def test_features(self):
        """-f wins over f=value, and what the accelerator lacks is said."""
        with Vm(BINARY, '-nodefaults', '-machine', 'none', '-accel', 'qtest',
                '-cpu', 'Haswell,-avx2,avx2=on,apic-id=7,+sse4.1') as vm:
            path = vm.qmp('query-cpus-fast')[0]['qom-path']

            def get(name):
                return vm.qmp('qom-get', path=path, property=name)
            self.assertEqual((False, True, 7), (get('avx2'), get('sse4-1'), get('apic-id')))
            self.assertEqual('Intel Core Processor (Haswell)', get('model-id'))
            words = {(w['cpuid-input-eax'], w['cpuid-register']): w['features']
                     for w in get('feature-words') if 'cpuid-input-ecx' not in w}
            self.assertTrue(words[1, 'ECX'] >> 19 & 1)
            self.assertEqual([], get('unavailable-features'))
        self.assertIn("Don't mix both \"-avx2\" and \"avx2=on\"", vm.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
