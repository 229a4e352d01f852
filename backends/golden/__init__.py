"""Golden numbers in files, and someone else's numbers held against the equations."""
