#include "audit/rights_text.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

constexpr const char* kBefore =
    "Name:\tjava\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t7\nNgid:\t0\nPid:\t7\nPPid:\t1\nTracerPid:\t0\n"
    "Uid:\t5\t5\t5\t5\nGid:\t5\t5\t5\t5\nFDSize:\t64\nGroups:\t\nNStgid:\t7\nVmPeak:\t100 kB\nThreads:\t2\n"
    "SigQ:\t0/5\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n"
    "Seccomp_filters:\t1\nSpeculation_Store_Bypass:\tvulnerable\nCpus_allowed:\t3\nMems_allowed:\t1\n"
    "voluntary_ctxt_switches:\t150\n";

std::string with(std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return text;
}

TEST(RightsTextTest, WhatARunningProgramChangesIsNoRight) {
    auto after = with(kBefore, "VmPeak:\t100", "VmPeak:\t900");
    after = with(after, "State:\tS (sleeping)", "State:\tR (running)");
    after = with(after, "switches:\t150", "switches:\t151");
    after = with(after, "FDSize:\t64", "FDSize:\t128");
    EXPECT_EQ(rights_in(kBefore), rights_in(after));
}

TEST(RightsTextTest, EachRightCounts) {
    for (const auto& [from, to] : {std::pair{"CapEff:\t0", "CapEff:\t1"},
                                   {"Uid:\t5\t5", "Uid:\t5\t0"},
                                   {"Groups:\t", "Groups:\t27"},
                                   {"NoNewPrivs:\t1", "NoNewPrivs:\t0"},
                                   {"Seccomp_filters:\t1", "Seccomp_filters:\t2"},
                                   {"TracerPid:\t0", "TracerPid:\t9"},
                                   {"Umask:\t0022", "Umask:\t0000"},
                                   {"Name:\tjava", "Name:\tsh"},
                                   {"Cpus_allowed:\t3", "Cpus_allowed:\t1"}})
        EXPECT_NE(rights_in(kBefore), rights_in(with(kBefore, from, to))) << to;
}

TEST(RightsTextTest, AKernelWithoutTheLineThatEndsAStretchHidesNothing) {
    auto without = with(kBefore, "Speculation_Store_Bypass:\tvulnerable\n", "");
    EXPECT_NE(rights_in(without), rights_in(with(without, "Seccomp:\t2", "Seccomp:\t0")));
}

}  // namespace
}  // namespace guard::audit
