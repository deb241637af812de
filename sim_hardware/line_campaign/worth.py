"""How many is too many: the limit of a count that chance explains.

Neighbours: `figures` and `unchecked` ask. Must not know what is counted.
"""

import math

_SURE_FRAC = 0.999
_BY_TERMS_COUNT = 500.0  # exp of more would vanish


def poisson_limit(mean_count: float) -> int:
    """The smallest number that a Poisson variable with this mean does not exceed in 99.9 % of all cases.

    Beyond 500 by the normal distribution it then is (3.09 standard deviations).
    """
    if mean_count > _BY_TERMS_COUNT:
        return math.ceil(mean_count + 3.09 * math.sqrt(mean_count))
    term = total = math.exp(-mean_count)
    number = 0
    while total < _SURE_FRAC:
        number += 1
        term *= mean_count / number
        total += term
    return number
