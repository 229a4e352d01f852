"""Evaluation modulo a 61-bit prime: a quick way to see that two expressions differ.

A function is a table of random values that keeps sigmoid(-a) = 1 - sigmoid(a), tanh(-a) = -tanh(a) and
exp(-a) = 1/exp(a). Two ratios of polynomials of degree d that differ agree at a random point with a
probability of at most d / 2^61 (Schwartz 1980, Zippel 1979).
"""

from fractions import Fraction
from hashlib import blake2b

from derivations.matrices import Matrix, MatrixArithmetic

PRIME = 2**61 - 1


class Residue:
    """An integer modulo PRIME."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value % PRIME

    def __add__(self, other: "Residue") -> "Residue":
        return Residue(self.value + other.value)

    def __sub__(self, other: "Residue") -> "Residue":
        return Residue(self.value - other.value)

    def __neg__(self) -> "Residue":
        return Residue(-self.value)

    def __mul__(self, other: "Residue") -> "Residue":
        return Residue(self.value * other.value)

    def __truediv__(self, other: "Residue") -> "Residue":
        if not other.value:
            raise ZeroDivisionError("division by zero modulo a prime")
        return Residue(self.value * pow(other.value, -1, PRIME))

    def equals(self, other: "Residue") -> bool:
        return self.value == other.value


class Residues(MatrixArithmetic[Residue]):
    """One random point: every name has a residue, drawn from the seed and the name alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def scalar(self, value: Fraction) -> Residue:
        return Residue(value.numerator) / Residue(value.denominator)

    def drawn(self, name: str) -> Residue:
        digest = blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        return Residue(int.from_bytes(digest, "big"))

    def apply(self, function: str, args: tuple[Residue, ...]) -> Residue:
        if function in ("sigmoid", "tanh", "exp") and args[0].value > PRIME // 2:
            mirror, one = self.apply(function, (-args[0],)), Residue(1)
            if function == "exp":
                return one / mirror
            return one - mirror if function == "sigmoid" else -mirror
        return self.drawn(f"{function}({','.join(str(arg.value) for arg in args)})")

    def logsumexp(self, a: Matrix[Residue]) -> Matrix[Residue]:
        """A value of its own: modulo one prime exp cannot turn sums into products, so log(sum(exp)) fails."""
        return [[self.drawn(f"logsumexp({','.join(str(x.value) for row in a for x in row)})")]]
