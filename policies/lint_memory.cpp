#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/split.h"
#include "base/units.h"
#include "policies/lint.h"

namespace guard {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
// A runtime needs memory beside its heap: code, threads, buffers.
constexpr double kMostHeap = 0.85;
// The machine's own programs, and its cache of files, need the rest.
constexpr double kMostOfMachine = 0.8;

std::optional<double> real_of(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

// "4g", "512M", "1073741824": as java(1) takes them.
std::optional<double> java_size(std::string_view text) {
    constexpr std::string_view kSuffixes = "kmgt";
    if (text.empty()) return std::nullopt;
    const auto suffix = kSuffixes.find(static_cast<char>(text.back() | 0x20));
    if (suffix == std::string_view::npos) return real_of(text);
    auto value = real_of(text.substr(0, text.size() - 1));
    for (std::size_t i = 0; value && i <= suffix; ++i) *value *= 1024;
    return value;
}

/// An option that says how large the heap may be.
struct HeapOption {
    std::string_view begins;
    std::optional<double> (*bytes)(std::string_view value, double limit);
};
constexpr auto kHeapOptions = std::to_array<HeapOption>({
    {"-Xmx", [](std::string_view value, double) { return java_size(value); }},
    {"-XX:MaxHeapSize=", [](std::string_view value, double) { return java_size(value); }},
    {"-XX:MaxRAMPercentage=",
     [](std::string_view value, double limit) {
         const auto percent = real_of(value);
         return percent ? std::optional(*percent / 100 * limit) : std::nullopt;
     }},
    {"--max-old-space-size=",
     [](std::string_view value, double) {
         const auto megabytes = real_of(value);
         return megabytes ? std::optional(*megabytes * kMiB) : std::nullopt;
     }},
    {"--max_old_space_size=",
     [](std::string_view value, double) {
         const auto megabytes = real_of(value);
         return megabytes ? std::optional(*megabytes * kMiB) : std::nullopt;
     }},
});

std::optional<std::uint64_t> memory_limit(const Profile& profile) {
    const auto* limits = value_of(profile.posture.limits);
    if (limits == nullptr || !limits->contains("memory")) return std::nullopt;
    return limits->at("memory").most;
}

// A text of the profile that may hold options, and where it is written.
struct Spot {
    std::string path, text;
};
std::vector<Spot> spots_of(const Service& service) {
    std::vector<Spot> spots;
    for (const auto& word : service.command) spots.push_back({"process.command/" + word, word});
    for (const auto& [name, value] : service.env) spots.push_back({"process.env." + name, value});
    return spots;
}

Finding too_large(const Profile& profile, const Subject& unit, const Spot& spot, std::string_view option,
                  double heap, std::uint64_t limit) {
    const auto where = origin_of(profile.origins, spot.path);
    auto finding =
        raise("limits.heap-over-memory", unit, format_size(limit) + " for everything",
              fmt::format("{} for the heap alone", format_size(static_cast<std::uint64_t>(heap))), where);
    finding.item = option;
    finding.places = {{where, "the heap"}, {origin_of(profile.origins, "limits.memory"), "the memory limit"}};
    return finding;
}

}  // namespace

std::vector<Finding> lint_heap(const Profile& profile, const Subject& unit) {
    std::vector<Finding> findings;
    const auto limit = memory_limit(profile);
    if (!limit) return findings;
    const auto room = static_cast<double>(*limit);
    for (const auto& spot : spots_of(profile.service))
        for (const auto word : words_of(spot.text))
            for (const auto& [begins, bytes] : kHeapOptions) {
                if (!word.starts_with(begins)) continue;
                const auto heap = bytes(word.substr(begins.size()), room);
                if (heap && *heap > room * kMostHeap)
                    findings.push_back(too_large(profile, unit, spot, word, *heap, *limit));
            }
    return findings;
}

std::vector<Finding> lint_together(std::span<const Profile* const> profiles, std::uint64_t memory) {
    std::uint64_t sum = 0;
    Finding finding = raise("limits.sum", {}, "", "");
    finding.subjects.clear();
    for (const auto* profile : profiles) {
        const auto limit = memory_limit(*profile);
        if (!limit || profile->service.command.empty()) continue;
        sum += *limit;
        finding.subjects.push_back({.unit = profile->name});
        finding.places.push_back({origin_of(profile->origins, "limits.memory"),
                                  fmt::format("{} for {}", format_size(*limit), profile->name)});
    }
    const auto most = static_cast<double>(memory) * kMostOfMachine;
    if (finding.subjects.size() < 2 || static_cast<double>(sum) <= most) return {};
    finding.item = "memory";
    finding.observed = format_size(sum);
    finding.expected =
        fmt::format("{} at most, of {}", format_size(static_cast<std::uint64_t>(most)), format_size(memory));
    finding.where = finding.places.front().where;
    return {finding};
}

}  // namespace guard
