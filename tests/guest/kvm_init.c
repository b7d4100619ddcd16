/*
 * kvm_init: a guest's init that loads KVM and runs guests of its own: sixteen-bit code that talks to
 * a port, touches memory that is not there, and halts; and one that waits for a timer's interrupts.
 * Says what came of it, and powers off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LOADED_AT 0x1000
#define ROUNDS    200

/*
 * mov dx, 0x3f8; mov cx, ROUNDS; 1: mov al, cl; out dx, al; add bx, cx; loop 1b;
 * mov [0x8000], bx (no memory: the device answers); mov ax, [0x2000]; hlt
 */
static const uint8_t code[] = {
    0xba, 0xf8, 0x03, 0xb9, ROUNDS & 0xff, ROUNDS >> 8, 0x88, 0xc8, 0xee, 0x01, 0xcb, 0xe2, 0xf9,
    0x89, 0x1e, 0x00, 0x80, 0xa1, 0x00, 0x20, 0xf4,
};

/*
 * With KVM's interrupt controllers and timer: the 8259 at vector 8, the timer at 1 kHz, and twenty
 * interrupts waited for, the first half by HLT, the others in a loop.
 */
extern const uint8_t timer_code[], timer_code_end[];
__asm__(".section .rodata\n.code16\ntimer_code:\n"
        "xor %ax, %ax\nmov %ax, %ds\nmov %ax, %ss\nmov $0x3000, %sp\n"
        "movw $(0x1000 + handler - timer_code), 32\nmovw $0, 34\n"
        "mov $0x11, %al\nout %al, $0x20\nmov $8, %al\nout %al, $0x21\n"
        "mov $4, %al\nout %al, $0x21\nmov $1, %al\nout %al, $0x21\nmov $0xfe, %al\nout %al, $0x21\n"
        "mov $0x34, %al\nout %al, $0x43\nmov $0xa9, %al\nout %al, $0x40\n"
        "mov $4, %al\nout %al, $0x40\nxor %cx, %cx\nsti\n"
        "1: hlt\ncmp $10, %cx\njb 1b\n2: cmp $20, %cx\njb 2b\n"
        "cli\nmov %cl, %al\nmov $0x3f8, %dx\nout %al, %dx\n3: jmp 3b\n"
        "handler: inc %cx\npush %ax\nmov $0x20, %al\nout %al, $0x20\npop %ax\niret\n"
        "timer_code_end:\n.code64\n.text\n");

static void load_module(const char *name)
{
    char path[64];
    char *options = getenv("kvm_options"); /* the kernel's command line has it */
    int fd;

    for (char *comma = options; comma && (comma = strchr(comma, ','));) {
        *comma = ' ';
    }
    snprintf(path, sizeof(path), "/%s.ko", name);
    fd = open(path, O_RDONLY);
    if (fd < 0) {
        return; /* built in */
    }
    if (syscall(SYS_finit_module, fd, strcmp(name, "kvm-amd") || !options ? "" : options, 0) < 0) {
        printf("kvm cannot load %s: %m\n", name);
    }
    close(fd);
}

static int fail(const char *what)
{
    printf("kvm fails: %s: %m\n", what);
    return 1;
}

static int run_timer_guest(int vcpu, struct kvm_run *run)
{
    if (ioctl(vcpu, KVM_RUN, 0) < 0) {
        return fail("KVM_RUN");
    }
    if (run->exit_reason != KVM_EXIT_IO) {
        printf("kvm fails: exit %u\n", run->exit_reason);
        return 1;
    }
    printf("kvm timer guest: interrupts %u\n", *((uint8_t *)run + run->io.data_offset));
    return 0;
}

static int run_guest(int vcpu, struct kvm_run *run)
{
    unsigned outs = 0, writes = 0;
    uint32_t sum = 0;

    for (;;) {
        if (ioctl(vcpu, KVM_RUN, 0) < 0) {
            return fail("KVM_RUN");
        }
        switch (run->exit_reason) {
        case KVM_EXIT_IO:
            outs++;
            sum += *((uint8_t *)run + run->io.data_offset);
            break;
        case KVM_EXIT_MMIO:
            writes += run->mmio.is_write && run->mmio.phys_addr == 0x8000;
            sum += run->mmio.data[0] | run->mmio.data[1] << 8;
            break;
        case KVM_EXIT_HLT: {
            struct kvm_regs regs;

            ioctl(vcpu, KVM_GET_REGS, &regs);
            printf("kvm guest: outs %u writes %u sum %u ax %#x rip %#x\n", outs, writes, sum,
                   (unsigned)regs.rax, (unsigned)regs.rip);
            return 0;
        }
        default:
            printf("kvm fails: exit %u\n", run->exit_reason);
            return 1;
        }
    }
}

static int make_guest(int kvm, int has_timer)
{
    int vm = ioctl(kvm, KVM_CREATE_VM, 0), vcpu, run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    uint8_t *memory = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = 0, .memory_size = 0x4000, .userspace_addr = (uintptr_t)memory };
    struct kvm_regs regs = { .rip = LOADED_AT, .rflags = 2 };
    struct kvm_sregs sregs;
    struct kvm_run *run;

    if (vm < 0 || run_bytes < 0) {
        return fail("KVM_CREATE_VM");
    }
    if (has_timer) {
        struct kvm_pit_config pit = { 0 };

        if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 || ioctl(vm, KVM_CREATE_PIT2, &pit) < 0) {
            return fail("KVM_CREATE_IRQCHIP");
        }
        memcpy(memory + LOADED_AT, timer_code, timer_code_end - timer_code);
    } else {
        memcpy(memory + LOADED_AT, code, sizeof(code));
    }
    memory[0x2000] = 0x34;
    memory[0x2001] = 0x12;
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0) {
        return fail("KVM_SET_USER_MEMORY_REGION");
    }
    vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (vcpu < 0 || run == MAP_FAILED || ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0) {
        return fail("KVM_CREATE_VCPU");
    }
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0) {
        return fail("KVM_SET_REGS");
    }
    return has_timer ? run_timer_guest(vcpu, run) : run_guest(vcpu, run);
}

int main(void)
{
    static const char *const modules[] = { "irqbypass", "kvm", "ccp", "kvm-amd" };
    int kvm;

    setvbuf(stdout, NULL, _IONBF, 0);
    mkdir("/sys", 0755);
    mount("sys", "/sys", "sysfs", 0, NULL);
    for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
        load_module(modules[i]);
    }
    mknod("/dev/kvm", S_IFCHR | 0600, makedev(10, 232));
    kvm = open("/dev/kvm", O_RDWR);
    if (kvm < 0) {
        fail("/dev/kvm");
    } else {
        make_guest(kvm, 0);
        make_guest(kvm, 1);
    }
    puts("kvm done");
    sync();
    reboot(RB_POWER_OFF);
    return 0;
}
