#include "policies/lint_replaced.h"

#include <fmt/format.h>

#include <algorithm>

namespace guard::policies {
namespace {

// One denial of [seccomp]: an element of `deny`, or a rule with effect = "deny".
struct Denied {
    std::string key;   // of the list it stands in: "seccomp.deny"
    std::string item;  // "@io-uring"; of a rule its first call
    Value value;
};

std::string item_of(const Value& value) {
    if (value.kind == Kind::text) return value.text;
    const auto* calls = value.find("syscalls");
    return calls == nullptr || calls->items.empty() ? written(value) : calls->items.front().text;
}

bool denies(const std::string& key, const Value& value) {
    const auto* effect = value.find("effect");
    return key == "seccomp.deny" || (key == "seccomp.rule" && effect != nullptr && effect->text == "deny");
}

std::vector<Denied> denials_in(const std::vector<Setting>& settings) {
    std::vector<Denied> all;
    for (const auto& setting : settings) {
        const auto key = format_path(setting.path);
        for (const auto& item : setting.value.items)
            if (denies(key, item)) all.push_back({key, item_of(item), item});
    }
    return all;
}

bool drops(const Replacement& replaced, const Denied& denied) {
    const auto path = format_path(replaced.path);
    return denied.key == path || denied.key.starts_with(path + ".");
}

bool is_said(const Denied& denied, const std::vector<Denied>& all) {
    return std::ranges::any_of(all, [&denied](const Denied& other) {
        return other.key == denied.key && same_value(other.value, denied.value);
    });
}

Diagnostic dropped(const Replacement& replaced, const Denied& denied) {
    return {Level::warning,
            "it was denied by what this extends",
            {mark_at(replaced.place, "dropped here"), mark_at(denied.value.place, "denied here")},
            "seccomp.deny-dropped",
            denied.item};
}

}  // namespace

void lint_replaced(const Chain& chain, const std::vector<Setting>& settings,
                   std::vector<Diagnostic>& diagnostics) {
    const auto last = denials_in(settings);
    std::vector<Denied> inherited;
    for (const auto& file : chain.files) {
        for (const auto& replaced : file.said().replaced)
            std::erase_if(inherited, [&](const Denied& denied) {
                if (!drops(replaced, denied)) return false;
                if (!is_said(denied, last)) diagnostics.push_back(dropped(replaced, denied));
                return true;
            });
        std::ranges::move(denials_in(file.said().settings), std::back_inserter(inherited));
    }
}

}  // namespace guard::policies
