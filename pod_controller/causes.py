"""Common causes: elements that one broken part can hold open together.

An output module that moves more than one element is one without being declared: frozen, it holds them all. What else
can (an air supply, a power feed) is declared as [[cause]].

Neighbours: `topology` makes rows of them, `config_checks` counts them, `promise` names them. Must not know the sums.
"""

from typing import NamedTuple

from pod_controller.config import PodConfig
from pod_controller.config_names import wired_tags


class Held(NamedTuple):
    """The elements that one part holds. path: where that part stands in the configuration."""

    name: str
    elements: frozenset[str]
    path: tuple[str | int, ...]


def common_causes(config: PodConfig) -> tuple[Held, ...]:
    """Every common cause: output modules by name, then those declared, in the order of the file."""
    _, outputs = wired_tags(config)
    held = []
    for name, d in sorted((device.name, d) for d, device in enumerate(config.device)):
        moved = frozenset(x.name for x in config.element if name in [outputs.get(tag) for tag in x.commands])
        if len(moved) > 1:
            held.append(Held(name, moved, ("device", d)))
    for i, cause in enumerate(config.cause):
        held.append(Held(cause.name, frozenset(cause.elements), ("cause", i)))
    return tuple(held)
