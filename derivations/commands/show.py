"""`derive show`: the derivation of a cell."""

import json
from typing import Annotated, Any

import typer

from derivations.__main__ import WRONG
from derivations.commands._options import (
    Adjoints,
    CellArgument,
    ForceOption,
    Format,
    FormatOption,
    FragmentOption,
    NotationOption,
    OutOption,
    RenameOption,
    WidthOption,
)
from derivations.commands._saying import Made, as_json, cell_from, in_ascii, note, width_of, write, written


def command(
    cell: CellArgument,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="definition, partial, adjoint or recurrence; repeatable."),
    ] = None,
    vector: Annotated[
        bool, typer.Option("--vector", help="The vector view: W @ v, transposes, outer products.")
    ] = False,
    closed: Annotated[
        list[str] | None,
        typer.Option("--closed", metavar="NAME", help="The closed form of a quantity within one step; repeatable."),
    ] = None,
    unroll: Annotated[
        int | None,
        typer.Option("--unroll", min=1, max=64, help="The equations of T steps, forward and backward."),
    ] = None,
    jacobian: Annotated[
        bool, typer.Option("--jacobian", help="The state-to-state Jacobian, and its product over time.")
    ] = False,
    prove: Annotated[bool, typer.Option("--prove/--no-prove", help="Prove every step again.")] = True,
    rename: RenameOption = None,
    notation: NotationOption = Adjoints.leibniz,
    fragment: FragmentOption = False,
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """The derivation of a cell: forward equations, local partials, adjoints, recurrences over time."""
    from derivations.derive import derive
    from derivations.formats import load

    refuted = False
    found = cell_from(cell, rename)
    derivation = derive(found)
    proofs: dict[int, str] = {}
    facts: list[dict[str, str]] = []
    if closed or unroll or jacobian:
        from derivations.reports import forms

        def make_form(chosen: Format) -> Made:
            shown = forms.forms(derivation, closed=tuple(closed or ()), unroll=unroll, jacobian=jacobian, vector=vector)
            if chosen is Format.json:
                return as_json(forms.record(shown))
            document = forms.document(shown, adjoint=notation.value)
            return written(document, chosen, fragment=fragment, width=width_of(width, out))

        write(make_form, format_, out, force)
        return
    if prove:
        from derivations.equality import Status
        from derivations.facts import prove_fact
        from derivations.plain import code
        from derivations.prove import prove_all

        statuses = [proof.status for proof in prove_all(derivation)]
        proofs = {number: status.value for number, status in enumerate(statuses)}
        refuted = Status.REFUTED in statuses
        for fact in found.facts:
            status = prove_fact(fact, derivation).status
            facts.append({"fact": f"{code(fact.left)} = {code(fact.right)}", "verdict": status.value})
            if status is not Status.PROVED:
                refuted = refuted or status is Status.REFUTED
                note(f"the fact {facts[-1]['fact']} on line {fact.line}: {status.value}")

    def make(chosen: Format) -> Made:
        module = load(chosen.value)
        options: dict[str, Any] = {
            "only": tuple(only or ()),
            "view": "vector" if vector else "scalar",
            "notation": notation.value,
            "proofs": proofs,
            "fragment": fragment,
            "width": width_of(width, out),
        }
        if chosen is Format.text:
            return list(module.pieces(derivation, **options, ascii=in_ascii()))
        if chosen is Format.json:
            return as_json({**json.loads(module.render(derivation, **options)), "facts": facts})
        return str(module.render(derivation, **options))

    write(make, format_, out, force)
    if refuted:
        raise typer.Exit(WRONG)
