#include "launcher/cgroup_devices.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/sys.h"
#include "base/unique_fd.h"

namespace guard::launcher {
namespace {

// devices.txt of the kernel: its numbers are part of its interface.
constexpr std::uint32_t kMemory = 1, kTerminals = 5, kFirstPts = 136;
const std::vector<DeviceRule> kHarmless{
    {'c', kMemory, 3, true},     // null
    {'c', kMemory, 5, true},     // zero
    {'c', kMemory, 7, true},     // full
    {'c', kMemory, 8, true},     // random
    {'c', kMemory, 9, true},     // urandom
    {'c', kTerminals, 0, true},  // tty
    {'c', kTerminals, 2, true},  // ptmx
    {'c', kFirstPts, {}, true},  // pts/*
};

Result<DeviceRule> declared_rule(const std::string& text) {
    const auto colon = text.rfind(':');
    const auto path = text.substr(0, colon);
    const auto rights = colon == std::string::npos ? "rw" : text.substr(colon + 1);
    const auto status = sys::fstatat(AT_FDCWD, path);
    const auto wrong = [&](std::string reason) {
        return fail("give device " + path, std::move(reason),
                    "take it out of filesystem.devices, or load its driver");
    };
    if (!status) return wrong("this host has no such file");
    if (!S_ISCHR(status->st_mode) && !S_ISBLK(status->st_mode)) return wrong("it is no device");
    return DeviceRule{S_ISCHR(status->st_mode) ? 'c' : 'b', major(status->st_rdev), minor(status->st_rdev),
                      rights.find('w') != std::string::npos};
}

// A minimal assembler: just what the program needs.
constexpr std::uint8_t kContext = BPF_REG_1, kAccess = BPF_REG_2, kType = BPF_REG_3, kMajor = BPF_REG_4,
                       kMinor = BPF_REG_5, kRest = BPF_REG_6, kAnswer = BPF_REG_0;
bpf_insn instruction(unsigned code, std::uint8_t to, std::uint8_t from, std::int16_t offset,
                     std::uint32_t value) {
    bpf_insn made{};
    made.code = static_cast<std::uint8_t>(code);
    made.dst_reg = to & 0xFU;
    made.src_reg = from & 0xFU;
    made.off = offset;
    made.imm = static_cast<std::int32_t>(value);
    return made;
}
bpf_insn load(std::uint8_t to, std::size_t offset) {
    return instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, static_cast<std::int16_t>(offset), 0);
}
bpf_insn compute(unsigned operation, std::uint8_t to, std::uint32_t value) {
    return instruction(BPF_ALU | operation | BPF_K, to, 0, 0, value);
}
bpf_insn copy(std::uint8_t to, std::uint8_t from) {
    return instruction(BPF_ALU | BPF_MOV | BPF_X, to, from, 0, 0);
}
bpf_insn skip_unless(std::uint8_t reg, std::uint32_t value, std::size_t instructions) {
    return instruction(BPF_JMP | BPF_JNE | BPF_K, reg, 0, static_cast<std::int16_t>(instructions), value);
}
bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

void add_rule(const DeviceRule& rule, std::vector<bpf_insn>& program) {
    const std::uint32_t type = rule.type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK;
    const std::uint32_t granted = BPF_DEVCG_ACC_READ | (rule.write ? std::uint32_t{BPF_DEVCG_ACC_WRITE} : 0U);
    // From the first test to the next rule: copy, mask, two or three tests, answer, exit.
    std::size_t left = rule.minor ? 7 : 6;
    program.push_back(skip_unless(kType, type, left));
    program.push_back(copy(kRest, kAccess));
    program.push_back(compute(BPF_AND, kRest, ~granted));
    left -= 3;
    program.push_back(skip_unless(kRest, 0, left));
    program.push_back(skip_unless(kMajor, rule.major, --left));
    if (rule.minor) program.push_back(skip_unless(kMinor, *rule.minor, --left));
    program.push_back(compute(BPF_MOV, kAnswer, 1));
    program.push_back(leave());
}

long bpf(int command, bpf_attr& attributes) {
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

}  // namespace

Result<std::vector<DeviceRule>> device_rules(const Grants<std::string>& declared) {
    auto rules = kHarmless;
    for (const auto& text : declared.all) rules.push_back(TRY(declared_rule(text)));
    return rules;
}

std::string device_line(const DeviceRule& rule) {
    return fmt::format("{} {}:{} {}", rule.type, rule.major, rule.minor ? std::to_string(*rule.minor) : "*",
                       rule.write ? "rw" : "r");
}

std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules) {
    constexpr std::uint32_t kTypeBits = 0xFFFF, kAccessShift = 16;  // access_type holds both
    std::vector<bpf_insn> program{load(kAccess, offsetof(bpf_cgroup_dev_ctx, access_type)),
                                  copy(kType, kAccess),
                                  compute(BPF_AND, kType, kTypeBits),
                                  compute(BPF_RSH, kAccess, kAccessShift),
                                  load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
                                  load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor))};
    for (const auto& rule : rules) add_rule(rule, program);
    program.push_back(compute(BPF_MOV, kAnswer, 0));
    program.push_back(leave());
    return program;
}

Result<void> attach_device_program(const std::vector<bpf_insn>& program, int leaf) {
    constexpr const char* kLicense = "Apache-2.0";
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);  // the kernel refuses padding that is not 0
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = reinterpret_cast<std::uint64_t>(program.data());
    attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
    attributes.license = reinterpret_cast<std::uint64_t>(kLicense);
    const UniqueFd loaded(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
    if (!loaded) return fail_errno("load the device program", errno);
    std::memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = static_cast<std::uint32_t>(leaf);
    attributes.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
    attributes.attach_type = BPF_CGROUP_DEVICE;
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    if (bpf(BPF_PROG_ATTACH, attributes) < 0) return fail_errno("attach the device program", errno);
    return {};
}

}  // namespace guard::launcher
