"""What the commands share: parsing, progress, exit codes, upkeep, dry run, export, proof pictures."""
