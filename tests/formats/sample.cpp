#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "report/findings.h"

// usage: formats_sample FOLDER
//
// Writes findings of every kind, in every format, as FOLDER/SET.FORMAT: none, some of each verdict, names
// that a stranger chose, more than readers keep.
namespace guard::report {
namespace {

Finding finding(std::string_view check, std::string item, Verdict verdict, std::string unit) {
    auto made = raise(check, {std::move(unit), 4711, 4733, 7, "pool-2", "/usr/lib/jvm/bin/java"}, "none",
                      "held", {"profiles/minecraft.toml", 31, 10});
    made.item = std::move(item);
    made.verdict = verdict;
    return made;
}

Finding waived(Finding made) {
    made.waiver = Waiver{std::string(made.check->id),      made.item, "needs it", "alice",
                         std::chrono::year(2027) / 6 / 30, made.where};
    return made;
}

Finding unread() {
    auto made = finding("seccomp.access", "", Verdict::unknown, "minecraft");
    made.reason = "read the filter: Operation not permitted";
    made.where = {"built in", 0, 0};
    return made;
}

Finding of_severity(Severity severity) {
    auto made = finding("limits", std::string(severity_name(severity)), Verdict::weaker, "minecraft");
    made.severity = severity;
    return made;
}

// Everything that ends a cell, an attribute, a property, a line, a comment, a label; and bytes that are no
// text.
Finding hostile(const std::string& item = "") {
    const std::string name =
        "a\"b'c<d>&e|f`g,h:i%j\\k\nl\rm\tn\x01\x7f::error::x]]>-->"
        "\xff\xed\xa0\x80\xef\xbf\xbe\xf0\x9f\x99\x82";
    auto made = finding("mounts", name + item, Verdict::changed, name);
    made.subjects.front().command = made.subjects.front().exe = made.expected = made.observed = made.reason =
        name;
    made.where.file = "profiles/" + name + ".toml";
    return made;
}

std::vector<Finding> some() {
    std::vector<Finding> all{unread(), finding("caps.effective", "CAP_KILL", Verdict::violation, "minecraft"),
                             finding("caps.effective", "CAP_CHOWN", Verdict::violation, "minecraft"),
                             finding("mounts", "/srv", Verdict::tighter, "portfolio"),
                             waived(finding("mounts", "/tmp", Verdict::weaker, "portfolio"))};
    for (const auto severity :
         {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
        all.push_back(of_severity(severity));
    all.front().subjects.push_back({.unit = "portfolio"});
    return all;
}

std::vector<Finding> many() {
    constexpr int kMany = 6000;
    std::vector<Finding> all;
    all.reserve(kMany);
    for (int i = 0; i < kMany; ++i)
        all.push_back(finding("devices", "/dev/" + std::to_string(i), Verdict::weaker, "minecraft"));
    return all;
}

Findings of(std::vector<Finding> list, SarifReader reader) {
    Findings all;
    all.examined = {{"minecraft", 39, 54, "profiles/minecraft.toml"},
                    {"portfolio", 3, 54, "profiles/portfolio.toml"}};
    all.findings = merged(std::move(list));
    all.asked.assign(compared_checks().begin(), compared_checks().end());
    all.version = "1.2.3";
    all.tree = {"/home/alice/home", "/home/alice/home"};
    all.sarif_reader = reader;
    return all;
}

bool write(const std::string& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    return out.flush().good();
}

bool write_all(const std::string& folder) {
    struct Set {
        std::string_view name;
        std::vector<Finding> findings;
        SarifReader reader;
    };
    const std::array<Set, 7> sets{
        {{"none", {}, SarifReader::any},
         {"some", some(), SarifReader::any},
         {"hostile", {hostile(), waived(hostile("2"))}, SarifReader::any},
         {"many", many(), SarifReader::any},
         {"scanned-some", some(), SarifReader::code_scanning},
         {"scanned-hostile", {hostile(), waived(hostile("2"))}, SarifReader::code_scanning},
         {"scanned-many", many(), SarifReader::code_scanning}}};
    bool good = true;
    for (const auto& [name, findings, reader] : sets)
        for (const auto& format : finding_formats())
            good = write(folder + "/" + std::string(name) + "." + std::string(format.name),
                         format.write(of(findings, reader))) &&
                   good;
    return good;
}

}  // namespace
}  // namespace guard::report

int main(int argc, char** argv) {
    if (argc != 2) {
        static_cast<void>(std::fputs("usage: formats_sample FOLDER\n", stderr));
        return 2;
    }
    return guard::report::write_all(argv[1]) ? 0 : 1;
}
