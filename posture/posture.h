#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "posture/capability.h"
#include "posture/filter_rules.h"
#include "posture/known.h"
#include "posture/mount.h"
#include "posture/namespaces.h"
#include "posture/order.h"

namespace guard {

/// One line of uid_map or gid_map, in the container's words. user_namespaces(7)
struct IdLine {
    std::uint32_t inside = 0;
    bool own = false;           ///< `outside` counts from the start of the container's own range
    std::uint32_t outside = 0;  ///< else: an id of the host
    std::uint32_t count = 0;
    auto operator<=>(const IdLine&) const = default;
};

struct Identity {
    Known<Exact<std::uint32_t>> uid, gid;  ///< inside; real, effective, saved and file-system id alike
    Known<Grants<std::uint32_t>> groups;   ///< supplementary, inside
    Known<Grants<IdLine>> uid_map, gid_map;
};

struct Capabilities {
    Known<CapabilitySet> bounding, permitted, effective, inheritable, ambient;
};

struct Seccomp {
    Known<Lock> mode;                ///< held: SECCOMP_MODE_FILTER
    Known<Floor<unsigned>> filters;  ///< how many are stacked
    Known<Named<Lock>> content;      ///< held: a filter of just these bytes is among them. By filter_name
    Known<FilterRules> access;       ///< what they allow
};

struct Landlock {
    Known<Lock> domain;  ///< held: a domain is enforced. landlock(7)
    Known<Grants<std::string>> read, write, execute;
};

/// What the network lets through, each as written in the profile with every part filled in.
struct Reach {
    Known<Grants<std::string>> interfaces;      ///< "lo", "eth0"
    Known<Grants<std::string>> publish;         ///< "lan:25565:25565/tcp"
    Known<Grants<std::string>> listen;          ///< "25565/tcp"; published inner ports included
    Known<Grants<std::string>> egress;          ///< "dns", "sessionserver.mojang.com:443/tcp"
    Known<Grants<std::string>> peers;           ///< who may connect to this container: "portfolio:5432/tcp"
    Known<Grants<std::string>> routes;          ///< "0.0.0.0/0 via 10.88.0.1 on eth0"
    Known<Grants<std::string>> rules;           ///< tables of a packet filter inside: "nft inet x"
    Known<Named<Exact<std::string>>> settings;  ///< kNetworkSettings by name
};

/// What a process holds open that leads out of its container, in words: "descriptor 5 on /root".
struct Handles {
    Known<Grants<std::string>> files;    ///< on mounts that its tree does not have
    Known<Grants<std::string>> kernel;   ///< ways into the kernel that its filter would not let it make
    Known<Grants<std::string>> sockets;  ///< of another network, or connected to a process outside
};

/// What a process runs.
struct Program {
    Known<Grants<std::string>> hidden;    ///< a program that no file stands for any more
    Known<Grants<std::string>> replaced;  ///< program and libraries whose files were replaced since
    Known<Grants<std::string>> place;     ///< a program on a mount that may be written
    Known<Grants<std::string>> name;      ///< one that calls itself another
    Known<Lock> write_exec;               ///< held: no memory is writable and executable at once
    Known<Grants<std::string>> loader;    ///< variables that bring other code in: kLoaderNames
};

/// Whether it gets processor and disk before others.
struct Scheduling {
    Known<Exact<std::string>> policy;  ///< "ordinary", else "fifo 10", "rr 10", "deadline". sched(7)
    Known<Floor<int>> nice;            ///< higher lets others go first. setpriority(2)
    Known<Exact<std::string>> cores;   ///< "all" that its cpuset has, else a list. sched_setaffinity(2)
    Known<Lock> disk;                  ///< held: no realtime class. ioprio_set(2)
};

/// What a task may do, as the kernel would decide it after exec, told in its container's own words: it holds
/// no number of this boot. What the words stood for in one launch is in Bindings.
struct Posture {
    Identity identity;
    Capabilities caps;
    Known<Named<Lock>> securebits;  ///< "noroot", "noroot-locked", ... capabilities(7)
    Known<Lock> no_new_privs;
    Seccomp seccomp;
    Landlock landlock;
    Known<Named<Relation>> namespaces;
    Known<MountTree> mounts;
    Known<Grants<std::string>> devices;            ///< "/dev/dri/renderD128:rw", beyond the harmless ones
    Known<Grants<std::string>> revealed;           ///< masked paths under /proc and /sys shown again
    Known<Named<Ceiling<std::uint64_t>>> limits;   ///< rows of kLimits: bytes, millionths of a core, counts
    Known<Grants<std::uint32_t>> cpuset;           ///< cores it may run on; empty = all
    Known<Floor<int>> oom_score_adj;               ///< higher goes first when memory ends
    Known<Named<Ceiling<std::uint64_t>>> rlimits;  ///< "nofile" hard, "nofile:soft" soft. getrlimit(2)
    Reach network;
    Known<Exact<std::string>> hostname;
    Known<Lock> undumpable;                   ///< held: nobody of the same user reads its memory. prctl(2)
    Known<Lock> untraced;                     ///< held: no tracer is attached, so its filter is in force
    Known<Exact<std::uint32_t>> personality;  ///< personality(2)
    Known<Exact<std::uint32_t>> umask;
    Scheduling scheduling;
    Handles handles;
    Program program;
    Known<Grants<std::string>> shared_mounts;     ///< places whose mounts come and go with the host's
    Known<Grants<std::string>> writable_cgroups;  ///< whose limits somebody inside may change
    Known<Lock> no_terminal;                      ///< held: no controlling terminal. credentials(7)
    Known<Exact<std::string>> lsm;     ///< label of a security module, "unconfined" where none confines
    Known<Exact<std::string>> clocks;  ///< "in step" with the host's, else the offsets. time_namespaces(7)
};

/// The posture of an empty profile: what everything is measured against. CONTRACT: "secure by omission".
[[nodiscard]] Posture nothing_granted();

}  // namespace guard
