// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/* Runs in the kernel once for each thread, each open file and each memory area of all processes: what tells
 * whether an audit would find something else than the last one. bpf(2), BPF_TRACE_ITER */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "base/change_row.h"
#include "base/kernel_types.bpf.h"

/* The helpers that read memory of the kernel are for such programs alone. */
char kLicense[] SEC("license") = "GPL";

struct guard_state_row state; /* being filled in: too large for a stack of the kernel */

enum { PIPES = 0x50495045, SOCKETS = 0x534F434B, ANONYMOUS = 0x09041934, NAMESPACES = 0x6E736673 };
enum { PROCESSES = 0x50494446 };
enum { UNIX = 1, VM_WRITE = 2, VM_EXEC = 4 };
#define INTERNAL_MOUNT ((__u64) - 22) /* MNT_NS_INTERNAL: what the kernel mounted for itself */

static __always_inline struct pid* reader_pid(void) {
    struct task_struct* current = (void*)bpf_get_current_task();
    return BPF_CORE_READ(current, thread_pid);
}

static __always_inline void read_cred(const struct cred* cred) {
    state.cred = (__u64)cred;
    state.groups = (__u64)BPF_CORE_READ(cred, group_info);
    state.users = (__u64)BPF_CORE_READ(cred, user_ns);
    state.ids[0] = BPF_CORE_READ(cred, uid.val);
    state.ids[1] = BPF_CORE_READ(cred, euid.val);
    state.ids[2] = BPF_CORE_READ(cred, suid.val);
    state.ids[3] = BPF_CORE_READ(cred, fsuid.val);
    state.ids[4] = BPF_CORE_READ(cred, gid.val);
    state.ids[5] = BPF_CORE_READ(cred, egid.val);
    state.ids[6] = BPF_CORE_READ(cred, sgid.val);
    state.ids[7] = BPF_CORE_READ(cred, fsgid.val);
    state.caps[0] = capabilities_of(cred, cap_inheritable);
    state.caps[1] = capabilities_of(cred, cap_permitted);
    state.caps[2] = capabilities_of(cred, cap_effective);
    state.caps[3] = capabilities_of(cred, cap_bset);
    state.caps[4] = capabilities_of(cred, cap_ambient);
    state.securebits = BPF_CORE_READ(cred, securebits);
}

static __always_inline void read_namespaces(struct nsproxy* all) {
    state.namespaces[0] = (__u64)BPF_CORE_READ(all, uts_ns);
    state.namespaces[1] = (__u64)BPF_CORE_READ(all, ipc_ns);
    state.namespaces[2] = (__u64)BPF_CORE_READ(all, mnt_ns);
    state.namespaces[3] = (__u64)BPF_CORE_READ(all, pid_ns_for_children);
    state.namespaces[4] = (__u64)BPF_CORE_READ(all, net_ns);
    state.namespaces[5] = (__u64)BPF_CORE_READ(all, time_ns);
    state.namespaces[6] = (__u64)BPF_CORE_READ(all, cgroup_ns);
}

static __always_inline void read_process(struct task_struct* task) {
    struct signal_struct* signal = BPF_CORE_READ(task, signal);
    BPF_CORE_READ_INTO(&state.limits, signal, rlim);
    state.terminal = (__u64)BPF_CORE_READ(signal, tty);
    state.oom_score_adj = BPF_CORE_READ(signal, oom_score_adj);
    struct fs_struct* files = BPF_CORE_READ(task, fs);
    state.umask = (__u32)BPF_CORE_READ(files, umask);
    state.root_mount = (__u64)BPF_CORE_READ(files, root.mnt);
    state.root = (__u64)BPF_CORE_READ(files, root.dentry);
    state.working_mount = (__u64)BPF_CORE_READ(files, pwd.mnt);
    state.program = (__u64)BPF_CORE_READ(task, mm, exe_file);
    BPF_CORE_READ_INTO(&state.name, task, group_leader, comm);
}

static __always_inline void read_scheduling(struct task_struct* task) {
    state.policy = BPF_CORE_READ(task, policy);
    state.priority = BPF_CORE_READ(task, rt_priority);
    state.nice = BPF_CORE_READ(task, static_prio);
    for (__u32 word = 0; word < GUARD_CPU_WORDS; ++word) {
        state.cpus[word] = 0;
        if (word * 8 < bpf_core_field_size(task->cpus_mask))
            bpf_probe_read_kernel(&state.cpus[word], 8, (void*)&task->cpus_mask + word * 8);
    }
}

