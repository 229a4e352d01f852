"""The explorer: one self-contained page, made from the same derivation and the same emitted code as everything else."""
