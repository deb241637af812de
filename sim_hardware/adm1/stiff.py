"""What a stiff one-step solver needs of linear algebra, and the coefficients of the method: nothing of any model.

RODAS: a linearly implicit (Rosenbrock) method of order 4 with an embedded one of order 3, six stages, L-stable and
stiffly accurate, so every step needs one Jacobian, one factorisation and no iteration, and a change of the input costs
no history as it would in a multistep method. E. Hairer & G. Wanner, Solving Ordinary Differential Equations II,
2nd ed., section IV.10 and table of RODAS; in the form without products by the Jacobian.

Neighbours: `solver` steps with it. Must not know what is being solved.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from pod_controller.kernels.compile import kernel

Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]
Places = npt.NDArray[Any]

STAGES = 6
GAMMA = 0.25
ORDER = 4
# Stage i is evaluated at y + sum of A[i, j] k_j and has sum of C[i, j] k_j / h on its right-hand side; the result is
# the last stage's place plus k_5, and k_5 is the error.
A = np.zeros((STAGES, STAGES))
A[1, 0] = 1.544
A[2, :2] = 0.9466785280815826, 0.2557011698983284
A[3, :3] = 3.314825187068521, 2.896124015972201, 0.9986419139977817
A[4, :4] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895
A[5, :5] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1.0
C = np.zeros((STAGES, STAGES))
C[1, 0] = -5.6688
C[2, :2] = -2.430093356833875, -0.2063599157091915
C[3, :3] = -0.1073529058151375, -9.594562251023355, -20.47028614809616
C[4, :4] = 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616
C[5, :5] = 8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054


@kernel
def factorise(columns: Matrix, pivot: Places) -> bool:
    """LU with row exchanges, in place; columns[j, i] is row i of column j. False when singular or NaN.

    Stored by columns so that every inner loop runs along memory; zero multipliers are skipped, for the matrices of
    reaction networks are mostly zeros and stay so.
    """
    size = columns.shape[0]
    for k in range(size):
        best = k
        for i in range(k + 1, size):
            if abs(columns[k, i]) > abs(columns[k, best]):
                best = i
        pivot[k] = best
        if not abs(columns[k, best]) > 0.0:
            return False
        columns[k, k], columns[k, best] = columns[k, best], columns[k, k]
        inverse = 1.0 / columns[k, k]
        for i in range(k + 1, size):
            columns[k, i] *= inverse
        for j in range(k + 1, size):
            factor = columns[j, best]
            columns[j, best] = columns[j, k]
            columns[j, k] = factor
            if factor != 0.0:
                for i in range(k + 1, size):
                    columns[j, i] -= factor * columns[k, i]
    return True


@kernel
def solve(factors: Matrix, pivot: Places, x: Vector) -> None:
    """Overwrite the right-hand side x with the solution; factors and pivot are from `factorise`."""
    size = factors.shape[0]
    for k in range(size):
        other = pivot[k]
        known = x[other]
        x[other] = x[k]
        x[k] = known
        for i in range(k + 1, size):
            x[i] -= factors[k, i] * known
    for k in range(size - 1, -1, -1):
        known = x[k] / factors[k, k]
        x[k] = known
        for i in range(k):
            x[i] -= factors[k, i] * known