SEC("iter/task")
int show_state(struct bpf_iter__task* ctx) {
    struct task_struct* task = ctx->task;
    struct pid* reader = reader_pid();
    if (!task) return 0;
    state.tid = number_for(reader, BPF_CORE_READ(task, thread_pid));
    if (state.tid == 0) return 0; /* it has ended and is being taken away */
    state.pid = number_for(reader, BPF_CORE_READ(task, group_leader, thread_pid));
    state.parent = number_for(reader, BPF_CORE_READ(task, real_parent, group_leader, thread_pid));
    state.ended = BPF_CORE_READ(task, exit_state) != 0;
    state.start_ns = BPF_CORE_READ(task, start_boottime) + boottime_offset_of((void*)bpf_get_current_task());
    state.ptrace = BPF_CORE_READ(task, ptrace);
    state.flags = BPF_CORE_READ(task, atomic_flags);
    state.seccomp_mode = BPF_CORE_READ(task, seccomp.mode);
    state.seccomp_filters = BPF_CORE_READ(task, seccomp.filter_count.counter);
    state.seccomp_filter = (__u64)BPF_CORE_READ(task, seccomp.filter);
    state.cgroups = (__u64)BPF_CORE_READ(task, cgroups);
    state.personality = BPF_CORE_READ(task, personality);
    read_cred(BPF_CORE_READ(task, real_cred));
    read_namespaces(BPF_CORE_READ(task, nsproxy));
    state.namespaces[7] = pid_namespace_of(BPF_CORE_READ(task, thread_pid));
    read_process(task);
    read_scheduling(task);
    bpf_seq_write(ctx->meta->seq, &state, sizeof state);
    return 0;
}

static __always_inline __u64 tree_of(struct vfsmount* mount) {
    struct mount* outer = (void*)mount - bpf_core_field_offset(struct mount, mnt);
    return (__u64)BPF_CORE_READ(outer, mnt_ns);
}

static __always_inline int begins(const char* name, const char* word, __u32 size) {
    for (__u32 i = 0; i < size; ++i)
        if (name[i] != word[i]) return 0;
    return 1;
}

/* Of the kernel's own things those that every event loop makes and that lead nowhere are left out. */
static __always_inline int is_harmless(struct file* file) {
    char name[12] = {};
    const unsigned char* text = BPF_CORE_READ(file, f_path.dentry, d_name.name);
    bpf_probe_read_kernel_str(name, sizeof name, text);
    return begins(name, "[event", 6) || begins(name, "[timerfd", 8) || begins(name, "[signalfd", 9) ||
           begins(name, "inotify", 7);
}

/* Of another network, or connected to somebody of another one: by an address, else 0. */
static __always_inline __u64 leads_out(struct file* file, struct net* own) {
    struct socket* socket = BPF_CORE_READ(file, private_data);
    struct sock* sock = BPF_CORE_READ(socket, sk);
    if (!sock) return 0;
    if (BPF_CORE_READ(sock, __sk_common.skc_net.net) != own) return (__u64)sock;
    if (BPF_CORE_READ(sock, __sk_common.skc_family) != UNIX) return 0;
    if (!bpf_core_field_exists(struct unix_sock, peer)) return 0;
    struct sock* peer = BPF_CORE_READ((struct unix_sock*)sock, peer);
    return peer && BPF_CORE_READ(peer, __sk_common.skc_net.net) != own ? (__u64)peer : 0;
}

/* What a file leads to beyond the tree of its process; 0: nothing. */
static __always_inline __u64 beyond(struct file* file, struct task_struct* task) {
    const __u64 tree = tree_of(BPF_CORE_READ(file, f_path.mnt));
    if (tree == (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns)) return 0;
    if (tree != INTERNAL_MOUNT) return (__u64)file;
    switch (BPF_CORE_READ(file, f_inode, i_sb, s_magic)) {
        case SOCKETS: return leads_out(file, BPF_CORE_READ(task, nsproxy, net_ns));
        case ANONYMOUS: return is_harmless(file) ? 0 : (__u64)file;
        case NAMESPACES:
        case PROCESSES: return (__u64)file;
        default: return 0; /* pipes, memory */
    }
}

static __always_inline int tell(struct bpf_iter_meta* meta, struct task_struct* task, __u32 place, __u64 what,
                                struct file* file) {
    struct guard_holding_row row = {};
    row.pid = number_for(reader_pid(), BPF_CORE_READ(task, group_leader, thread_pid));
    row.place = place;
    row.what = what;
    if (file) row.inode = (__u64)BPF_CORE_READ(file, f_inode);
    bpf_seq_write(meta->seq, &row, sizeof row);
    return 0;
}

SEC("iter/task_file")
int show_file(struct bpf_iter__task_file* ctx) {
    struct task_struct* task = ctx->task;
    struct file* file = ctx->file;
    if (!task || !file) return 0;
    const __u64 what = beyond(file, task);
    return what ? tell(ctx->meta, task, ctx->fd, what, file) : 0;
}

/* Memory that is executable and writable too, or of a file that is gone or of another tree. */
SEC("iter/task_vma")
int show_area(struct bpf_iter__task_vma* ctx) {
    struct task_struct* task = ctx->task;
    struct vm_area_struct* area = ctx->vma;
    if (!task || !area) return 0;
    const unsigned long flags = BPF_CORE_READ(area, vm_flags);
    if (!(flags & VM_EXEC)) return 0;
    struct file* file = BPF_CORE_READ(area, vm_file);
    if (flags & VM_WRITE) tell(ctx->meta, task, GUARD_PLACE_MAPPED, VM_WRITE, 0);
    if (!file) return 0;
    const int is_gone = BPF_CORE_READ(file, f_inode, i_nlink) == 0;
    const __u64 tree = tree_of(BPF_CORE_READ(file, f_path.mnt));
    if (!is_gone && tree == (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns)) return 0;
    return tell(ctx->meta, task, GUARD_PLACE_MAPPED, is_gone, file);
}
