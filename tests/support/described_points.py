"""The points of the library that differ in more than name and place, for tests that try any words on each."""

from hal.description import Description, PointSpec, known_types, load


def distinct_points(access: tuple[str, ...] = ("read", "write")) -> list[tuple[str, str]]:
    """One (device type, point) of each kind: what differs only by channel is tried once."""
    found: dict[str, tuple[str, str]] = {}
    for device_type in known_types():
        description = load(device_type)
        for spec in description.point:
            if description.protocol == "modbus_rtu" and spec.access in access:
                found.setdefault(_kind(description, spec), (device_type, spec.name))
    return list(found.values())


def _kind(description: Description, spec: PointSpec) -> str:
    kept = spec.model_dump(exclude={"name", "unit", "group", "low", "high", "bit", "access"})
    places = [mark.address for mark in spec.marks] + [o.address for o in (spec.fault, spec.signal) if o is not None]
    far = sorted({place - spec.address for place in places})
    for key in ("address", "marks", "fault", "signal"):
        kept.pop(key)
    marks = [(mark.mask, mark.equals, mark.differs, mark.cause) for mark in spec.marks]
    return repr((kept, len(far), marks, spec.type == "bit" or description.max_registers == 1))
