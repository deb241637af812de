"""`podctl bus check`: echo, idle noise and answers of one line, each finding with how sure it is.

Neighbours: `hal.bus.wire_test` tries, `options` and `place` say where. Must not know protocols.
"""

import json

import click

from pod_controller.bus.options import TIMEOUT_S, with_place
from pod_controller.bus.place import CLOCK, EXIT_FINE, EXIT_UNWELL, Wanted, place_of, refuse_if_owned


@click.command()
@click.option("--unit", type=click.IntRange(1, 247), help="A device to ask 40 times.")
@with_place(TIMEOUT_S)
def check(wanted: Wanted, unit: int | None) -> int:
    """Test the wire: noise on the idle line, our own echo, bytes behind our question, answers of --unit. Only reads.

    From one end of a line nothing is measured: what is no more than a hint says so. Exit 3: something is not well.
    """
    from hal.bus import wire_test
    from hal.bus.asking import BusPort
    from hal.bus.scan import listen_first

    place = place_of(wanted)
    refuse_if_owned(place)
    with BusPort(place.line, CLOCK) as port:
        listen_first(port, wanted.listen_ns)
        found = wire_test.check(port, unit, wanted.listen_ns, wanted.timeout_ns)
    well = all(finding.well for finding in found)
    if wanted.as_json:
        click.echo(json.dumps({"port": place.at, "well": well, "findings": [finding._asdict() for finding in found]}))
    for finding in found if not wanted.as_json else ():
        sure = "" if finding.sure == "seen" else "  (a hint)"
        click.echo(f"{' ' if finding.well else '!'} {finding.tried}: {finding.text}{sure}")
    return EXIT_FINE if well else EXIT_UNWELL
