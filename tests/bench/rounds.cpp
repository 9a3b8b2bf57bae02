// Times commands side by side: each once a round, in an order shuffled anew, so that whatever the machine
// does besides hits all alike. Then batches of several at once.
//
//   bench_rounds ROUNDS AT_ONCE BATCHES < cases      a case: NAME<tab>ARG<tab>ARG...
//
// %ID% becomes a name that nobody else has at the time, the same in every round, as a container's is; %NEW%
// one that was never used; %PORT% a port that was never used.
//
// Prints a Markdown table; ratios are to the first case. A case that fails once is left out, with what it
// said.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <random>
#include <string>
#include <vector>

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

struct Case {
    std::string name;
    std::vector<std::string> arguments;
    std::vector<double> single, batch;  // milliseconds
    bool failed = false;
};

double since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values.at(static_cast<std::size_t>(share * static_cast<double>(values.size() - 1)));
}

std::vector<Case> read_cases(std::istream& in) {
    std::vector<Case> cases;
    for (std::string line; std::getline(in, line);) {
        Case one;
        std::size_t at = line.find('\t');
        one.name = line.substr(0, at);
        while (at != std::string::npos) {
            const auto end = line.find('\t', at + 1);
            one.arguments.push_back(line.substr(at + 1, end == std::string::npos ? end : end - at - 1));
            at = end;
        }
        if (!one.arguments.empty()) cases.push_back(std::move(one));
    }
    return cases;
}

pid_t start(const Case& one, int slot, const char* errors) {
    static unsigned count = 0;
    auto arguments = one.arguments;
    constexpr unsigned kFirstPort = 20000, kPorts = 10000;
    const std::pair<const char*, std::string> words[]{
        {"%ID%", fmt::format("bench-{}", slot)},
        {"%NEW%", fmt::format("bench-{}-{}", ::getpid(), ++count)},
        {"%PORT%", std::to_string(kFirstPort + count % kPorts)}};
    std::vector<char*> argv;
    for (auto& argument : arguments) {
        for (const auto& [word, value] : words)
            if (const auto at = argument.find(word); at != std::string::npos)
                argument.replace(at, std::strlen(word), value);
        argv.push_back(argument.data());
    }
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    return error == 0 ? pid : -1;
}

bool finish(pid_t pid) {
    int status = 0;
    return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

void drop(Case& one, const char* errors) {
    one.failed = true;
    std::cerr << "left out: " << one.name << " failed\n" << std::flush;
    std::cerr << std::ifstream(errors).rdbuf() << std::flush;
}

void run_rounds(std::vector<Case>& cases, int rounds, const char* errors) {
    std::mt19937 random(42);  // the same order on every run
    std::vector<Case*> order;
    for (auto& one : cases) order.push_back(&one);
    constexpr int kWarmUp = 2;
    for (int round = -kWarmUp; round < rounds; ++round) {
        std::ranges::shuffle(order, random);
        for (auto* one : order) {
            if (one->failed) continue;
            const auto begin = Clock::now();
            if (!finish(start(*one, 0, errors)))
                drop(*one, errors);
            else if (round >= 0)
                one->single.push_back(since(begin));
        }
    }
}

void run_batches(std::vector<Case>& cases, int at_once, int batches) {
    for (int batch = 0; batch < batches; ++batch)
        for (auto& one : cases) {
            if (one.failed) continue;
            const auto begin = Clock::now();
            std::vector<pid_t> pids;
            for (int count = 0; count < at_once; ++count) pids.push_back(start(one, count, "/dev/null"));
            const bool all = std::ranges::count_if(pids, finish) == at_once;
            if (all) one.batch.push_back(since(begin));
        }
}

void print(const std::vector<Case>& cases, int at_once) {
    fmt::print(
        "| case | min ms | median ms | p95 ms | x {} (median) | x {} (min) | {} at once, ms | launches/s |\n",
        cases.front().name, cases.front().name, at_once);
    fmt::print("|---|---|---|---|---|---|---|---|\n");
    const double base = quantile(cases.front().single, 0.5);
    const double base_min = quantile(cases.front().single, 0);
    for (const auto& one : cases) {
        if (one.failed) {
            fmt::print("| {} | - | failed | - | - | - | - | - |\n", one.name);
            continue;
        }
        const double batch = quantile(one.batch, 0.5);
        fmt::print("| {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.0f} |\n", one.name,
                   quantile(one.single, 0), quantile(one.single, 0.5), quantile(one.single, 0.95),
                   quantile(one.single, 0.5) / base, quantile(one.single, 0) / base_min, batch,
                   batch > 0 ? at_once * 1000 / batch : 0);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: bench_rounds ROUNDS AT_ONCE BATCHES < cases\n";
        return 2;
    }
    auto cases = read_cases(std::cin);
    if (cases.empty()) {
        std::cerr << "no cases\n";
        return 2;
    }
    const auto errors = fmt::format("/tmp/bench-{}.err", ::getpid());
    run_rounds(cases, std::stoi(argv[1]), errors.c_str());
    run_batches(cases, std::stoi(argv[2]), std::stoi(argv[3]));
    print(cases, std::stoi(argv[2]));
    ::unlink(errors.c_str());
    return 0;
}
