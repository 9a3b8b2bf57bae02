// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
#pragma once
/* What the BPF programs of the change walk hand to their reader. Addresses of the kernel's are only compared:
 * what changes gets a new one. C, for the programs are C. */
#include <linux/types.h>

enum { GUARD_LIMITS = 16, GUARD_CPU_WORDS = 16 };

/* What one thread may do, in the kernel's own words. */
struct guard_state_row {
    __u32 pid, tid; /* in the reader's PID namespace */
    __u32 ended;
    __u32 parent;
    __u64 start_ns; /* since boot, as the reader's clock has it */
    /* All below counts as one: equal where nothing has changed. */
    __u64 cred; /* never written, but replaced */
    /* All below is equal too between two processes of one program that may do the same. */
    __u64 groups, users;
    __u32 ids[8];
    __u64 caps[5];
    __u32 securebits;
    __s32 seccomp_mode, seccomp_filters;
    __u32 ptrace;
    __u64 seccomp_filter;
    __u64 flags; /* no_new_privs, mitigations of speculation */
    __u64 namespaces[8];
    __u64 cgroups;
    __u64 limits[2 * GUARD_LIMITS];
    __u64 terminal, root_mount, root, working_mount, program;
    __u64 cpus[GUARD_CPU_WORDS];
    __u32 policy, priority, personality, umask;
    __s32 nice, oom_score_adj;
    char name[16]; /* of the process */
};

/* Something that a process holds open or has mapped, and that its own file tree does not have. */
struct guard_holding_row {
    __u32 pid;
    __u32 place; /* its descriptor */
    __u64 what, inode;
};
enum { GUARD_PLACE_MAPPED = 0xFFFFFFFF };
