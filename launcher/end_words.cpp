#include "launcher/end_words.h"

#include <fmt/format.h>
#include <sys/klog.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/split.h"
#include "base/units.h"

namespace guard::launcher {
namespace {

constexpr int kKilled = 128 + SIGKILL;

// The number behind `word` in `line`.
std::uint64_t number_behind(std::string_view line, std::string_view word) {
    const auto at = line.find(word);
    if (at == std::string_view::npos) return 0;
    const auto from = line.substr(at + word.size());
    return number_of<std::uint64_t>(from.substr(0, from.find_first_not_of("0123456789"))).value_or(0);
}

// "oom-kill:constraint=...,task_memcg=/guard/hog,task=tail,pid=8425,uid=300999". A command may hold a comma,
// so that the last "pid=" is the kernel's.
std::optional<OomVictim> chosen_in(std::string_view line, std::string_view path) {
    if (line.find("oom-kill:") == std::string_view::npos) return std::nullopt;
    const auto start = fmt::format(",task_memcg={},task=", path);
    const auto at = line.find(start), end = line.rfind(",pid=");
    if (at == std::string_view::npos || end == std::string_view::npos || end < at + start.size())
        return std::nullopt;
    const auto from = at + start.size();
    return OomVictim{std::string(line.substr(from, end - from)),
                     static_cast<int>(number_behind(line.substr(end), ",pid=")), 0};
}

void add_memory(std::string_view line, OomVictim& victim) {
    if (number_behind(line, "Killed process ") != static_cast<std::uint64_t>(victim.pid)) return;
    constexpr std::uint64_t kKiB = 1024;
    for (const auto* word : {"anon-rss:", "file-rss:", "shmem-rss:"})
        victim.memory += number_behind(line, word) * kKiB;
}

std::string limit_in_words(const LaunchPlan& plan, const std::string& name) {
    const auto* const limits = value_of(plan.expected.limits);
    if (limits == nullptr) return "none";
    const auto found = limits->find(name);
    if (found == limits->end() || !found->second.most) return "none";
    return *found->second.most == 0 ? "none" : format_size(*found->second.most);
}

}  // namespace

std::optional<OomVictim> victim_in(std::string_view log, std::string_view path) {
    std::optional<OomVictim> victim;
    for (const auto line : lines_of(log)) {
        if (auto chosen = chosen_in(line, path)) victim = std::move(chosen);
        if (victim && victim->memory == 0) add_memory(line, *victim);
    }
    return victim;
}

std::vector<std::string> memory_lines(const LaunchPlan& plan, const End& end) {
    const auto kills = end.usage.oom_kills.value_or(0);
    if (kills == 0) return {};
    const bool ended = end.status == kKilled;
    const auto peak = end.usage.memory_peak ? format_size(*end.usage.memory_peak) : "not told";
    std::vector<std::string> lines{fmt::format(
        "{} (OOM): memory limit {} reached (peak {}, swap {}), after {}",
        ended ? "killed by the kernel" : "the kernel killed a part of it", limit_in_words(plan, "memory"),
        peak, limit_in_words(plan, "swap"), span_in_words(end.up))};
    if (end.victim)
        lines.push_back(fmt::format("biggest: {}, process {}, {}", end.victim->command, end.victim->pid,
                                    format_size(end.victim->memory)));
    lines.push_back(fmt::format("neighbours: not touched.{}",
                                ended ? " It got no chance to save: look at its last autosave" : ""));
    lines.push_back("do: raise [limits] memory, or let it use less");
    return lines;
}

std::string end_line(const LaunchPlan& plan, const End& end) {
    auto text =
        end.stopping
            ? fmt::format("stopped after {} as asked (status {})",
                          span_in_words(std::chrono::ceil<std::chrono::seconds>(*end.stopping)), end.status)
            : fmt::format("ended by itself after {} (status {})", span_in_words(end.up), end.status);
    const auto mounted = std::ranges::any_of(
        plan.mounts, [&plan](const PlannedMount& one) { return one.mount.source == plan.data; });
    return mounted ? text + ". Data: " + plan.data : text;
}

std::string kernel_log() {
    constexpr int kReadAll = 3, kSize = 10;  // syslog(2)
    const int size = ::klogctl(kSize, nullptr, 0);
    if (size <= 0) return {};
    std::string text(static_cast<std::size_t>(size), '\0');
    const int got = ::klogctl(kReadAll, text.data(), size);
    text.resize(static_cast<std::size_t>(std::max(got, 0)));
    return text;
}

}  // namespace guard::launcher
