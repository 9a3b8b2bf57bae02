#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/kept_files.h"

namespace guard::bpf {

/// The programs of an object file as this kernel takes them: with the places of its own structures in them.
struct Image {
    struct Map {
        std::uint32_t type = 0, key_size = 0, value_size = 0, entries = 0, flags = 0;  ///< bpf(2)
        bool operator==(const Map&) const = default;
    };
    struct Program {
        std::string name;
        std::uint32_t attach_to = 0;  ///< number of the iterator's function in the kernel's type information
        std::string code;             ///< struct bpf_insn after struct bpf_insn; a map is its place in `maps`
        bool operator==(const Program&) const = default;
    };
    std::vector<Map> maps;  ///< the one that can be mapped holds their variables, all zero
    std::vector<Program> programs;
    bool operator==(const Image&) const = default;
};

/// Works it out of the kernel's type information: some 30 ms of processor. Fails with the errno of bpf(2), or
/// where there is no such information.
[[nodiscard]] Result<Image> relocate(std::span<const unsigned char> object);

/// The code with other numbers for the maps that it uses.
[[nodiscard]] std::string with_maps(std::string code, const std::function<int(int)>& number_of);

/// To keep it, and back: none where the text is no whole image.
[[nodiscard]] std::string text_of(const Image& image);
[[nodiscard]] std::optional<Image> parse_image(std::string_view text);

/// The image that was kept of these programs for this very kernel; none where there is none.
[[nodiscard]] std::optional<Image> kept_image(std::span<const unsigned char> object, const KeptFiles& kept);
/// Keeps it for the next command, until another kernel runs.
void keep_image(const Image& image, std::span<const unsigned char> object, const KeptFiles& kept);

/// That the kernel did not take the programs, and what it takes.
[[nodiscard]] std::unexpected<Error> not_loaded(int code);

}  // namespace guard::bpf
