#ifdef GUARD_EXACT
#include "base/bpf_walk.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <string>

namespace guard::bpf {
namespace {

constexpr auto kTypes = "/sys/kernel/btf/vmlinux";

std::unexpected<Error> not_loaded(int code) {
    return fail_errno("load the BPF program that reads tasks", code,
                      code == EPERM || code == EACCES
                          ? "it needs CAP_BPF and CAP_PERFMON (root has both), and a kernel "
                            "that is not locked down"
                          : "");
}

}  // namespace

void CloseObject::operator()(bpf_object* object) const { bpf_object__close(object); }
void DestroyLink::operator()(bpf_link* link) const { bpf_link__destroy(link); }

Result<Object> load(std::span<const unsigned char> bytes, const char* name, std::string_view only) {
    if (::access(kTypes, R_OK) != 0)
        return fail_errno(std::string("read ") + kTypes, errno,
                          "a kernel built with CONFIG_DEBUG_INFO_BTF has it");
    libbpf_set_print(nullptr);  // only cli prints
    bpf_object_open_opts options{};
    options.sz = sizeof options;
    options.object_name = name;
    Object object(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!object) return fail_errno("read the BPF program that reads tasks", errno);
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object.get()) {
        bpf_program__set_autoload(program, only.empty() || only == bpf_program__name(program));
    }
    if (const int code = bpf_object__load(object.get()); code != 0) return not_loaded(-code);
    return object;
}

Result<Link> attach(bpf_object* object, const char* program) {
    Link link(bpf_program__attach_iter(bpf_object__find_program_by_name(object, program), nullptr));
    if (!link) return not_loaded(errno);
    return link;
}

int data_of(const bpf_object* object) { return bpf_object__find_map_fd_by_name(object, ".bss"); }

Result<UniqueFd> start(const bpf_link* link) {
    UniqueFd walk(bpf_iter_create(bpf_link__fd(link)));
    if (!walk) return fail_errno("start a walk over the tasks", errno);
    return walk;
}

}  // namespace guard::bpf
#endif
