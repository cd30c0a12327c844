"""The machine: child processes, threads, memory, files, locks."""
