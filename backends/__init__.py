"""What a machine runs: evaluators of a derivation, and the checks that hold it against others."""
