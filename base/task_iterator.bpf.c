// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Runs in the kernel once for each thread that the iterator comes by, under RCU, while the thread runs on. It
 * reads what /proc does not show: securebits, the bytes of each filter, Landlock. bpf(2), BPF_TRACE_ITER */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "base/kernel_types.bpf.h"
#include "base/task_row.h"

enum { PFA_NO_NEW_PRIVS = 0 }; /* include/linux/sched.h */

/* The helpers that read memory of the kernel are for such programs alone. */
char kLicense[] SEC("license") = "GPL";

struct guard_task_table table;

/* A filter by its address. Addresses are used again, but not while a task holds the filter: within one
 * reading two filters can be taken for one only where the last task that held the first has ended meanwhile.
 */
struct filter_key {
    __u64 filter, program, instructions;
    __u64 length;
};
struct seen_filter {
    __u32 generation, number;
};
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1024);
    __type(key, struct filter_key);
    __type(value, struct seen_filter);
} seen SEC(".maps");

/* Copies the instructions of a filter that was not met before; its number. Static: what others could call needs
 * type information of its own in the kernel, which a kept program has not. */
static __noinline int add_content(struct filter_key* key) {
    __u64 length = key->length;
    __u32 first = table.used, slot = table.contents;
    if (length == 0 || length > GUARD_MOST_INSTRUCTIONS) return (int)GUARD_CONTENT_UNREAD;
    if (first > GUARD_ARENA_INSTRUCTIONS - GUARD_MOST_INSTRUCTIONS) return (int)GUARD_CONTENT_LATER;
    if (slot >= GUARD_MOST_CONTENTS) return (int)GUARD_CONTENT_LATER;
    if (bpf_probe_read_kernel(&table.arena[first], length * 8, (const void*)key->instructions))
        return (int)GUARD_CONTENT_UNREAD;
    struct seen_filter one = {table.generation, table.numbers};
    table.content[slot].number = one.number;
    table.content[slot].first = first;
    table.content[slot].length = length;
    table.contents = slot + 1;
    table.used = first + length;
    table.numbers = one.number + 1;
    struct filter_key met = *key; /* before 6.2 a map takes no key but from the stack */
    bpf_map_update_elem(&seen, &met, &one, BPF_ANY);
    return (int)one.number;
}

static __always_inline __u32 content_of(struct seccomp_filter* filter) {
    struct bpf_prog* program = BPF_CORE_READ(filter, prog);
    struct sock_fprog_kern* original = BPF_CORE_READ(program, orig_prog);
    struct filter_key key = {};
    key.filter = (__u64)filter;
    key.program = (__u64)program;
    key.instructions = (__u64)BPF_CORE_READ(original, filter);
    key.length = BPF_CORE_READ(original, len);
    const struct seen_filter* met = bpf_map_lookup_elem(&seen, &key);
    if (met && met->generation == table.generation) return met->number;
    return (__u32)add_content(&key);
}

/* Of more filters than are read the oldest count: those that were there from the launch, and whatever came
 * later only tightens. */
static __always_inline void read_filters(struct guard_task_row* row, struct task_struct* task) {
    struct seccomp_filter* const newest = BPF_CORE_READ(task, seccomp.filter);
    struct seccomp_filter* filter = newest;
    __u32 skipped = row->seccomp_filters > GUARD_MOST_FILTERS ? row->seccomp_filters - GUARD_MOST_FILTERS : 0;
    for (__u32 i = 0; i < GUARD_MOST_SKIPPED && i < skipped && filter; ++i)
        filter = BPF_CORE_READ(filter, prev);
    for (__u32 i = 0; i < GUARD_MOST_FILTERS && filter; ++i) {
        row->content[i] = content_of(filter);
        row->contents = i + 1;
        filter = BPF_CORE_READ(filter, prev);
    }
    /* A thread lets go of its filters when it ends, and only then: while it still has them, they were not
     * freed. And where the walk did not come to its end, those are not the oldest. */
    if (filter || BPF_CORE_READ(task, seccomp.filter) != newest) row->contents = 0;
}

/* Landlock layers of the cred whose part for Landlock is here. */
static __always_inline __u32 layers_at(void* part) {
    struct landlock_cred_security* own = part;
    struct landlock_ruleset* domain = NULL;
    __u32 layers = 0;
    if (!bpf_core_field_exists(struct landlock_ruleset, num_layers)) return GUARD_LAYERS_UNREAD;
    if (BPF_CORE_READ_INTO(&domain, own, domain)) return GUARD_LAYERS_UNREAD;
    if (domain && BPF_CORE_READ_INTO(&layers, domain, num_layers)) return GUARD_LAYERS_UNREAD;
    return layers;
}

static __always_inline void read_cred(struct guard_task_row* row, struct task_struct* task) {
    const struct cred* cred = BPF_CORE_READ(task, real_cred);
    row->securebits = BPF_CORE_READ(cred, securebits);
    row->cap_inheritable = capabilities_of(cred, cap_inheritable);
    row->cap_permitted = capabilities_of(cred, cap_permitted);
    row->cap_effective = capabilities_of(cred, cap_effective);
    row->cap_bounding = capabilities_of(cred, cap_bset);
    row->cap_ambient = capabilities_of(cred, cap_ambient);
    row->landlock_layers = table.landlock_offset < 0
                               ? GUARD_LAYERS_UNREAD
                               : layers_at(BPF_CORE_READ(cred, security) + table.landlock_offset);
}

/* Where Landlock keeps its part of a cred is not told to anyone: what each place would mean for the reader
 * itself. */
static __always_inline void probe(struct task_struct* reader) {
    void* blob = BPF_CORE_READ(reader, real_cred, security);
    for (__u32 i = 0; i < GUARD_BLOB_WORDS; ++i) table.candidate[i] = layers_at(blob + i * sizeof(void*));
}

SEC("iter/task")
int show_task(struct bpf_iter__task* ctx) {
    struct task_struct* task = ctx->task;
    struct task_struct* current = (void*)bpf_get_current_task();
    struct pid* reader = BPF_CORE_READ(current, thread_pid);
    struct guard_task_row* row = &table.row;
    if (!task) return 0;
    if (table.probing) {
        if (task == current) probe(current);
        return 0;
    }
    row->tid = number_for(reader, BPF_CORE_READ(task, thread_pid));
    if (row->tid == 0) return 0; /* it has ended and is being taken away */
    row->pid = number_for(reader, BPF_CORE_READ(task, group_leader, thread_pid));
    row->start_ns = BPF_CORE_READ(task, start_boottime) + boottime_offset_of(current);
    row->exit_state = BPF_CORE_READ(task, exit_state);
    row->ptrace = BPF_CORE_READ(task, ptrace);
    row->tracer = row->ptrace ? number_for(reader, BPF_CORE_READ(task, parent, thread_pid)) : 0;
    row->no_new_privs = BPF_CORE_READ(task, atomic_flags) >> PFA_NO_NEW_PRIVS & 1;
    row->seccomp_mode = BPF_CORE_READ(task, seccomp.mode);
    row->seccomp_filters = BPF_CORE_READ(task, seccomp.filter_count.counter);
    row->contents = 0;
    read_cred(row, task);
    read_filters(row, task);
    bpf_seq_write(ctx->meta->seq, row, sizeof *row);
    return 0;
}
