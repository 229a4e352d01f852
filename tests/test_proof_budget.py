"""A proof has a measure of work instead of a clock: what outgrows it is said not to be proved, on every machine alike."""

import time

import pytest

from derivations import algebra, by_sympy, equality
from derivations.algebra import MOST_WORK, Ratio, TooLarge, constant, indeterminate, limited
from derivations.catalogue import cell_names, read_cell
from derivations.derive import Derivation, Rule, Step, derive
from derivations.equality import Status
from derivations.language import read
from derivations.prove import prove


def factors(count: int, power: int = 1) -> str:
    return "*".join(f"(x*a{k} + b{k})**{power}" for k in range(count)) + "*(h_prev + c)"


# Each keeps below every other limit of the language and of the polynomials.
NASTY = {
    "a product": f"h = {factors(12)}",
    "a product of squares": f"h = {factors(6, 2)}",
    "a tower": "h = ((((a*x + b)*(c*x + d))**8*(e*x + f))**8*(p*x + k))**8*h_prev",
    "a power of a sum": "h = (x + h_prev + a + b + c + d + e + f)**8",
    "squares of squares": "h = (((((x + h_prev)**2 + a)**2 + b)**2 + c)**2 + d)**2",
    "fractions": "h = " + " + ".join(f"x/(a{k} + h_prev)" for k in range(8)),
    "a continued fraction": "h = 1/(1 + 1/(x + 1/(h_prev + 1/(a + 1/(b + 1/(c + x))))))*(x + h_prev + a + b + c)**6",
}


def derivation_of(name: str) -> Derivation:
    return derive(read(f"cell nasty\ninput x\nstate h\n{NASTY[name]}\n"))


def by_x(derivation: Derivation) -> list[Step]:
    """The steps of x, on which most of the equation hangs."""
    return [step for step in derivation.steps if step.wrt == "x" and step.rule is not Rule.DEFINITION]


@pytest.fixture
def measured(monkeypatch):
    """What each block of limited work has spent."""
    spent: list[int] = []
    plain = algebra.limited

    def counting(work: int = MOST_WORK):
        spent.append(0)
        return plain(work)

    spend = algebra._spend

    def counted(work: int) -> None:
        if spent:
            spent[-1] += work
        spend(work)

    by_sympy._proved_once.cache_clear()
    monkeypatch.setattr(algebra, "_spend", counted)
    for module in (equality, by_sympy):
        monkeypatch.setattr(module, "limited", counting)
    yield spent
    by_sympy._proved_once.cache_clear()


@pytest.mark.parametrize("name", NASTY)
def test_no_proof_works_longer_than_it_may(name, measured):
    for step in by_x(derivation_of(name)):
        assert prove(step, derivation_of(name)).status is not Status.REFUTED
    assert measured
    assert max(measured) <= MOST_WORK + 20_000 * 100  # the last product is refused before it is made


def test_what_outgrows_the_budget_agrees_and_is_not_proved(measured):
    derivation = derivation_of("a product")
    assert {prove(step, derivation).status for step in by_x(derivation)} == {Status.AGREES}
    assert max(measured) > MOST_WORK


def test_the_shipped_cells_use_a_hundredth_of_it(measured):
    for name in cell_names():
        derivation = derive(read_cell(name))
        assert all(prove(step, derivation) for step in derivation.steps)
    assert 0 < max(measured) < MOST_WORK / 100


def test_a_block_of_work_ends_where_its_measure_does():
    total = indeterminate("x") + constant(1)
    with pytest.raises(TooLarge), limited(1_000):
        grown(total)
    with limited(1_000):
        total * total  # each block has a measure of its own
        with limited(100_000_000):
            assert len(grown(total).above) == 65
    assert len(grown(total).above) == 65  # no block, no measure


def grown(ratio: Ratio) -> Ratio:
    return ratio.to_the(8).to_the(8)


@pytest.mark.benchmark
def test_no_step_takes_longer_than_a_second(capsys):
    """Of processor time; the best of two, since a busy machine is slower."""
    worst = (0.0, "")
    for name in NASTY:
        derivation = derivation_of(name)
        for step in by_x(derivation):
            times = []
            for _ in range(2):
                by_sympy._proved_once.cache_clear()
                started = time.process_time()
                prove(step, derivation)
                times.append(time.process_time() - started)
                if times[-1] < 0.5:
                    break
            worst = max(worst, (min(times), f"{name}, {step.rule.value}"))
    with capsys.disabled():
        print(f"\nthe longest proof of a step: {worst[0]:.2f} s of processor time ({worst[1]})")
    assert worst[0] < 1
