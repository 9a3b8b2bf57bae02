#include "posture/limit_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/split.h"

namespace guard {
namespace {

using Bound = std::optional<std::uint64_t>;

constexpr std::uint64_t kPeriod = 100'000;   // microseconds; the kernel's own
constexpr std::uint64_t kLeastQuota = 1000;  // the kernel refuses less
constexpr std::uint64_t kMicro = 1'000'000;
constexpr std::uint64_t kSharesOfWeight100 = 1024, kNormalWeight = 100;
constexpr std::uint64_t kNoV1Bound = 1ULL << 62U;  // v1 tells "none" as the largest number of whole pages
constexpr std::uint64_t kBlkioLeast = 10, kBlkioMost = 1000, kBlkioOfWeight100 = 500;

/// How a share is counted by one version: `scale` of the file for a weight of 100, within bounds.
struct WeightScale {
    std::string_view limit;
    CgroupFiles version;
    std::uint64_t scale, least, most;
};
constexpr auto kWeightScales = std::to_array<WeightScale>({
    {"cpu-weight", CgroupFiles::v1, kSharesOfWeight100, 2, 262'144},
    {"cpu-weight", CgroupFiles::v2, kNormalWeight, 1, 10'000},
    {"io-weight", CgroupFiles::v1, kBlkioOfWeight100, kBlkioLeast, kBlkioMost},
    {"io-weight", CgroupFiles::v2, kNormalWeight, 1, 10'000},
});

const WeightScale& scale_of(std::string_view limit, CgroupFiles version) {
    return *std::ranges::find_if(
        kWeightScales, [&](const WeightScale& row) { return row.limit == limit && row.version == version; });
}

std::uint64_t weight_to_file(std::string_view limit, CgroupFiles version, std::uint64_t weight) {
    const auto& row = scale_of(limit, version);
    return std::clamp((weight * row.scale + kNormalWeight / 2) / kNormalWeight, row.least, row.most);
}

std::uint64_t weight_from_file(std::string_view limit, CgroupFiles version, std::uint64_t number) {
    const auto& row = scale_of(limit, version);
    return std::max<std::uint64_t>((number * kNormalWeight + row.scale / 2) / row.scale, 1);
}

struct Quota {
    std::uint64_t quota, period;
};
// Less than a hundredth of a core needs a longer period, for the kernel takes no quota under a millisecond.
Quota quota_of(std::uint64_t microcores) {
    const auto quota = microcores * kPeriod / kMicro;
    if (quota >= kLeastQuota) return {quota, kPeriod};
    return {std::max(microcores, kLeastQuota), kMicro};
}

Bound bound_in(const Limits& all, const std::string& item) {
    const auto entry = all.find(item);
    return entry == all.end() ? Bound{} : entry->second.most;
}

std::string number_or(const Bound& bound, std::string_view none) {
    return bound ? std::to_string(*bound) : std::string(none);
}

// What a conversion of one limit is asked with.
struct Ask {
    CgroupFiles version;
    const LimitRow& row;
    const std::string& item;
    Bound bound;
    const Limits& all;
    const DeviceNumbers& devices;
    [[nodiscard]] bool v1() const { return version == CgroupFiles::v1; }
    [[nodiscard]] LimitFile file(std::string text) const {
        if (v1()) return {std::string(row.v1_controller), std::string(row.v1_file), std::move(text)};
        const std::string name(row.v2_file);
        return {name.substr(0, name.find('.')), name, std::move(text)};
    }
};
using Files = Result<std::vector<LimitFile>>;

Files plain_files(const Ask& ask) {
    // v1 has no word for "none" but a number: -1; pids says "max" in both.
    const bool word = !ask.v1() || ask.row.name == "pids";
    return {{ask.file(number_or(ask.bound, word ? "max" : "-1"))}};
}

// v1 bounds memory and swap together, so that swap alone has a bound only where memory has one.
Files swap_files(const Ask& ask) {
    if (!ask.v1()) return plain_files(ask);
    const auto memory = bound_in(ask.all, "memory");
    if (ask.bound && !memory)
        return fail("limit swap", "cgroups v1 can't bound swap where memory has no limit",
                    "set limits.memory, or limits.swap = \"none\"");
    return {{ask.file(ask.bound ? std::to_string(*memory + *ask.bound) : "-1")}};
}

Files cpu_files(const Ask& ask) {
    const auto [quota, period] = ask.bound ? quota_of(*ask.bound) : Quota{0, kPeriod};
    if (!ask.v1())
        return {{ask.file(fmt::format("{} {}", ask.bound ? std::to_string(quota) : "max", period))}};
    auto period_file = ask.file(std::to_string(period));
    period_file.file = "cpu.cfs_period_us";
    return {{period_file, ask.file(ask.bound ? std::to_string(quota) : "-1")}};
}

Files weight_files(const Ask& ask) {
    return {{ask.file(
        std::to_string(weight_to_file(ask.row.name, ask.version, ask.bound.value_or(kNormalWeight))))}};
}

// "io-max DEVICE read|write"
Files io_max_files(const Ask& ask) {
    const auto words = words_of(ask.item);
    if (words.size() != 3 || (words[2] != "read" && words[2] != "write"))
        return fail("limit " + ask.item, "want a device and a direction");
    const auto number = ask.devices.find(std::string(words[1]));
    if (number == ask.devices.end())
        return fail("limit " + ask.item, fmt::format("{} is no block device", words[1]),
                    "lsblk -p shows them");
    if (!ask.v1())
        return {{ask.file(
            fmt::format("{} {}bps={}", number->second, words[2].front(), number_or(ask.bound, "max")))}};
    auto file = ask.file(fmt::format("{} {}", number->second, ask.bound.value_or(0)));
    file.file = fmt::format("blkio.throttle.{}_bps_device", words[2]);
    return {{file}};
}

std::uint64_t whole_pages(std::uint64_t bytes, std::uint64_t page) { return bytes / page * page; }

// What one file of a leaf says, and what was found in the others before it.
struct Tell {
    CgroupFiles version;
    const LimitRow& row;
    std::string_view text;
    const std::map<std::string, std::string>& files;
    const DeviceNumbers& devices;
};
using Teller = void (*)(const Tell&, Limits&);

Bound plain_bound(std::string_view text) {
    const auto number = number_of<std::uint64_t>(text);
    if (!number || *number >= kNoV1Bound) return std::nullopt;
    return number;
}

void tell_plain(const Tell& tell, Limits& limits) {
    limits[std::string(tell.row.name)] = {plain_bound(tell.text)};
}

void tell_swap(const Tell& tell, Limits& limits) {
    auto bound = plain_bound(tell.text);
    const auto memory = bound_in(limits, "memory");
    if (tell.version == CgroupFiles::v1 && bound) bound = *bound - std::min(*bound, memory.value_or(0));
    limits["swap"] = {bound};
}

void tell_cpus(const Tell& tell, Limits& limits) {
    const auto words = words_of(tell.text);
    std::uint64_t period = words.size() == 2 ? number_of<std::uint64_t>(words[1]).value_or(0) : 0;
    if (const auto file = tell.files.find("cpu.cfs_period_us");
        tell.version == CgroupFiles::v1 && file != tell.files.end())
        period =
            number_of<std::uint64_t>(lines_of(file->second).empty() ? "" : lines_of(file->second).front())
                .value_or(0);
    const auto quota = words.empty() ? std::nullopt : number_of<std::uint64_t>(words[0]);
    Bound cores;
    if (quota && period != 0) cores = *quota * kMicro / period;
    limits["cpus"] = {cores};
}

void tell_weight(const Tell& tell, Limits& limits) {
    // io.weight says "default 100", and a line for each device that differs.
    const auto number =
        number_of<std::uint64_t>(tell.text.starts_with("default ") ? tell.text.substr(8) : tell.text);
    if (!number) return;
    const auto weight = weight_from_file(tell.row.name, tell.version, *number);
    if (tell.row.name == "io-weight" && weight == kNormalWeight) return;
    limits[std::string(tell.row.name)] = {weight};
}

std::string device_name(const DeviceNumbers& devices, std::string_view number) {
    const auto named =
        std::ranges::find_if(devices, [&](const auto& entry) { return entry.second == number; });
    return named == devices.end() ? std::string(number) : named->first;
}

void tell_io_max_v1(const Tell& tell, Limits& limits) {
    for (const auto* const direction : {"read", "write"}) {
        const auto file = tell.files.find(fmt::format("blkio.throttle.{}_bps_device", direction));
        if (file == tell.files.end()) continue;
        for (const auto line : lines_of(file->second))
            if (const auto words = words_of(line); words.size() == 2)
                limits[fmt::format("io-max {} {}", device_name(tell.devices, words[0]), direction)] = {
                    number_of<std::uint64_t>(words[1])};
    }
}

void tell_io_max(const Tell& tell, Limits& limits) {
    if (tell.version == CgroupFiles::v1) return tell_io_max_v1(tell, limits);
    for (const auto line : lines_of(tell.files.at(std::string(tell.row.v2_file)))) {
        const auto words = words_of(line);
        for (const auto word : words) {
            const auto bound = number_of<std::uint64_t>(word.substr(std::min<std::size_t>(5, word.size())));
            if (!bound || (!word.starts_with("rbps=") && !word.starts_with("wbps="))) continue;
            limits[fmt::format("io-max {} {}", device_name(tell.devices, words[0]),
                               word[0] == 'r' ? "read" : "write")] = {bound};
        }
    }
}

/// How a limit is written, kept and told; one row for each of kLimits.
struct Conversion {
    std::string_view limit;
    Files (*write)(const Ask&);
    Teller tell;
};
constexpr auto kConversions = std::to_array<Conversion>({
    {"memory", plain_files, tell_plain},
    {"swap", swap_files, tell_swap},
    {"cpus", cpu_files, tell_cpus},
    {"cpu-weight", weight_files, tell_weight},
    {"pids", plain_files, tell_plain},
    {"io-weight", weight_files, tell_weight},
    {"io-max", io_max_files, tell_io_max},
});
static_assert(std::ranges::equal(kLimits, kConversions, {}, &LimitRow::name, &Conversion::limit),
              "a limit has no conversion, or they are in another order");

const Conversion& conversion_of(const LimitRow& row) {
    return kConversions.at(static_cast<std::size_t>(&row - kLimits.data()));
}

std::uint64_t kept(CgroupFiles version, const LimitRow& row, std::uint64_t bound, std::uint64_t page_size) {
    switch (row.unit) {
        case LimitUnit::bytes: return row.name == "io-max" ? bound : whole_pages(bound, page_size);
        case LimitUnit::count: return bound;
        case LimitUnit::weight:
            return weight_from_file(row.name, version, weight_to_file(row.name, version, bound));
        case LimitUnit::microcores: {
            const auto [quota, period] = quota_of(bound);
            return quota * kMicro / period;
        }
    }
    return bound;
}

}  // namespace

const LimitRow* limit_row(std::string_view item) {
    const auto* const row = std::ranges::find(kLimits, item.substr(0, item.find(' ')), &LimitRow::name);
    return row == kLimits.end() ? nullptr : row;
}

Result<std::vector<LimitFile>> limit_files(CgroupFiles version, const std::string& item, const Limits& all,
                                           const DeviceNumbers& devices) {
    const auto* const row = limit_row(item);
    if (row == nullptr) return fail("limit " + item, "there is no such limit");
    return conversion_of(*row).write({version, *row, item, bound_in(all, item), all, devices});
}

Limits kept_limits(CgroupFiles version, const Limits& limits, std::uint64_t page_size) {
    Limits result;
    for (const auto& [item, ceiling] : limits) {
        const auto* const row = limit_row(item);
        auto bound = ceiling.most;
        if (row != nullptr && bound) bound = kept(version, *row, *bound, page_size);
        // Written as one sum with memory, rounded as one, told as the difference.
        if (const auto memory = bound_in(limits, "memory");
            item == "swap" && version == CgroupFiles::v1 && ceiling.most && memory)
            bound = whole_pages(*memory + *ceiling.most, page_size) - whole_pages(*memory, page_size);
        if (item != "io-weight" || (bound && *bound != kNormalWeight)) result[item] = {bound};
    }
    return result;
}

std::vector<LimitFile> limit_file_names(CgroupFiles version) {
    std::vector<LimitFile> names;
    const DeviceNumbers any{{"x", ""}};
    const auto add = [&](const std::string& item) {
        auto files = limit_files(version, item, {}, any);
        if (!files) return;
        for (auto& file : *files) names.push_back({file.controller, file.file, ""});
    };
    for (const auto& row : kLimits) {
        if (row.name != "io-max") {
            add(std::string(row.name));
            continue;
        }
        for (const auto* direction : {" x read", " x write"}) add(std::string(row.name) + direction);
    }
    const auto same = [](const LimitFile& a, const LimitFile& b) { return a.file == b.file; };
    names.erase(std::ranges::unique(names, same).begin(), names.end());
    return names;
}

Limits limits_in(CgroupFiles version, const std::map<std::string, std::string>& files,
                 const DeviceNumbers& devices) {
    Limits limits;
    for (const auto& row : kLimits) {
        auto name = std::string(version == CgroupFiles::v1 ? row.v1_file : row.v2_file);
        if (row.name == "io-max" && version == CgroupFiles::v1) name = "blkio.throttle.read_bps_device";
        const auto file = files.find(name);
        if (file == files.end()) continue;
        const auto lines = lines_of(file->second);
        const auto first = lines.empty() ? std::string_view() : lines.front();
        conversion_of(row).tell({version, row, first, files, devices}, limits);
    }
    return limits;
}

Result<Grants<std::uint32_t>> parse_cpu_list(std::string_view text) {
    constexpr std::uint32_t kMost = 8192;  // CONFIG_NR_CPUS at most
    Grants<std::uint32_t> cpus;
    while (text.ends_with('\n')) text.remove_suffix(1);
    for (const auto part : split(text, ',')) {
        const auto dash = part.find('-');
        const auto first = number_of<std::uint32_t>(part.substr(0, dash));
        const auto last =
            dash == std::string_view::npos ? first : number_of<std::uint32_t>(part.substr(dash + 1));
        if (!first || !last || *first > *last || *last >= kMost)
            return fail(std::string(text), "is not a list of cores", "write it like \"0-1,4\"");
        for (auto cpu = *first; cpu <= *last; ++cpu) cpus.all.insert(cpu);
    }
    return cpus;
}

std::string format_cpu_list(const Grants<std::uint32_t>& cpus) {
    std::string text;
    for (auto cpu = cpus.all.begin(); cpu != cpus.all.end();) {
        const auto first = *cpu;
        auto last = first;
        while (++cpu != cpus.all.end() && *cpu == last + 1) last = *cpu;
        if (!text.empty()) text += ',';
        text += first == last ? std::to_string(first) : fmt::format("{}-{}", first, last);
    }
    return text;
}

}  // namespace guard
