#include "report/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace guard::report {
namespace {

bool stays_in_uri(char byte) {
    const auto in = [byte](char first, char last) { return byte >= first && byte <= last; };
    return in('a', 'z') || in('A', 'Z') || in('0', '9') ||
           std::string_view("/-._~").find(byte) != std::string_view::npos;
}

const std::string* file_of(const std::string& unit, const Findings& all) {
    const auto row = std::ranges::find(all.examined, unit, &Examined::unit);
    return row == all.examined.end() || row->file.empty() ? nullptr : &row->file;
}

}  // namespace

std::string path_in_tree(const std::string& file, const Tree& tree) {
    const auto path = (std::filesystem::path(tree.folder) / file).lexically_normal();
    if (tree.root.empty()) return path.string();
    const auto inside = path.lexically_relative(tree.root);
    return inside.empty() || *inside.begin() == ".." ? path.string() : inside.string();
}

std::optional<Place> place_of(const Finding& finding, const Findings& all) {
    const auto& where = finding.where;
    if (where.line != 0)
        return Place{path_in_tree(where.file, all.tree), where.line, std::max(where.column, 1U)};
    const auto* const file = finding.subjects.empty() ? nullptr : file_of(finding.subjects.front().unit, all);
    if (file == nullptr) return std::nullopt;
    return Place{path_in_tree(*file, all.tree)};
}

std::string uri_of(const std::string& path) {
    std::string uri = path.starts_with('/') ? "file://" : "";
    for (const char byte : path)
        uri += stays_in_uri(byte) ? std::string(1, byte)
                                  : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    return uri;
}

}  // namespace guard::report
