"""Speed and size beside COLMAP, asmk and the limits of the machine."""
