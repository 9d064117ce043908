"""Power cuts, simulated from a trace of system calls."""
