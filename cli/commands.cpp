#include "cli/commands.h"

#include <algorithm>
#include <array>

#include "cli/exit_status.h"

namespace guard::cli {
namespace {

constexpr Option kSet{"set", "KEY=VALUE", "", "replaces a key of the profile; VALUE is TOML, else a string",
                      true};
constexpr Option kOutput{"output", "FORMAT:FILE", "", "writes the result into FILE as well", true};
constexpr Option kFindingFormat{"format", "FORMAT", "text|json|sarif|markdown|github|gitlab|junit|prometheus",
                                "how the result is written"};
constexpr Option kJsonFormat{"format", "FORMAT", "text|json", "how the result is written"};
constexpr Option kFailOn{"fail-on", "SEVERITY", "info|low|medium|high|critical",
                         "the least severity that counts; medium if not given"};

constexpr auto kLaunch = std::to_array<Option>({
    {"profile", "P", "", "the profile: a name, or a path (with a / or ending in .toml)"},
    {"name", "NAME", "", "the container's name; else the profile's"},
    {"detach", "", "", "returns once the command has started; guard logs and guard stop go on from there"},
    kSet,
    {"dry-run", "", "", "prints the plan as JSON and makes nothing"},
});
constexpr auto kStop = std::to_array<Option>(
    {{"timeout", "T", "",
      "how long the server has to end by itself (\"30s\"); else the profile's stop-timeout"}});
constexpr auto kLogs = std::to_array<Option>({{"follow", "", "", "goes on until the container ends"}});
constexpr auto kLife = std::to_array<Option>({kJsonFormat, kOutput});
constexpr auto kAudit = std::to_array<Option>({
    {"format", "FORMAT", "text|json|sarif|markdown|github|gitlab|junit|prometheus|journal",
     "how the result is written; journal with --watch only"},
    kOutput,
    kFailOn,
    {"allow-unknown", "", "", "does not count what could not be read"},
    {"scan-files", "", "", "also walks the containers' files: set-user-id files and files with capabilities"},
    {"exact", "WAY", "bpf|ptrace",
     "asks the kernel about every thread: by a BPF program, or, stopping each for a moment, by ptrace"},
    {"all", "", "",
     "surveys every process of this machine instead: who can do what (text, json, prometheus)"},
    {"pid", "PID", "", "judges this process, whoever started it, against --profile"},
    {"profile", "P", "", "the profile for --pid: a name, or a path"},
    {"watch", "", "", "goes on for ever: tells each finding when it begins and when it ends"},
    {"interval", "T", "", "with --watch: how long at most between two looks; 1500ms if not given"},
    {"listen", "WHERE", "", "with --watch: answers GET /metrics on unix:/PATH or 127.0.0.1:PORT"},
});
constexpr auto kCheck = std::to_array<Option>({kSet, kFindingFormat, kOutput, kFailOn});
constexpr auto kReview = std::to_array<Option>({
    {"base", "REV", "",
     "what to compare with: a git revision, a directory or a file; else where the head left origin/HEAD"},
    {"head", "REV", "", "what is reviewed; else the work tree"},
    {"require", "WHAT", "no-new-access",
     "fails where the head allows anything that the base did not, whatever its severity"},
    {"fail-on", "SEVERITY", "info|low|medium|high|critical",
     "the least severity that counts; where .guard.toml of the base asks for a lower one, that counts"},
    {"allow-unknown", "", "", "does not count what could not be compared"},
    kFindingFormat,
    kOutput,
});
constexpr auto kExplain = std::to_array<Option>({kSet, kJsonFormat, kOutput});
constexpr auto kSchema = std::to_array<Option>({{"group", "", "", "of a group of system calls instead"}});
constexpr auto kHelp =
    std::to_array<Option>({{"as", "FORM", "text|man|markdown|profile|checks|bash|zsh|fish",
                            "as text, a man page, pages of the documentation, or completions for a shell"}});

constexpr auto kCommon = std::to_array<Option>({
    {"color", "WHEN", "auto|always|never", "colours severities; auto obeys NO_COLOR"},
    {"quiet", "", "", "errors only, besides the result"},
    {"verbose", "", "", "more of the result, and progress also without a terminal"},
    {"help", "", "", "shows help"},
});

constexpr unsigned kAnyNumber = ~0U;

constexpr auto kCommands = std::to_array<Command>({
    {"launch", "--profile P [--name NAME] [--detach] [--set KEY=VALUE]... [--dry-run] [-- CMD ARG...]",
     "makes a container and runs the profile's command in it",
     "Makes a container with the posture that the profile declares and runs its command, or CMD, in it. What "
     "the "
     "host can't enforce stops the launch, unless the profile's `optional` names it. Ctrl-C asks the server "
     "to stop.",
     kLaunch, Operands::none, 0, 0, true, kNotLaunched, run_launch},
    {"list", "", "shows every container",
     "Shows every container: its state, how long it is up, what it uses and its ports.", kLife,
     Operands::none, 0, 0, false, kUsage, run_list},
    {"status", "NAME", "shows one container: its process, use and limits",
     "Shows one container: what runs in it, what it uses now, at its peak and at most, and what may reach "
     "it.",
     kLife, Operands::container, 1, 1, false, kUsage, run_status},
    {"stop", "NAME [--timeout T]", "stops a container",
     "Asks the server to stop by the profile's stop-signal, waits, and kills what is left after the timeout.",
     kStop, Operands::container, 1, 1, false, kUsage, run_stop},
    {"logs", "NAME [--follow]", "shows what a container wrote",
     "Shows what the command wrote, oldest first, older files included. On a terminal, control characters "
     "are shown "
     "instead of obeyed.",
     kLogs, Operands::container, 1, 1, false, kUsage, run_logs},
    {"audit", "[NAME]... | --pid PID --profile P | --all | --watch  [--fail-on SEVERITY] [--allow-unknown]",
     "compares what runs with what was launched, thread by thread",
     "Reads every thread of every container (or of those named) and compares what it may do with the record "
     "of its launch. With --pid, any process (a podman container, a sandbox, a service) and its descendants "
     "in the same namespaces, against a profile. With --all, everything that runs on this machine: what it "
     "can do, who holds dangerous rights, who has no filter, who listens where. With --watch, the containers "
     "again and again, until it is stopped.",
     kAudit, Operands::containers, 0, kAnyNumber, false, kUsage, run_audit},
    {"check", "P... [--fail-on SEVERITY]",
     "reads profiles, says what is wrong or risky, compiles their filters",
     "Reads each profile with everything it extends, shows all errors at once, each at its place, compiles "
     "and proves the system call filter, and says what is dangerous, without effect or probably a slip. P is "
     "a "
     "profile, a file of a group, or a directory: all in it. Findings below --fail-on are counted only; "
     "--verbose shows them, and those that a waiver excuses. Needs no rights and starts nothing.",
     kCheck, Operands::profiles, 1, kAnyNumber, false, kUsage, run_check},
    {"review", "[--base REV] [--head REV] [--require no-new-access] [PATH]...",
     "says what a change of profiles newly allows",
     "Compares the profiles of two revisions and says, worst first, what the change newly allows, takes "
     "away, or answers "
     "otherwise, with a call that shows it. REV is a git revision, a directory or a file; a seccomp profile "
     "or config.json "
     "of a container runtime may stand for a profile. Only profiles below PATH count, or below `paths` of "
     ".guard.toml in "
     "the base.",
     kReview, Operands::profiles, 0, kAnyNumber, false, kUsage, run_review},
    {"explain", "P [SECTION]...", "says in plain words what a profile grants, and where that is written",
     "Says what the profile grants beyond an empty one, and how its service lives, with the place of each. "
     "SECTION is "
     "a table (network) or a key (limits.memory).",
     kExplain, Operands::profile, 1, kAnyNumber, false, kUsage, run_explain},
    {"schema", "[--group]", "prints the JSON Schema of a profile, for editors",
     "Prints the JSON Schema of a profile. An editor uses it with the line \"#:schema ./guard.schema.json\" "
     "at the top.",
     kSchema, Operands::none, 0, 0, false, kUsage, run_schema},
    {"doctor", "", "says what this machine can enforce, and what it cannot",
     "Tries what guard needs of this kernel, without changing anything, and says what is missing and what "
     "mends it.",
     kLife, Operands::none, 0, 0, false, kUsage, run_doctor},
    {"version",
     "",
     "prints the version",
     "Prints guard's version.",
     {},
     Operands::none,
     0,
     0,
     false,
     kUsage,
     run_version},
    {"help", "[COMMAND] [--as FORM]", "shows help; also as man page or completions",
     "Shows the commands, or one of them; with --as, all of it as a man page or as completions for a shell.",
     kHelp, Operands::command, 0, 1, false, kUsage, run_help},
});

}  // namespace

std::span<const Command> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
    const auto* const row = std::ranges::find(kCommands, name, &Command::name);
    return row == kCommands.end() ? nullptr : row;
}

std::span<const Option> common_options() { return kCommon; }

std::vector<Option> options_of(const Command& command) {
    std::vector<Option> all(command.options.begin(), command.options.end());
    all.insert(all.end(), kCommon.begin(), kCommon.end());
    return all;
}

}  // namespace guard::cli
