"""Read uploaded files in a process of its own, with limits of memory and time."""
