"""What draws the members of each family, a module a kind."""
