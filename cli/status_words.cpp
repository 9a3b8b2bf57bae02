#include "cli/status_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "report/layout.h"

namespace guard::cli {
namespace {

using launcher::Gauge;
using launcher::Status;
using Number = std::optional<std::uint64_t>;

std::string size_or(const Number& number, std::string otherwise) {
    return number ? format_size(*number) : std::move(otherwise);
}
std::string count_or(const Number& number, std::string otherwise) {
    return number ? std::to_string(*number) : std::move(otherwise);
}
std::string cores_or(const Number& number, std::string otherwise) {
    return number ? fmt::format("{:.2f}", static_cast<double>(*number) / 1e6) : std::move(otherwise);
}
std::string core_limit(const Number& number) {
    if (!number) return "none";
    return fmt::format("{} core{}", static_cast<double>(*number) / 1e6, *number == 1'000'000 ? "" : "s");
}

// "lan:25565:25565/tcp" is shown as "lan:25565": who and where, as people are told it.
std::string port_in_short(const std::string& publish) {
    const auto slash = publish.rfind('/');
    const auto inner = publish.rfind(':', slash);
    const auto text = inner == std::string::npos ? publish.substr(0, slash) : publish.substr(0, inner);
    return publish.ends_with("/udp") ? text + "/udp" : text;
}

std::string memory_of(const Status& one) {
    if (!one.memory.now) return "-";
    if (!one.memory.limit) return format_size(*one.memory.now);
    return fmt::format("{} of {}", format_size(*one.memory.now), format_size(*one.memory.limit));
}

std::string ports_of(const Status& one) {
    std::vector<std::string> ports;
    ports.reserve(one.publish.size());
    for (const auto& publish : one.publish) ports.push_back(port_in_short(publish));
    return ports.empty() ? "-" : report::listed(ports);
}

std::string profile_line(const Status& one) {
    auto text = fmt::format("{} {}", one.profile, one.digest);
    if (one.sources == launcher::Sources::unchanged) return text + ", unchanged since launch";
    const auto* const what = one.sources == launcher::Sources::changed ? "changed" : "can't be read";
    return fmt::format("{}, {} since launch: {}", text, what, report::listed(one.changed_files));
}

std::string process_line(const Status& one) {
    auto text = fmt::format("{} as {} (host id {}), process {}", report::printable(one.command), one.user,
                            one.host_uid, one.pid);
    if (one.threads) text += ", " + report::counted(*one.threads, "thread");
    return text;
}

std::string line(std::string_view label, const std::string& text) {
    return text.empty() ? std::string() : report::hanging(label, 12, report::printable(text));
}

// What a name stands for is what the container may connect to.
std::vector<std::string> egress_words(const Status& one) {
    auto words = one.egress;
    for (auto& word : words) {
        if (!one.names) continue;
        const auto name = one.names->find(word);
        if (name == one.names->end()) continue;
        word +=
            name->second.empty() ? " (no address now)" : fmt::format(" ({})", fmt::join(name->second, " "));
    }
    return words;
}

nlohmann::ordered_json gauge_json(const Gauge& gauge) {
    const auto value = [](const Number& number) {
        return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json(nullptr);
    };
    return {{"now", value(gauge.now)}, {"peak", value(gauge.peak)}, {"limit", value(gauge.limit)}};
}

}  // namespace

std::string list_text(const std::vector<Status>& all) {
    if (all.empty()) return {};
    std::vector<std::vector<std::string>> rows{{"NAME", "STATE", "UP", "CPU", "MEMORY", "PORTS"}};
    for (const auto& one : all) {
        const bool runs = one.state == "running" || one.state == "stopping";
        rows.push_back({one.name, one.state, runs ? span_in_words(one.up) : "-", cores_or(one.cpu.now, "-"),
                        memory_of(one), ports_of(one)});
    }
    return report::columns(rows);
}

std::string status_text(const Status& one) {
    const bool runs = one.state == "running";
    auto text = fmt::format("{}   {}\n", one.name, runs ? "running for " + span_in_words(one.up) : one.state);
    text += line("profile", profile_line(one));
    if (one.pid != 0) text += line("process", process_line(one));
    text += report::columns(
        {{"          ", "NOW", "PEAK", "LIMIT"},
         {"memory", size_or(one.memory.now, "-"), size_or(one.memory.peak, "-"),
          size_or(one.memory.limit, "none")},
         {"cpu", cores_or(one.cpu.now, "-"), cores_or(one.cpu.peak, "-"), core_limit(one.cpu.limit)},
         {"processes", count_or(one.processes.now, "-"), count_or(one.processes.peak, "-"),
          count_or(one.processes.limit, "none")}});
    if (one.oom_kills > 0)
        text += line("memory end", fmt::format("the kernel ended {} at the memory limit",
                                               report::counted(one.oom_kills, "process")));
    text += line("addresses", report::listed(one.addresses));
    text += line("in", report::listed(one.publish));
    text += line("out", report::listed(egress_words(one)));
    text += line("data", one.data);
    return text + line("log", one.log);
}

std::string statuses_json(const std::vector<Status>& all) {
    using Json = nlohmann::ordered_json;
    constexpr std::array<std::string_view, 3> kSources{"unchanged", "changed", "unreadable"};
    auto list = Json::array();
    for (const auto& one : all)
        list.push_back({{"name", one.name},
                        {"state", one.state},
                        {"up", one.up.count()},
                        {"profile",
                         {{"name", one.profile},
                          {"digest", one.digest},
                          {"file", one.file},
                          {"sources", kSources.at(static_cast<std::size_t>(one.sources))},
                          {"changed", one.changed_files}}},
                        {"process",
                         {{"pid", one.pid},
                          {"command", one.command},
                          {"user", one.user},
                          {"host-uid", one.host_uid},
                          {"threads", one.threads ? Json(*one.threads) : Json(nullptr)}}},
                        {"memory", gauge_json(one.memory)},
                        {"cpu", gauge_json(one.cpu)},
                        {"processes", gauge_json(one.processes)},
                        {"oom-kills", one.oom_kills},
                        {"publish", one.publish},
                        {"egress", one.egress},
                        {"names", one.names ? Json(*one.names) : Json(nullptr)},
                        {"addresses", one.addresses},
                        {"data", one.data},
                        {"log", one.log}});
    const Json document{{"guard", 1}, {"containers", list}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::cli
