#include "cli/profile_input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/split.h"
#include "base/sys.h"
#include "cli/output.h"
#include "cli/version.h"
#include "report/diagnostics.h"
#include "report/layout.h"

namespace guard::cli {
namespace {

// The prefix this binary stands in (PREFIX/bin/guard with PREFIX/share/guard beside it), so that a copied
// tree works too; else the one it was built for.
std::string install_prefix() {
    const auto self = sys::readlinkat(AT_FDCWD, "/proc/self/exe");
    constexpr std::string_view kPlace = "/bin/guard";
    if (self && self->ends_with(kPlace)) {
        auto prefix = self->substr(0, self->size() - kPlace.size());
        if (::access((prefix + "/share/guard/profiles").c_str(), R_OK) == 0) return prefix;
    }
    return std::string(kInstallPrefix);
}

// An error about the whole file, such as that there is none: it reads as any other error of guard's.
const Diagnostic* refusal_of(const std::vector<Diagnostic>& diagnostics) {
    if (diagnostics.size() != 1) return nullptr;
    const auto& only = diagnostics.front();
    return only.marks.size() == 1 && only.marks.front().where.line == 0 ? &only : nullptr;
}

}  // namespace

std::vector<std::string> profile_search_path() { return default_search_path(install_prefix()); }

std::vector<std::string> shipped_profiles() {
    std::vector<std::string> directories;
    if (const char* own = std::getenv("GUARD_PROFILE_PATH"); own != nullptr)
        for (const auto part : split(own, ':'))
            if (!part.empty())
                directories.push_back(std::filesystem::absolute(part).lexically_normal().string());
    directories.push_back(install_prefix() + "/share/guard/profiles");
    return directories;
}

LoadOptions load_options(const Invocation& invocation) {
    LoadOptions options;
    options.search_path = profile_search_path();
    options.sets = invocation.values("set");
    return options;
}

Loaded load(const Invocation& invocation, const std::string& name, LoadOptions::Trust trust) {
    auto options = load_options(invocation);
    options.trust = trust;
    return load_profile(name, options);
}

std::optional<Profile> load_or_complain(const Invocation& invocation, const std::string& name,
                                        LoadOptions::Trust trust) {
    auto loaded = load(invocation, name, trust);
    if (loaded.profile && !report::has_error(loaded.diagnostics)) return std::move(loaded.profile);
    if (const auto refusal = refusal_of(loaded.diagnostics)) {
        complain({fmt::format("use the profile {}", name), refusal->message, 0, refusal->marks.front().note});
        return std::nullopt;
    }
    static_cast<void>(sys::write_all(
        STDERR_FILENO, report::diagnostics_text(loaded.diagnostics, report::Colour::off), "stderr"));
    complain({fmt::format("use the profile {}", name), "it has errors", 0,
              fmt::format("mend them; guard check {} shows them again", name)});
    return std::nullopt;
}

}  // namespace guard::cli
