"""Other machines: which may be asked, at which addresses, and how."""
