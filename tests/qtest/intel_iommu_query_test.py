# SPDX-License-Identifier: GPL-2.0-or-later
"""intel-iommu for people: x-query-iommu, x-iommu-walk, and what the text monitor makes of them."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import vtd  # noqa: E402
from vm import QmpError, Vm  # noqa: E402
from vtd import DATA, FIRST, NESTED, PASS, SECOND, Endpoint, Vtd  # noqa: E402

SVM = 'x-scalable-mode=on,x-flts=on,pasid-bits=20,device-iotlb=on,svm=on'
IOVA = 0x7f1234567000


class Query(unittest.TestCase):
    def start(self, unit='intel-iommu,' + SVM, *more):
        self.vm = Vm(house.binary(), '-M', 'q35', '-m', '512', '-nodefaults', '-device', unit, '-device',
                     'iommu-testdev,id=dev,addr=4,ats=on,pri=on,pasid-bits=20', *more, qtest=True)
        self.vm.__enter__()
        self.addCleanup(self.vm.__exit__, None, None, None)
        self.unit, self.dev = Vtd(self.vm), Endpoint(self.vm)

    def query(self):
        info, = self.vm.qmp('x-query-iommu')
        return info

    def device(self):
        device, = [d for d in self.query()['devices'] if d['id'] == 'dev']
        return device

    def hmp(self, line):
        return self.vm.qmp('human-monitor-command', **{'command-line': line}).replace('\r\n', '\n')

    def walk(self, iova, **more):
        return self.vm.qmp('x-iommu-walk', dev='dev', iova=iova, **more)

    def refused(self, why, command, **args):
        with self.assertRaises(QmpError) as raised:
            self.vm.qmp(command, **args)
        self.assertEqual(raised.exception.desc, why)

    # --- state ---

    def test_no_unit(self):
        with Vm(house.binary(), '-M', 'q35', '-nodefaults', '-device', 'edu,id=edu', qtest=True) as self.vm:
            self.assertEqual(self.vm.qmp('x-query-iommu'), [])
            self.assertEqual(self.hmp('info iommu'), 'No IOMMU\n')
            self.refused("'edu' is behind no IOMMU", 'x-iommu-walk', dev='edu', iova=0)
            self.refused("there is no PCI device 'nic'", 'x-iommu-walk', dev='nic', iova=0)

    def test_idle(self):
        self.start()
        info = self.query()
        self.assertEqual((info['type'], info['translating'], info['scalable']),
                         ('intel-iommu', False, False))
        self.assertNotIn('commands', info)
        self.assertEqual(self.device(), {'id': 'dev', 'requester': 0x20, 'ats': False, 'pri': False,
                                         'spaces': [{'mode': 'off'}], 'more': False})
        self.assertEqual(self.walk(0x12345678), {
            'mode': 'off', 'steps': [], 'page': {'address': 0x12345678, 'size': 4096, 'read': True,
                                                 'write': True, 'privileged': False}})
        self.refused('PASID 1048576 has more than 20 bits', 'x-iommu-walk', dev='dev', iova=0,
                     pasid=1 << 20)

    def test_spaces(self):
        self.start('intel-iommu,x-nesting=on,' + SVM)
        root = self.unit.table()
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        self.unit.pasid(0, PASS, domain=9)
        self.unit.pasid(3, FIRST, root, domain=4)
        self.unit.pasid(4, NESTED, root, domain=4, second=0x9000, aw=2)
        self.unit.pasid(5, SECOND, root, domain=4, aw=1)
        self.unit.pasid(6, FIRST, root, domain=4, flags=1 << 8)
        self.unit.start(True)
        info = self.query()
        self.assertEqual((info['translating'], info['scalable'], info['tables']), (True, True, vtd.ROOT))
        self.assertEqual(info['commands'], {'address': vtd.QUEUE, 'bytes': 4096, 'head': 0, 'tail': 0,
                                            'stopped': 0})
        found = self.device()
        self.assertEqual((found['ats'], found['pri'], found['more']), (True, True, False))
        self.assertEqual(found['spaces'], [
            {'mode': 'pass-through', 'domain': 9},
            {'pasid': 3, 'mode': 'first', 'domain': 4, 'first': root, 'first-levels': 4},
            {'pasid': 4, 'mode': 'nested', 'domain': 4, 'first': root, 'first-levels': 4,
             'second': 0x9000, 'second-levels': 4},
            {'pasid': 5, 'mode': 'second', 'domain': 4, 'second': root, 'second-levels': 3},
            {'pasid': 6, 'mode': 'blocked', 'fault': {
                'code': 0x5a, 'reason': 'reserved bits in a PASID entry', 'recorded': True}}])
        text = self.hmp('info iommu')
        self.assertIn(f'intel-iommu: translating, scalable tables at {vtd.ROOT:#x}\n', text)
        self.assertIn('  00:04.0 dev, ATS, page requests\n    no PASID: pass-through, domain 9\n'
                      f'    PASID 3: first, domain 4, first stage of 4 levels at {root:#x}\n', text)
        self.assertIn('    PASID 6: blocked: 0x5a reserved bits in a PASID entry\n', text)

    def test_many_pasids(self):
        """Every directory entry leads to one table that is full: what is shown has an end."""
        self.start()
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        for pasid in range(64):
            self.unit.pasid(pasid, PASS)
        for entry in range(1 << 14):
            if entry % 512 < 8:
                self.unit.store(vtd.DIRECTORY + 8 * entry, vtd.PASIDS | 1)
        self.unit.start(True)
        found = self.device()
        self.assertTrue(found['more'])
        self.assertEqual([s.get('pasid') for s in found['spaces']], [None, *range(1, 257)])

    def test_counters(self):
        self.start()
        root = self.unit.table()
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        self.unit.pasid(0, PASS)
        self.unit.pasid(5, FIRST, root)
        places = self.unit.map(root, 4, IOVA, DATA, 0x67, flags=0x27)
        self.unit.put(vtd.PQA, vtd.PRQ, 8)
        self.unit.start(True)
        self.dev.enable()
        before = self.query()['counters']
        self.assertEqual((before['faults'], before['invalidations']), ([], []))
        for _ in range(3):
            self.assertIsNotNone(self.dev.read(IOVA, 5))
        now = self.query()['counters']
        self.assertEqual((now['walks'] - before['walks'], now['hits'] - before['hits'],
                          now['misses'] - before['misses'], now['cached']), (1, 2, 1, 1))
        self.unit.store(places[-1], 0)
        self.unit.drop_pasid_pages(1, 5, IOVA)
        self.unit.drop_pasid_pages(1, 5)
        self.assertIsNone(self.dev.read(IOVA, 5))
        self.assertIsNone(self.dev.read(IOVA, 5))
        self.dev.run(vtd.ASK, IOVA, 5)
        info = self.query()
        now = info['counters']
        self.assertEqual(now['faults'], [
            {'code': 0x71, 'reason': 'first-stage entry not present', 'count': 2}])
        self.assertEqual(now['invalidations'], [{'name': 'pasid-iotlb', 'count': 2}])
        self.assertEqual((now['page-requests'], now['page-responses'], now['cached']), (1, 0, 0))
        self.assertEqual((info['pending-fault'], info['page-requests']['tail']), (0x71, 32))
        text = self.hmp('info iommu')
        for line in ('  fault recorded: 0x71\n', '  page requests: 1, answers: 0\n',
                     '  invalidations: pasid-iotlb: 2\n',
                     '  faults: 0x71 first-stage entry not present: 2\n'):
            self.assertIn(line, text)
        self.unit.submit(0xf)
        info = self.query()
        self.assertEqual(info['commands']['stopped'], 3)
        self.assertIn('stopped: reason 3', self.hmp('info iommu'))

    def test_interrupts(self):
        self.start('intel-iommu,aw-bits=48')
        self.unit.put(vtd.IRTA, vtd.IRTES | 7, 8)
        self.unit.command(vtd.SIRTP)
        self.unit.command(vtd.IRE)
        info = self.query()
        self.assertEqual((info['remapping'], info['interrupt-table'], info['interrupt-entries']),
                         (True, vtd.IRTES, 256))
        self.assertIn(f'  interrupts: remapped by 256 entries at {vtd.IRTES:#x}\n',
                      self.hmp('info iommu'))

    # --- walks ---

    def test_walk(self):
        """Every entry, twice alike: it leaves no trace."""
        self.start()
        root = self.unit.table()
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        self.unit.pasid(0, PASS, domain=9)
        self.unit.pasid(5, FIRST, root, domain=3)
        places = self.unit.map(root, 4, IOVA, DATA, 7, flags=7)
        self.unit.start(True)
        before = self.query()['counters']
        entries = [self.unit.load(at) for at in places]
        for _ in range(2):
            found = self.walk(IOVA + 0x123, pasid=5, write=True)
            self.assertEqual(found['mode'], 'first')
            self.assertEqual(found['page'], {'address': DATA + 0x123, 'size': 4096, 'read': True,
                                             'write': True, 'privileged': False})
            self.assertNotIn('fault', found)
            self.assertEqual([(s['table'], s.get('level'), s['address'], s['entry'])
                              for s in found['steps']], [
                ('root', None, vtd.ROOT, [vtd.CONTEXT | 1]),
                ('context', None, vtd.CONTEXT + 32 * 0x20, [vtd.DIRECTORY | 0xe1d, 0, 0, 0]),
                ('pasid-directory', None, vtd.DIRECTORY, [vtd.PASIDS | 1]),
                ('pasid', None, vtd.PASIDS + 320, [1 | 1 << 6 | 2 << 2, 3, root, 0, 0, 0, 0, 0]),
                *[('first', 4 - n, places[n], [entries[n]]) for n in range(4)]])
        self.assertEqual([self.unit.load(at) for at in places], entries)
        self.assertEqual(self.query()['counters'], before)
        self.assertEqual(self.hmp(f'x-iommu-walk -w dev {IOVA:#x} 5').split('\n')[-3:], [
            f'first level 1   at {places[3]:#014x}: {entries[3]:016x}',
            f'first: {DATA:#x} in a page of 0x1000 bytes: read write', ''])

    def test_walk_faults(self):
        """The last step is where it ends."""
        self.start()
        root = self.unit.table()
        self.unit.scalable_context(self.dev.sid, flags=0x1c)
        self.unit.pasid(0, PASS, domain=9)
        self.unit.pasid(5, FIRST, root)
        places = self.unit.map(root, 4, IOVA, DATA, 5, flags=7)
        self.unit.start(True)
        for args, code, table, at, mode in (
                ({'iova': IOVA, 'pasid': 5, 'write': True}, 0x85, 'first', places[3], 'first'),
                ({'iova': IOVA, 'pasid': 5, 'execute': True}, 0x5c, 'pasid', vtd.PASIDS + 320, 'first'),
                ({'iova': IOVA, 'pasid': 5, 'privileged': True}, 0x5d, 'pasid', vtd.PASIDS + 320, 'first'),
                ({'iova': 1 << 63, 'pasid': 5}, 0x80, 'pasid', vtd.PASIDS + 320, 'first'),
                ({'iova': IOVA ^ 1 << 30, 'pasid': 5}, 0x71, 'first', places[1] ^ 8, 'first'),
                ({'iova': IOVA, 'pasid': 6}, 0x59, 'pasid', vtd.PASIDS + 384, 'blocked'),
                ({'iova': IOVA, 'pasid': 64}, 0x51, 'pasid-directory', vtd.DIRECTORY + 8, 'blocked'),
                ({'iova': 1 << 60}, 0x83, 'pasid', vtd.PASIDS, 'pass-through')):
            with self.subTest(args):
                found = self.walk(**args)
                self.assertEqual((found['fault']['code'], found['mode']), (code, mode))
                self.assertTrue(found['fault']['reason'])
                self.assertEqual((found['steps'][-1]['table'], found['steps'][-1]['address']), (table, at))
                self.assertNotIn('page', found)
        self.assertIsNone(self.unit.fault())
        for line, fault in ((f'-w dev {IOVA:#x} 5', '0x85 page not writable'),
                            ('dev 0xfff0000000000000 5', '0x80 address not canonical')):
            self.assertEqual(self.hmp('x-iommu-walk ' + line).split('\n')[-2], 'first: fault ' + fault)
        self.unit.pasid(0, PASS, present=0)
        self.assertEqual(self.walk(IOVA)['fault']['code'], 0x59)
        self.assertEqual(self.walk(IOVA, pasid=5)['fault']['code'], 0x43)

    def test_walk_legacy(self):
        self.start('intel-iommu,aw-bits=48')
        root = self.unit.table()
        self.unit.legacy_context(self.dev.sid, root | 1, 1 << 8 | 2)
        places = self.unit.map(root, 4, 0x40000000, 0x8000000, 1, level=2)
        self.unit.start()
        found = self.walk(0x40012345)
        self.assertEqual(found['page'], {'address': 0x8012345, 'size': 2 << 20, 'read': True,
                                         'write': False, 'privileged': False})
        self.assertEqual([s['table'] for s in found['steps']], ['root', 'context'] + 3 * ['second'])
        found = self.walk(0x40012345, write=True)
        self.assertEqual((found['fault']['code'], found['steps'][-1]['address']), (5, places[2]))
        self.assertEqual(self.walk(0x40012345, pasid=1)['fault']['code'], 0x31)


if __name__ == '__main__':
    house.main()
