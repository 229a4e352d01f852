"""Ratios of polynomials with exact coefficients, in which two expressions are shown to be equal.

The indeterminates are the entries of named values and applications of functions. Equal applications are one
indeterminate, and what every reader takes for granted about a function is built in:
sigmoid(-a) = 1 - sigmoid(a), tanh(-a) = -tanh(a), exp(a + b) = exp(a) exp(b), log(exp(a)) = a,
sqrt(a)^2 = a. Two ratios are equal when cross-multiplying gives one polynomial; that is a proof, since
nothing is rounded and nothing is sampled.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction

from derivations.expression import ONE, ZERO, Call, Expr, Num, evaluate
from derivations.functions import FUNCTIONS, X1, X2, X3, X
from derivations.matrices import MatrixArithmetic

Indeterminate = str
Monomial = tuple[tuple[Indeterminate, int], ...]
Coefficient = int | Fraction
Polynomial = dict[Monomial, Coefficient]

MOST_TERMS = 20_000
MOST_BITS = 20_000
MOST_WORK = 250_000
PARTS = 12  # into which an exponent is cut


class TooLarge(ArithmeticError):
    """A polynomial, or all that was done with polynomials, outgrew the time that a proof may take."""


_ONE: Polynomial = {(): 1}


@dataclass
class _Work:
    """What a proof may still do, in names of monomials looked at: a clock that runs alike on every machine."""

    left: int


_WORK: ContextVar[_Work | None] = ContextVar("_WORK", default=None)


@contextmanager
def limited(work: int = MOST_WORK) -> Iterator[None]:
    """A block in which polynomials raise `TooLarge` once they have done so much; each block has its own measure."""
    token = _WORK.set(_Work(work))
    try:
        yield
    finally:
        _WORK.reset(token)


def _spend(work: int) -> None:
    allowed = _WORK.get()
    if allowed is not None:
        allowed.left -= work
        if allowed.left < 0:
            raise TooLarge


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    if a is _ONE or b is _ONE:
        return b if a is _ONE else a
    if len(a) * len(b) > MOST_TERMS:
        raise TooLarge
    _spend(len(a) * len(b) * (2 + _width(a) + _width(b)))
    result: Polynomial = {}
    for m, x in a.items():
        for n, y in b.items():
            key = _joined(m, n) if m and n else m or n
            value = result.get(key, 0) + x * y
            if value:
                result[key] = value
            else:
                del result[key]
    if len(result) == 1 and max(map(_bits, result.values())) > MOST_BITS:
        raise TooLarge  # ((2 x)**8)**8 and so on: one term, and a number as long as memory
    return result


def _width(polynomial: Polynomial) -> int:
    """How many names a monomial has: those of the first one, which stand for all."""
    return len(next(iter(polynomial), ()))


def _bits(value: Coefficient) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _joined(m: Monomial, n: Monomial) -> Monomial:
    powers = dict(m)
    for name, power in n:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    _spend(len(a) // 8 + 2 * len(b))
    result = dict(a)
    for m, x in b.items():
        value = result.get(m, 0) + x
        if value:
            result[m] = value
        else:
            del result[m]
    return result


class Ratio:
    """above / below. A monomial may carry negative powers, so dividing by a monomial leaves `below` alone."""

    __slots__ = ("above", "below")

    def __init__(self, above: Polynomial, below: Polynomial = _ONE) -> None:
        self.above, self.below = above, below

    def __add__(self, other: "Ratio") -> "Ratio":
        if self.below is other.below or self.below == other.below:
            return Ratio(_plus(self.above, other.above), self.below)
        return Ratio(
            _plus(_times(self.above, other.below), _times(other.above, self.below)),
            _times(self.below, other.below),
        )

    def __neg__(self) -> "Ratio":
        return Ratio({m: -x for m, x in self.above.items()}, self.below)

    def __sub__(self, other: "Ratio") -> "Ratio":
        return self + -other

    def __mul__(self, other: "Ratio") -> "Ratio":
        if self.below is other.below is _ONE:
            return Ratio(_times(self.above, other.above))
        if self.above == other.below:
            return Ratio(other.above, self.below)
        return Ratio(_times(self.above, other.above), _times(self.below, other.below))

    def __truediv__(self, other: "Ratio") -> "Ratio":
        if not other.above:
            raise ZeroDivisionError("division by zero")
        if len(other.above) == 1:
            ((m, x),) = other.above.items()
            inverse: Polynomial = {tuple((name, -power) for name, power in m): _exact(1 / Fraction(x))}
            return Ratio(_times(_times(self.above, inverse), other.below), self.below)
        return self * Ratio(other.below, other.above)

    def to_the(self, exponent: int) -> "Ratio":
        """The ratio to a power, by squaring."""
        if exponent < 0:
            return constant(Fraction(1)) / self.to_the(-exponent)
        result, square = Ratio(_ONE), self
        while exponent:
            if exponent % 2:
                result = result * square
            exponent //= 2
            if exponent:
                square = square * square
        return result

    def is_zero(self) -> bool:
        return not self.above

    def equals(self, other: "Ratio") -> bool:
        return (self - other).is_zero()


def constant(value: Fraction) -> Ratio:
    return Ratio({(): _exact(value)} if value else {})


def _exact(value: Fraction) -> Coefficient:
    """Whole numbers as int, in which Python calculates several times faster."""
    return value.numerator if value.denominator == 1 else value


def indeterminate(name: Indeterminate) -> Ratio:
    return Ratio({((name, 1),): 1})


def written(ratio: Ratio) -> str:
    """A text that equal polynomials share."""

    def polynomial(p: Polynomial) -> str:
        return "+".join(f"{x}" + "".join(f"*{name}^{power}" for name, power in m) for m, x in sorted(p.items()))

    above = polynomial(ratio.above)
    return above if ratio.below == _ONE else f"({above})/({polynomial(ratio.below)})"


class Algebra(MatrixArithmetic[Ratio]):
    """Expressions as matrices of ratios. Ratios of one algebra may be compared, those of two may not.

    Attributes:
        applications: what each indeterminate that is an application of a function is of.
    """

    def __init__(self) -> None:
        self.applications: dict[Indeterminate, tuple[str, tuple[Ratio, ...]]] = {}
        self._known: dict[str, Indeterminate] = {}

    def scalar(self, value: Fraction) -> Ratio:
        return constant(value)

    def equal(self, a: Ratio, b: Ratio) -> bool:
        """Whether two ratios are equal, where the square of a square root is its argument."""
        difference = a - b
        return difference.is_zero() or self._without_squared_roots(difference.above).is_zero()

    def apply(self, function: str, args: tuple[Ratio, ...]) -> Ratio:
        if function == "exp":
            return self._exponential(args[0])
        if function == "log":
            return self._logarithm(args[0])
        if function in ("sigmoid", "tanh") and self._found(function, args) is None:
            mirror = self._found(function, (-args[0],))
            if mirror is not None:
                value = indeterminate(mirror)
                return constant(Fraction(1)) - value if function == "sigmoid" else -value
        return self._application(function, args)

    def _application(self, function: str, args: tuple[Ratio, ...]) -> Ratio:
        """The indeterminate that stands for a function of these arguments and of all equal ones."""
        name = self._found(function, args)
        if name is None:
            name = f"{function}#{len(self.applications)}"
            self.applications[name] = (function, args)
            self._known[_key(function, args)] = name
        return indeterminate(name)

    def _found(self, function: str, args: tuple[Ratio, ...]) -> Indeterminate | None:
        key = _key(function, args)
        if key not in self._known:  # one polynomial has one text, but one ratio has many
            for name, (other, known) in self.applications.items():
                if other == function and all(map(_equal_ratios, args, known)):
                    self._known[key] = name
        return self._known.get(key)

    def _exponential(self, arg: Ratio) -> Ratio:
        """exp(2 a - b) as exp(a)^2 / exp(b), so that exponents add up.

        The indeterminates are exp(a/12) and the like: exp(a), exp(a/2) and exp(a/3) are powers of one.
        """
        if arg.below != _ONE:
            return self._power_of_exponential(arg)
        result = Ratio(_ONE)
        for monomial, coefficient in arg.above.items():
            logarithm = self.applications.get(monomial[0][0]) if len(monomial) == 1 else None
            if logarithm and logarithm[0] == "log" and monomial[0][1] == coefficient.denominator == 1:
                factor = logarithm[1][0].to_the(coefficient.numerator)  # exp(log(a)) is a
            elif PARTS % coefficient.denominator:
                factor = self._application("exp", (Ratio({monomial: coefficient}),))
            else:
                unit = self._application("exp", (Ratio({monomial: Fraction(1, PARTS)}),))
                factor = unit.to_the(int(coefficient * PARTS))
            result = result * factor
        return result

    def _power_of_exponential(self, arg: Ratio) -> Ratio:
        """exp(a) as a power of an exponential that is known, if its argument is a multiple of that one's."""
        for name, (function, known) in self.applications.items():
            times = _multiple(arg, known[0]) if function == "exp" else None
            if times is not None and times.denominator == 1:
                return indeterminate(name).to_the(times.numerator)
        return self._application("exp", (arg / constant(Fraction(PARTS)),)).to_the(PARTS)

    def _logarithm(self, arg: Ratio) -> Ratio:
        """log(exp(a) (1 + b)) as a + log(1 + b), and log(1/a) as -log(a)."""
        (above, outside), (below, under) = map(self._without_exponentials, (arg.above, arg.below))
        result, rest = outside - under, Ratio(above) / Ratio(below)
        if rest.equals(Ratio(_ONE)):
            return result
        mirror = self._found("log", (Ratio(_ONE) / rest,)) if above else None
        return result - indeterminate(mirror) if mirror else result + self._application("log", (rest,))

    def _without_exponentials(self, polynomial: Polynomial) -> tuple[Polynomial, Ratio]:
        """The polynomial divided by the exponential that all of its terms share, and the exponent of that."""
        shared: dict[Indeterminate, int] = {}
        for name in dict.fromkeys(name for monomial in polynomial for name, _ in monomial):
            if name in self.applications and self.applications[name][0] == "exp":
                shared[name] = min(dict(monomial).get(name, 0) for monomial in polynomial)
        exponent = Ratio({})
        for name, power in shared.items():
            exponent = exponent + self.applications[name][1][0] * constant(Fraction(power))
        inverse = tuple((name, -power) for name, power in shared.items())
        return {_joined(monomial, inverse): x for monomial, x in polynomial.items()}, exponent

    def _without_squared_roots(self, polynomial: Polynomial) -> Ratio:
        result = Ratio({})
        for monomial, x in polynomial.items():
            factors = Ratio({(): x})
            for name, power in monomial:
                function, args = self.applications.get(name, ("", ()))
                if function == "sqrt":
                    factors = factors * args[0].to_the(power // 2)
                    power %= 2
                factors = factors * indeterminate(name).to_the(power)
            result = result + factors
        return result


def _key(function: str, args: tuple[Ratio, ...]) -> str:
    return f"{function}({','.join(map(written, args))})"


def _equal_ratios(a: Ratio, b: Ratio) -> bool:
    if a.below is b.below is _ONE:
        return a.above == b.above
    return a.equals(b)


def _multiple(a: Ratio, b: Ratio) -> Fraction | None:
    """The number by which `b` is multiplied in `a`, if it is a number."""
    if not b.above:
        return None
    quotient = a / b
    monomial, x = next(iter(quotient.below.items()))
    times = Fraction(quotient.above.get(monomial, 0)) / x
    return times if quotient.equals(constant(times)) else None


def _relu(arg: Expr) -> Expr:
    return Call("relu", (arg,))


_WITH_RELU: Mapping[str, Expr] = {
    "max": X2 + _relu(X1 - X2),
    "min": X1 - _relu(X1 - X2),
    "abs": 2 * _relu(X) - X,
    "hard_sigmoid": Call("clip", (X / 6 + Num(Fraction(1, 2)), ZERO, ONE)),
    "clip": Call("min", (Call("max", (X1, X2)), X3)),
    "logsigmoid": -Call("softplus", (-X,)),
}


class Spelled(Algebra):
    """Functions spelled out in exp, log, sqrt and relu, in which tanh(a) is seen to be 2 sigmoid(2 a) - 1."""

    def apply(self, function: str, args: tuple[Ratio, ...]) -> Ratio:
        row = FUNCTIONS[function]
        spelled = _WITH_RELU.get(function, row.value)
        if spelled is not None:
            values = {name.id: [[arg]] for name, arg in zip(row.args, args, strict=True)}
            return evaluate(spelled, values, self)[0][0]
        if function == "relu":
            return self._rectified(args[0])
        return super().apply(function, args)

    def _rectified(self, arg: Ratio) -> Ratio:
        """relu(2 a) as 2 relu(a), and relu(-a) as relu(a) - a."""
        if arg.below == _ONE and arg.above.keys() <= {()}:
            return constant(max(Fraction(arg.above.get((), 0)), Fraction(0)))
        size = abs(Fraction(arg.above[min(arg.above)]))
        unit = arg / constant(size)
        mirror = self._found("relu", (-unit,))
        value = indeterminate(mirror) + unit if mirror else self._application("relu", (unit,))
        return value * constant(size)
