int guard_workload(void) { return 1; }
