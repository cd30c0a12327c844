"""What the commands share: flags, data sets, features kept in a cache, timing, tables, processes, pictures."""
