# SPDX-License-Identifier: GPL-2.0-or-later
"""fw_cfg of a PC, by ports 0x510 and 0x511 and by DMA, over qtest."""

KEYS = {'signature': 0, 'id': 1, 'uuid': 2, 'ram_size': 3, 'nographic': 4, 'nb_cpus': 5,
        'machine_id': 6, 'boot_device': 0xc, 'numa': 0xd, 'boot_menu': 0xe, 'max_cpus': 0xf,
        'files': 0x19, 'irq0_override': 0x8002}
DMA_AT = 0x7000  # guest memory for a request


class FwCfg:
    def __init__(self, vm):
        self.vm = vm

    def select(self, key):
        self.vm.qtest(f'outw 0x510 {key:#x}')

    def read(self, key, size):
        self.select(KEYS.get(key, key))
        return bytes(int(self.vm.qtest('inb 0x511'), 16) for _ in range(size))

    def number(self, key, size):
        return int.from_bytes(self.read(key, size), 'little')

    def files(self):
        """Name -> (size, key)."""
        self.select(KEYS['files'])
        data = self.dma_read(4)
        found = {}
        for _ in range(int.from_bytes(data, 'big')):
            entry = self.dma_read(64)
            found[entry[8:].split(b'\0')[0].decode()] = (int.from_bytes(entry[:4], 'big'),
                                                         int.from_bytes(entry[4:6], 'big'))
        return found

    def file(self, name):
        size, key = self.files()[name]
        self.select(key)
        return self.dma_read(size)

    def dma(self, control, size, at, left=0):
        request = control.to_bytes(4, 'big') + size.to_bytes(4, 'big') + at.to_bytes(8, 'big')
        self.vm.qtest(f'write {DMA_AT:#x} 16 0x{request.hex()}')
        self.vm.qtest('outl 0x514 0')
        self.vm.qtest(f'outl 0x518 {int.from_bytes(DMA_AT.to_bytes(4, "big"), "little"):#x}')
        found = int.from_bytes(bytes.fromhex(self.vm.qtest(f'read {DMA_AT:#x} 4')[2:]), 'big')
        assert found == left, hex(found)

    def dma_read(self, size):
        """Of what is selected, from where it was read to."""
        if not size:
            return b''
        self.dma(0x02, size, DMA_AT + 16)
        return bytes.fromhex(self.vm.qtest(f'read {DMA_AT + 16:#x} {size}')[2:])

    def write(self, name, data):
        _, key = self.files()[name]
        self.vm.qtest(f'write {DMA_AT + 16:#x} {len(data)} 0x{data.hex()}')
        self.dma(key << 16 | 0x18, len(data), DMA_AT + 16)
