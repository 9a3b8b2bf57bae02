#include "audit/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/known.h"
#include "audit/process_facts.h"
#include "posture/program.h"

namespace guard::audit {
namespace {

using Words = Grants<std::string>;

// They are started for what they run, and called after it or after whatever it says.
constexpr auto kInterpreters = std::to_array<std::string_view>(
    {"bash", "busybox", "dash", "java", "lua", "node", "perl", "php", "python", "ruby", "sh"});
constexpr std::size_t kLongestName = 15;  // TASK_COMM_LEN without its end. PR_SET_NAME(2const)

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Words hidden(const ProgramFile& program) {
    const auto in_memory = kind_of_descriptor(program.path) == DescriptorKind::memory_file;
    if (in_memory) return {{"a program in memory (" + program.path + ")"}};
    if (program.gone && !program.has_successor) return {{program.path + ", which is gone"}};
    return {};
}

// On the root a profile may ask for a tree that can be written: what is run from there is then its own.
Words in_writable(const ProgramFile& program, const Posture& launched) {
    const auto* tree = value_of(launched.mounts);
    const auto root = tree == nullptr ? MountTree::const_iterator{} : tree->find("/");
    const bool all_writable =
        tree != nullptr && root != tree->end() && root->second.grants.all.contains(MountGrant::write);
    if (!program.in_writable || all_writable || program.gone) return {};
    return {{program.path}};
}

// The mount that a path is on: the longest place that it lies below.
const MountLine* mount_of(const std::vector<MountLine>& mounts, std::string_view path) {
    const MountLine* best = nullptr;
    for (const auto& line : mounts) {
        const bool below =
            line.place == "/" || (path.starts_with(line.place) && path.size() > line.place.size() &&
                                  path[line.place.size()] == '/');
        if (below && (best == nullptr || line.place.size() >= best->place.size())) best = &line;
    }
    return best;
}

// Where the container itself may write, a library may come and go as it likes: Netty's do. What it can't
// write was replaced from outside, as an update does.
Words replaced(const ProgramFile* program, const MemoryMaps& maps, const TreeFacts& tree) {
    Words words;
    if (program != nullptr && program->gone && program->has_successor)
        words.all.insert("program " + program->path);
    const auto* mounts = value_of(tree.mounts);
    for (const auto& file : maps.deleted) {
        const auto* mount = mounts == nullptr ? nullptr : mount_of(*mounts, file);
        const bool writable = mount != nullptr && !mount->has("ro") && !mount->super_has("ro");
        if (!writable && (program == nullptr || file != program->path)) words.all.insert("library " + file);
    }
    return words;
}

Words disguise(const ProgramFile& program, std::string_view name) {
    const auto file = file_name(program.path);
    const auto is_of = [file](std::string_view interpreter) { return file.starts_with(interpreter); };
    if (name == file.substr(0, kLongestName) || std::ranges::any_of(kInterpreters, is_of)) return {};
    return {{fmt::format("{} calls itself {}", file, name)}};
}

Words loader_names(const std::set<std::string>& names) {
    Words words;
    for (const auto& name : names)
        if (changes_what_is_loaded(name)) words.all.insert(name);
    return words;
}

}  // namespace

Program program_of(const SeenTask& task, const Frame& frame, const TreeFacts& tree, const Posture& launched) {
    if (task.details.process == nullptr) return {};
    const auto& facts = *task.details.process;
    Program program;
    program.write_exec = map_known(
        facts.maps, [](const MemoryMaps& maps) { return maps.write_exec ? Lock::open : Lock::held; });
    program.loader = map_known(facts.environment, loader_names);
    // PID 1 is guard itself, from outside the tree; its filter lets it run nothing else.
    if (task.pid == frame.record->bindings.init.pid) {
        program.hidden = launched.program.hidden;
        program.replaced = launched.program.replaced;
        program.place = launched.program.place;
        program.name = launched.program.name;
        return program;
    }
    program.hidden = map_known(facts.program, hidden);
    program.place = map_known(facts.program,
                              [&launched](const ProgramFile& file) { return in_writable(file, launched); });
    program.replaced = map_known(
        facts.maps, [&](const MemoryMaps& maps) { return replaced(value_of(facts.program), maps, tree); });
    // A thread is named by its program, and many name theirs: the first one is the process's name.
    const bool is_leader = task.pid == task.tid;
    program.name = map_known(facts.program, [&](const ProgramFile& file) {
        return is_leader ? disguise(file, task.facts.status.name) : Words{};
    });
    return program;
}

}  // namespace guard::audit
