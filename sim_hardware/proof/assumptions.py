"""What the proof takes as given, in plain words."""

ASSUMPTIONS = [
    (
        "Numbers are real: rounding is tested against fractions elsewhere, and capacities are kept a millionth of "
        "a kg short."
    ),
    (
        "Declared rates, strokes, leases, bags, lid rates, hold-up, Psi and errors are true or too large; hold-up "
        "and Psi of a vessel include what reaches it over weirs."
    ),
    (
        "A command may outlive a lost successor by the lease at most, whatever else happens to line, module or "
        "tick; then its module has dropped it and the element closes within its stroke."
    ),
    "A position that is GOOD and fresh is wrong by position_error_frac at most.",
    "What a frame shows as verified was in force by the moment of that frame.",
    "A command is written before the next one is issued, or never.",
    "At most one level sensor of a vessel lies; the others are wrong by their declared error at most.",
    (
        "One element is stuck, or the elements of one module; with lost writes on any others at the same time. Two "
        "stuck elements on different modules are beyond the promise."
    ),
    (
        "A lid proved locked admits nothing; a lid told to lock is locked after lease and lock time; under an "
        "unlocked lid no more comes in any time than a largest bag and lid_pass_kg_s."
    ),
    "A gravity overflow runs free: a vessel with a weir is never above weir_kg.",
    (
        "Mass reaches a vessel only through the declared flows and weirs; an element has one duty (check-config "
        "refuses two)."
    ),
    "The monotonic clock does not run backwards, and elapsed time is measured on it.",
    (
        "Loops are proved for 2 to 4 flows, 0 to 2 shared elements, 2 or 3 intakes into a vessel, 1 cause and 4 "
        "remembered ticks; each row is treated alike in the source."
    ),
    (
        "Between obligations the argument is by hand: after the last tick in which anything that leads to a vessel "
        "was granted, Phi was at or below C with all of it counted, and from then on no more comes than was "
        "counted."
    ),
]
