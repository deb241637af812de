"""Common causes: elements that one broken part can hold open together.

A module that moves or shows more than one element is one without being declared: frozen, it holds open what it moves,
and goes on calling shut what it shows. What else can (an air supply, a power feed) is declared as [[cause]].

Neighbours: `topology` makes rows of them, `config_checks` counts them, `promise` names them. Must not know the sums.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pod_controller.config import Element, PodConfig
from pod_controller.config_names import wired_tags


class Held(NamedTuple):
    """The elements that one part holds. path: where that part stands in the configuration."""

    name: str
    elements: frozenset[str]
    path: tuple[str | int, ...]


def common_causes(config: PodConfig) -> tuple[Held, ...]:
    """Every common cause: modules by name, then those declared, in the order of the file."""
    inputs, outputs = wired_tags(config)
    held = []
    for name, d in sorted((device.name, d) for d, device in enumerate(config.device)):
        on_it = frozenset(x.name for x in config.element if name in _modules(x, inputs, outputs))
        if len(on_it) > 1:
            held.append(Held(name, on_it, ("device", d)))
    for i, cause in enumerate(config.cause):
        held.append(Held(cause.name, frozenset(cause.elements), ("cause", i)))
    return tuple(held)


def _modules(element: Element, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> set[str | None]:
    """Whose outputs move an element, and whose inputs show where it is."""
    shown = [inputs.get(tag) for tag in (element.position_tag, element.locked_tag) if tag is not None]
    return {*(outputs.get(tag) for tag in element.commands), *shown}
