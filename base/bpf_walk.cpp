#ifdef GUARD_EXACT
#include "base/bpf_walk.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <array>

#include "base/bpf_image.h"

namespace guard::bpf {
namespace {

// Whether this process may load a program at all, before the dear part: one that does nothing is refused for
// want of rights before it is looked at.
Result<void> may_load() {
    constexpr std::array<bpf_insn, 1> kNothing{};
    const UniqueFd program(
        bpf_prog_load(BPF_PROG_TYPE_TRACING, "guard", "GPL", kNothing.data(), kNothing.size(), nullptr));
    if (!program && (errno == EPERM || errno == EACCES)) return not_loaded(errno);
    return {};
}

Result<UniqueFd> make(const Image::Map& map) {
    bpf_map_create_opts options{};
    options.sz = sizeof options;
    options.map_flags = map.flags;
    UniqueFd made(bpf_map_create(static_cast<bpf_map_type>(map.type), "guard", map.key_size, map.value_size,
                                 map.entries, &options));
    if (!made) return not_loaded(errno);
    return made;
}

Result<UniqueFd> attach(const Image::Program& program, const std::vector<UniqueFd>& maps) {
    bpf_prog_load_opts options{};
    options.sz = sizeof options;
    options.expected_attach_type = BPF_TRACE_ITER;
    options.attach_btf_id = program.attach_to;
    const auto code = with_maps(program.code, [&maps](int place) {
        const auto at = static_cast<std::size_t>(place);
        return at < maps.size() ? maps[at].get() : -1;
    });
    const UniqueFd loaded(bpf_prog_load(BPF_PROG_TYPE_TRACING, program.name.c_str(), "GPL",
                                        reinterpret_cast<const bpf_insn*>(code.data()),
                                        code.size() / sizeof(bpf_insn), &options));
    if (!loaded) return not_loaded(errno);
    UniqueFd link(bpf_link_create(loaded.get(), 0, BPF_TRACE_ITER, nullptr));
    if (!link) return not_loaded(errno);
    return link;
}

Result<Loaded> load_image(const Image& image, std::initializer_list<std::string_view> names) {
    Loaded all;
    for (const auto& map : image.maps) {
        all.maps.push_back(TRY(make(map)));
        if ((map.flags & BPF_F_MMAPABLE) != 0) all.data = all.maps.back().get();
    }
    for (const auto name : names) {
        const auto program = std::ranges::find(image.programs, name, &Image::Program::name);
        if (program == image.programs.end())
            return fail("load the BPF program that reads tasks", "it has no " + std::string(name));
        all.links.emplace(name, TRY(attach(*program, all.maps)));
    }
    return all;
}

}  // namespace

Result<Loaded> load(std::span<const unsigned char> object, std::initializer_list<std::string_view> names,
                    const KeptFiles& kept) {
    CHECK(may_load());
    if (const auto image = kept_image(object, kept))
        if (auto loaded = load_image(*image, names)) return loaded;
    const auto image = TRY(relocate(object));
    keep_image(image, object, kept);
    return load_image(image, names);
}

Result<UniqueFd> start(const Loaded& programs, std::string_view name) {
    UniqueFd walk(bpf_iter_create(programs.links.find(name)->second.get()));
    if (!walk) return fail_errno("start a walk over the tasks", errno);
    return walk;
}

}  // namespace guard::bpf
#endif
