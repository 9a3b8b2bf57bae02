#include "review/json_input.h"

#include <fmt/format.h>

#include "base/units.h"
#include "review/oci_config.h"
#include "review/seccomp_json.h"

namespace guard::review {
namespace {

constexpr int kMostNesting = 64;

// Before any parser sees it: a million brackets cost a parser its stack or minutes.
bool nests_too_deep(std::string_view text) {
    int depth = 0;
    bool in_text = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (in_text && c == '\\') ++at;
        if (c == '"') in_text = !in_text;
        if (in_text) continue;
        if ((c == '{' || c == '[') && ++depth > kMostNesting) return true;
        if (c == '}' || c == ']') --depth;
    }
    return false;
}

}  // namespace

const std::set<std::string>& docker_capabilities() {
    static const std::set<std::string> kSet{
        "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",     "CAP_MKNOD",
        "CAP_NET_RAW", "CAP_SETGID",       "CAP_SETUID",           "CAP_SETFCAP",    "CAP_SETPCAP",
        "CAP_KILL",    "CAP_SYS_CHROOT",   "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE"};
    return kSet;
}

Result<FromJson> profile_of_json(const std::string& path, const std::string& text,
                                 const std::set<std::string>& capabilities) {
    const auto attempt = "read " + path;
    if (text.size() > kMostJson)
        return fail(attempt, fmt::format("it has {}, more than any seccomp profile or config.json needs ({})",
                                         format_size(text.size()), format_size(kMostJson)));
    if (nests_too_deep(text))
        return fail(attempt, fmt::format("it is nested deeper than {} levels, which no such file needs",
                                         kMostNesting));
    try {
        auto json = Json::parse(text);
        if (!json.is_object()) return fail(attempt, "it is JSON, but not an object");
        if (json.contains("defaultAction")) {
            auto made = TRY(profile_of_seccomp(path, text, json, capabilities));
            made.document = std::make_shared<const Json>(std::move(json));
            return made;
        }
        if (json.contains("ociVersion")) return profile_of_oci(path, text, json);
        return fail(attempt,
                    "it is neither a seccomp profile (defaultAction) nor an OCI config.json (ociVersion)");
    } catch (const Json::parse_error& error) {
        return fail(attempt, fmt::format("it is not JSON: at byte {}", error.byte));
    } catch (const Json::exception& error) {
        return fail(attempt, fmt::format("a value is not of its type: {}", error.what()));
    }
}

Where place_of_word(const std::string& path, const std::string& text, const std::string& word) {
    const auto at = text.find('"' + word + '"');
    if (at == std::string::npos) return {path, 0, 0};
    const auto line = static_cast<unsigned>(
                          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')) +
                      1;
    const auto begin = text.rfind('\n', at);
    const auto column = static_cast<unsigned>(at - (begin == std::string::npos ? 0 : begin + 1)) + 1;
    return {path, line, column};
}

}  // namespace guard::review
