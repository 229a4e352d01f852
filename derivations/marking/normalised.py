"""The error before a normalisation as people write it: `dl = (dy - mean(dy) - y*mean(dy*y))/s`, with `y = m/s`."""

from collections.abc import Iterator

from derivations.expression import Add, Adjoint, Div, Expr, Name, Neg, Reduce, names, product, total
from derivations.marking.course import Course


def as_people_write(course: Course, quantity: Expr) -> Iterator[Expr]:
    """That form, where the quantity is the error of what is normalised, and the normalised value has a name."""
    if not isinstance(quantity, Adjoint) or quantity.part or quantity.of not in course.derivation.adjoint_of:
        return
    for equation in course.cell.equations:
        match equation.rhs:
            case Div(Name(centred), Name(deviation)) if _centres(course, centred, quantity.of):
                y, error = Name(equation.target), Adjoint(equation.target)
                inner = Add(
                    (error, Neg(Reduce("mean", (error,))), Neg(product(y, Reduce("mean", (product(error, y),)))))
                )
                yield total(*_other_paths(course, quantity.of, centred), Div(inner, Name(deviation)))


def _centres(course: Course, centred: str, of: str) -> bool:
    """Whether a name is another without its mean."""
    match course.cell.equation(centred).rhs if centred in course.cell.defined else None:
        case Add((Name(id_), Neg(Name(mean)))) if id_ == of:
            return of in names(course.cell.equation(mean).rhs)
    return False


def _other_paths(course: Course, of: str, centred: str) -> list[Expr]:
    """The terms of an error that do not come through the normalisation."""
    inner = {centred, *(n for n in names(course.cell.equation(centred).rhs) if n != of)}
    return [term.expr for term in course.derivation.adjoint_of[of].terms if term.via not in inner]
