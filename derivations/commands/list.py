"""`derive list`: what there is."""

from derivations.__main__ import backends
from derivations.commands._options import ForceOption, Format, FormatOption, OutOption, WidthOption
from derivations.commands._saying import Made, as_json, width_of, write, written


def command(
    format_: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    width: WidthOption = None,
) -> None:
    """Cells, walkthroughs, backends, libraries and formats."""
    from derivations.reports import listing

    every = backends("backend").find().values()
    found = listing.listing([(backend.name, backend.available(), backend.install) for backend in every])

    def make(chosen: Format) -> Made:
        if chosen is Format.json:
            return as_json(listing.record(found))
        return written(listing.document(found), chosen, width=width_of(width, out))

    write(make, format_, out, force)
