// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
#pragma once
/* What BPF programs read of the kernel: members by name. Where they are is looked up in the kernel's BTF when
 * a program is loaded. To be included after bpf/bpf_core_read.h and what that needs. */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct seq_file;
struct net;
struct mnt_namespace;
struct pid_namespace;
struct uts_namespace;
struct ipc_namespace;
struct cgroup_namespace;
struct user_namespace;
struct bpf_iter_meta {
    struct seq_file* seq;
};
struct upid {
    int nr;
    struct pid_namespace* ns;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
typedef struct {
    __u64 val;
} kernel_cap_t; /* 8 bytes, an array of two numbers before 6.3: read as a whole, by capabilities_of */
struct kernel_id {
    __u32 val;
};
struct cred {
    struct kernel_id uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
    unsigned int securebits;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
    void* security;
    struct user_namespace* user_ns;
    struct group_info* group_info;
};
struct sock_fprog_kern {
    __u16 len;
    void* filter;
};
struct bpf_prog {
    struct sock_fprog_kern* orig_prog;
};
struct seccomp_filter {
    struct seccomp_filter* prev;
    struct bpf_prog* prog;
};
typedef struct {
    int counter;
} atomic_t;
struct seccomp {
    int mode;
    atomic_t filter_count;
    struct seccomp_filter* filter;
};
struct landlock_ruleset {
    __u32 num_layers;
};
struct landlock_cred_security {
    struct landlock_ruleset* domain;
};
struct timespec64 {
    long long tv_sec;
    long tv_nsec;
};
struct timens_offsets {
    struct timespec64 boottime;
};
struct time_namespace {
    struct timens_offsets offsets;
};
struct nsproxy {
    struct uts_namespace* uts_ns;
    struct ipc_namespace* ipc_ns;
    struct mnt_namespace* mnt_ns;
    struct pid_namespace* pid_ns_for_children;
    struct net* net_ns;
    struct time_namespace* time_ns;
    struct cgroup_namespace* cgroup_ns;
};
struct super_block {
    unsigned long s_magic;
};
struct inode {
    struct super_block* i_sb;
    unsigned long i_ino;
    unsigned int i_nlink;
};
struct vfsmount {
    struct super_block* mnt_sb;
};
struct mount {
    struct vfsmount mnt;
    struct mnt_namespace* mnt_ns;
};
struct qstr {
    const unsigned char* name;
};
struct dentry {
    struct qstr d_name;
};
struct path {
    struct vfsmount* mnt;
    struct dentry* dentry;
};
struct file {
    struct path f_path;
    struct inode* f_inode;
    void* private_data;
};
typedef struct {
    struct net* net;
} possible_net_t;
struct sock_common {
    unsigned short skc_family;
    possible_net_t skc_net;
};
struct sock {
    struct sock_common __sk_common;
};
struct unix_sock {
    struct sock* peer;
};
struct socket {
    struct sock* sk;
};
struct vm_area_struct {
    unsigned long vm_flags;
    struct file* vm_file;
};
struct mm_struct {
    struct file* exe_file;
    unsigned long arg_start;
};
struct fs_struct {
    int umask;
    struct path root, pwd;
};
struct rlimit {
    unsigned long rlim_cur, rlim_max;
};
struct signal_struct {
    void* tty;
    struct rlimit rlim[16];
    short oom_score_adj;
};
struct cpumask {
    unsigned long bits[1];
};
struct task_struct {
    unsigned int ptrace;
    int exit_state;
    unsigned long atomic_flags;
    struct task_struct *parent, *real_parent, *group_leader;
    struct pid* thread_pid;
    __u64 start_boottime;
    const struct cred* real_cred;
    struct seccomp seccomp;
    struct nsproxy* nsproxy;
    struct css_set* cgroups;
    struct signal_struct* signal;
    struct mm_struct* mm;
    struct fs_struct* fs;
    unsigned int policy, rt_priority, personality;
    int static_prio;
    struct cpumask cpus_mask;
    char comm[16];
};
struct bpf_iter__task {
    struct bpf_iter_meta* meta;
    struct task_struct* task;
};
struct bpf_iter__task_file {
    struct bpf_iter_meta* meta;
    struct task_struct* task;
    __u32 fd;
    struct file* file;
};
struct bpf_iter__task_vma {
    struct bpf_iter_meta* meta;
    struct task_struct* task;
    struct vm_area_struct* vma;
};
#pragma clang attribute pop

/* One set of a cred's, by the name of its member. */
#define capabilities_of(cred, set)                       \
    ({                                                   \
        __u64 set_ = 0;                                  \
        bpf_core_read(&set_, sizeof set_, &(cred)->set); \
        set_;                                            \
    })

/* The number that a process has in the PID namespace of `reader`; 0 where it has none. */
static __always_inline __u32 number_for(struct pid* reader, struct pid* pid) {
    const __u32 level = BPF_CORE_READ(reader, level);
    if (!pid || BPF_CORE_READ(pid, level) < level) return 0;
    const __u64 offset = (__u64)level * bpf_core_type_size(struct upid);
    struct upid* own = (void*)&reader->numbers[0] + offset;
    struct upid* shown = (void*)&pid->numbers[0] + offset;
    return BPF_CORE_READ(own, ns) == BPF_CORE_READ(shown, ns) ? BPF_CORE_READ(shown, nr) : 0;
}

/* What the clock since boot is ahead for the reader, nanoseconds: /proc shows it so. time_namespaces(7) */
static __always_inline __u64 boottime_offset_of(struct task_struct* reader) {
    if (!bpf_core_field_exists(struct time_namespace, offsets)) return 0;
    struct time_namespace* own = BPF_CORE_READ(reader, nsproxy, time_ns);
    return (__u64)BPF_CORE_READ(own, offsets.boottime.tv_sec) * 1000000000 +
           (__u64)BPF_CORE_READ(own, offsets.boottime.tv_nsec);
}

/* The PID namespace that a process is in, by an address. */
static __always_inline __u64 pid_namespace_of(struct pid* pid) {
    const __u64 offset = (__u64)BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
    struct upid* own = (void*)&pid->numbers[0] + offset;
    return (__u64)BPF_CORE_READ(own, ns);
}
