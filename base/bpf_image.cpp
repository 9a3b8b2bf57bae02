#include "base/bpf_image.h"

#ifdef GUARD_EXACT
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/sys.h"

namespace guard::bpf {
namespace {

using json = nlohmann::json;

constexpr auto kTypes = "/sys/kernel/btf/vmlinux";
constexpr std::string_view kSection = "iter/";

struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
};
struct FreeTypes {
    void operator()(btf* types) const { btf__free(types); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;
using Types = std::unique_ptr<btf, FreeTypes>;

// libbpf puts a program's relocated code together only while it loads it.
Result<Object> load(std::span<const unsigned char> bytes) {
    libbpf_set_print(nullptr);  // only cli prints
    bpf_object_open_opts options{};
    options.sz = sizeof options;
    options.object_name = "guard";
    Object object(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!object) return fail_errno("read the BPF program that reads tasks", errno);
    if (const int code = bpf_object__load(object.get()); code != 0) return not_loaded(-code);
    return object;
}

// In the order of the object; what an image holds of one is where it stands here.
std::vector<const bpf_map*> maps_of(const bpf_object* object) {
    std::vector<const bpf_map*> maps;
    for (const auto* map = bpf_object__next_map(object, nullptr); map != nullptr;
         map = bpf_object__next_map(object, map))
        maps.push_back(map);
    return maps;
}

Image::Map shape_of(const bpf_map* map) {
    return {bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map),
            bpf_map__map_flags(map)};
}

Result<Image::Program> program_of(const bpf_program* program, const std::vector<const bpf_map*>& maps,
                                  const btf* types) {
    const std::string_view section = bpf_program__section_name(program);
    const auto function = "bpf_iter_" + std::string(section.substr(kSection.size()));
    const int number = btf__find_by_name_kind(types, function.c_str(), BTF_KIND_FUNC);
    if (number <= 0) return fail_errno("find " + function + " in " + kTypes, -number);
    const auto code = std::span(bpf_program__insns(program), bpf_program__insn_cnt(program));
    const auto place_of = [&maps](int descriptor) {
        return static_cast<int>(std::ranges::find(maps, descriptor, bpf_map__fd) - maps.begin());
    };
    return Image::Program{
        bpf_program__name(program), static_cast<std::uint32_t>(number),
        with_maps({reinterpret_cast<const char*>(code.data()), code.size_bytes()}, place_of)};
}

// What the image depends on, and nothing else: the programs, and the kernel by its build id.
std::string key_of(std::span<const unsigned char> object) {
    utsname kernel{};
    const auto notes = sys::read_file("/sys/kernel/notes");
    if (!notes || notes->empty() || ::uname(&kernel) != 0) return {};
    std::string text(reinterpret_cast<const char*>(object.data()), object.size());
    for (const std::string_view part : {std::string_view(kernel.release), std::string_view(kernel.version),
                                        std::string_view(kernel.machine), std::string_view(*notes)})
        text.append(1, '\0').append(part);
    return digest_of(text);
}

}  // namespace

Result<Image> relocate(std::span<const unsigned char> bytes) {
    if (::access(kTypes, R_OK) != 0)
        return fail_errno(std::string("read ") + kTypes, errno,
                          "a kernel built with CONFIG_DEBUG_INFO_BTF has it");
    const auto object = TRY(load(bytes));
    const Types types(btf__load_vmlinux_btf());
    if (!types) return fail_errno(std::string("read ") + kTypes, errno);
    const auto maps = maps_of(object.get());
    Image image;
    std::ranges::transform(maps, std::back_inserter(image.maps), shape_of);
    for (auto* program = bpf_object__next_program(object.get(), nullptr); program != nullptr;
         program = bpf_object__next_program(object.get(), program))
        image.programs.push_back(TRY(program_of(program, maps, types.get())));
    return image;
}

std::string with_maps(std::string code, const std::function<int(int)>& number_of) {
    for (std::size_t at = 0; at + sizeof(bpf_insn) <= code.size(); at += sizeof(bpf_insn)) {
        bpf_insn one{};
        std::memcpy(&one, &code[at], sizeof one);
        const bool names_map = one.code == (BPF_LD | BPF_IMM | BPF_DW) &&
                               (one.src_reg == BPF_PSEUDO_MAP_FD || one.src_reg == BPF_PSEUDO_MAP_VALUE);
        if (names_map) one.imm = number_of(one.imm);
        // The second half of a 64-bit one is no instruction.
        if (one.code == (BPF_LD | BPF_IMM | BPF_DW)) {
            std::memcpy(&code[at], &one, sizeof one);
            at += sizeof one;
        }
    }
    return code;
}

std::optional<Image> kept_image(std::span<const unsigned char> object, const KeptFiles& kept) {
    const auto key = key_of(object);
    const auto text = key.empty() ? std::nullopt : kept.get(key);
    return text ? parse_image(*text) : std::nullopt;
}

void keep_image(const Image& image, std::span<const unsigned char> object, const KeptFiles& kept) {
    if (const auto key = key_of(object); !key.empty()) kept.keep(key, text_of(image));
}

std::unexpected<Error> not_loaded(int code) {
    return fail_errno("load the BPF program that reads tasks", code,
                      code == EPERM || code == EACCES
                          ? "it needs CAP_BPF and CAP_PERFMON (root has both), and a kernel "
                            "that is not locked down"
                          : "");
}

std::string text_of(const Image& image) {
    auto all = json{json::array(), json::array()};
    for (const auto& map : image.maps)
        all[0].push_back({map.type, map.key_size, map.value_size, map.entries, map.flags});
    for (const auto& program : image.programs)
        all[1].push_back(
            {program.name, program.attach_to, json::binary({program.code.begin(), program.code.end()})});
    std::string text;
    json::to_cbor(all, text);
    return text;
}

std::optional<Image> parse_image(std::string_view text) try {
    const auto all = json::from_cbor(text);
    Image image;
    for (const auto& map : all.at(0))
        image.maps.push_back({map.at(0), map.at(1), map.at(2), map.at(3), map.at(4)});
    for (const auto& program : all.at(1)) {
        const auto& code = program.at(2).get_binary();
        image.programs.push_back({program.at(0), program.at(1), {code.begin(), code.end()}});
    }
    return image;
} catch (const json::exception&) {
    return std::nullopt;
}

}  // namespace guard::bpf
#endif
