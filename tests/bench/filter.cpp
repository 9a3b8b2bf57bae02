// Times what guard does with filters, on two of the size that container engines use: diagrams, their
// difference, guard's own program and its proof, libseccomp's programs, and how long the kernel takes to load
// each. Prints a Markdown table of medians in milliseconds: of processor time, for other work on the machine
// is not what is measured; of the time on the clock for what the kernel does, in a child of its own.
//
//   bench_filter [ROUNDS]
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "policies/filter_cache.h"
#include "policies/filter_compile.h"
#include "policies/filter_emit.h"
#include "posture/filter/describe.h"
#include "posture/filter/difference.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/proof.h"
#include "posture/filter/rules_diagram.h"
#include "tests/support/rules_file.h"
#include "tests/support/temp_dir.h"

namespace {

using namespace guard;
using Program = std::vector<sock_filter>;

double milliseconds(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}
double processor() { return milliseconds(CLOCK_PROCESS_CPUTIME_ID); }

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[values.size() / 2];
}

void row(const std::string& name, double milliseconds, const std::string& more = "") {
    std::cout << fmt::format("| {} | {:.3f} | {} |\n", name, milliseconds, more);
}

double timed(int rounds, const std::function<void()>& run) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const double start = processor();
        run();
        times.push_back(processor() - start);
    }
    return median(times);
}

// In a child, for a filter is never taken off again.
double load_once(Program& program) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
        const double start = milliseconds(CLOCK_MONOTONIC);
        const bool loaded = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
        const double took = loaded ? milliseconds(CLOCK_MONOTONIC) - start : -1;
        ::_exit(::write(ends[1], &took, sizeof took) == sizeof took ? 0 : 1);
    }
    ::close(ends[1]);
    double took = -1;
    if (::read(ends[0], &took, sizeof took) != sizeof took) took = -1;
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return took;
}

void load(const std::string& name, Program program, int rounds) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) times.push_back(load_once(program));
    const auto cost = policies::cost_of(program).value();
    row("load " + name, median(times),
        fmt::format("{} instructions, longest call {}, {} for all calls", cost.instructions, cost.longest,
                    cost.steps));
}

FilterRules changed(FilterRules rules) {
    for (const auto* call : {"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd"})
        rules.calls[call] = {{Cube{}}};
    rules.calls["clone"] = {{{{0x6e02'0000}, {0}}}};
    rules.calls["personality"].when.push_back({{0xffff'ffff}, {0x4'0000}});
    return rules;
}

// The whole of a review's work on two filters.
std::size_t review(const Program& before, const Program& after) {
    Diagrams diagrams;
    const auto one = diagram_of(diagrams, before).value();
    const auto other = diagram_of(diagrams, after).value();
    std::size_t length = 0;
    const auto changes = difference(diagrams, one, other).value();
    for (const auto& change : changes) length += change_in_words(change).size();
    return length;
}

Program program_of(const std::string& bytes) { return filter_program(bytes).value(); }

}  // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 40;
    auto rules = support::rules_file("server.txt");
    rules.abis = {"native", "i386", "x32"};
    const auto linear =
        program_of(policies::compile_with_libseccomp(rules, policies::Search::linear).value());
    const auto head =
        program_of(policies::compile_with_libseccomp(changed(rules), policies::Search::tree).value());
    std::cout << "| what | ms | |\n|---|---|---|\n";
    const double cold = processor();
    const auto words = review(linear, head);
    row("review of two programs, three ABIs, first in the process", processor() - cold,
        fmt::format("{} and {} instructions, {} characters of words", linear.size(), head.size(), words));
    row("the same, again", timed(rounds, [&] { (void)review(linear, head); }));
    row("diagram of a program",
        timed(rounds,
              [&] {
                  Diagrams arena;
                  (void)diagram_of(arena, linear);
              }),
        fmt::format("{} instructions", linear.size()));
    row("the same of libseccomp's tree",
        timed(rounds,
              [&] {
                  Diagrams arena;
                  (void)diagram_of(arena, head);
              }),
        fmt::format("{} instructions", head.size()));
    row("diagram of rules", timed(rounds, [&] {
            Diagrams arena;
            (void)diagram_of(arena, rules);
        }));
    rules.abis = {"native"};
    row("compile, choose and prove", timed(rounds, [&] { (void)policies::compile_filter(rules); }));
    row("libseccomp alone, linear",
        timed(rounds, [&] { (void)policies::compile_with_libseccomp(rules, policies::Search::linear); }));
    row("libseccomp alone, tree", timed(rounds, [&] { (void)policies::compile_with_libseccomp(rules); }));
    Diagrams diagrams;
    const auto declared = diagram_of(diagrams, rules).value();
    const auto own = policies::emit_filter(diagrams, declared).value();
    row("emit", timed(rounds, [&] { (void)policies::emit_filter(diagrams, declared); }));
    row("prove", timed(rounds, [&] { (void)prove_filter(rules, own); }));
    const support::TempDir temp;
    row("cached filter, found",
        timed(rounds, [&] { (void)policies::cached_filter(rules, temp / "filters"); }));
    load("guard's", own, rounds);
    load("libseccomp's tree", program_of(policies::compile_with_libseccomp(rules).value()), rounds);
    load("libseccomp's linear",
         program_of(policies::compile_with_libseccomp(rules, policies::Search::linear).value()), rounds);
    return 0;
}
