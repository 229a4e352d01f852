"""Hand derivations: read as they are written, understood, and marked line by line."""
