// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
#pragma once
/* What the BPF program of the task iterator hands to its reader: one header for both sides of the kernel's
 * edge. C, for the program is C. */
#include <linux/types.h>

enum {
    GUARD_MOST_FILTERS = 32,             /* stacked on one task, the oldest ones, that are looked at */
    GUARD_MOST_SKIPPED = 256,            /* newer ones than those */
    GUARD_MOST_INSTRUCTIONS = 4096,      /* BPF_MAXINSNS */
    GUARD_ARENA_INSTRUCTIONS = 1 << 16U, /* of all filters that are new in one pass */
    GUARD_MOST_CONTENTS = 256,           /* filters that are new in one pass */
    GUARD_BLOB_WORDS = 32,               /* of a cred's security blob, where Landlock's part is looked for */
};

/* In place of the number of a filter's content. */
enum {
    GUARD_CONTENT_LATER = 0xFFFFFFFE,  /* there was no room: read what there is, and make another pass */
    GUARD_CONTENT_UNREAD = 0xFFFFFFFF, /* the kernel kept no copy of it */
};
enum { GUARD_LAYERS_UNREAD = 0xFFFFFFFF };

/* One thread. Numbers of processes are those of the reader's PID namespace; 0 where it has none there. */
struct guard_task_row {
    __u64 start_ns; /* since boot */
    __u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
    __u32 pid, tid; /* of the process, of the thread */
    __u32 tracer;
    __u32 ptrace;     /* flags of the tracer; 0: not traced */
    __u32 exit_state; /* not 0: it has ended */
    __u32 securebits;
    __u32 no_new_privs;
    __u32 seccomp_mode, seccomp_filters;
    __u32 landlock_layers;
    __u32 contents;                    /* how many of `content` are set */
    __u32 content[GUARD_MOST_FILTERS]; /* numbers of their contents, newest filter first */
};

/* Where the content of a filter is in the arena. */
struct guard_filter_content {
    __u32 number, first, length; /* instructions */
    __u32 unused;
};

/* Memory that both sides see. Written by the reader between two passes, by the program within one. */
struct guard_task_table {
    __u32 generation; /* of one reading: what was seen in an earlier one may be another's address by now */
    __s32 landlock_offset;             /* of Landlock's part of a cred's security blob; -1: not known */
    __u32 probing;                     /* not 0: looks for it in the reader's own cred */
    __u32 numbers;                     /* contents numbered in this reading */
    __u32 used;                        /* instructions in the arena */
    __u32 contents;                    /* of `content` that are set */
    __u32 candidate[GUARD_BLOB_WORDS]; /* layers, if Landlock's part began at this word */
    struct guard_filter_content content[GUARD_MOST_CONTENTS];
    __u64 arena[GUARD_ARENA_INSTRUCTIONS]; /* struct sock_filter */
    struct guard_task_row row;             /* being filled in: too large for a stack of the kernel */
};
