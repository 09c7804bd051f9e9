"""Functions of whole vectors: the exponential function, and what is made of it."""

from math import factorial

import numpy as np
from numba.core import cgutils, types
from numba.extending import overload

from fastmlp.kernels.jit import INLINED, inlined
from fastmlp.kernels.lowering import call, operation, splat
from fastmlp.kernels.simd import absolute, add_exponent, copy_sign, fma, like, where_less

LOG2_E = 1.4426950408889634
# Beyond these, e^x is no normal number: 0 below, infinity above.
LEAST_32, MOST_32 = -87.33654, 88.72283
LEAST_64, MOST_64 = -708.3964185322641, 709.782712893384
# tanh of it is 1 but for less than half a unit in the last place.
ALL_BUT_1 = 20.0

# Coefficients of polynomials, the highest power's first. Those of (e^r - 1 - r) / r^2: minimax
# (Cephes, expf), and Taylor's to r^13, whose next term is below 5e-18 of e^r for |r| <= ln 2 / 2.
EXP_32 = (
    1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1,
    5.0000001201e-1,
)  # fmt: skip
EXP_64 = tuple(1 / factorial(n) for n in range(13, 1, -1))
# What `_reduce` takes for each of the two types. A number that, added to a small one, leaves it
# rounded to a whole one in the last bits of the sum; ln 2 in two parts, of which a multiple of the
# first is exact in the reduction of the argument (Cody & Waite 1980); the coefficients.
IN_32 = 1.5 * 2.0**23, 0.693359375, -2.12194440e-4, EXP_32
IN_64 = 1.5 * 2.0**52, 6.93145751953125e-1, 1.42860682030941723212e-6, EXP_64
# Those of (artanh s / s - 1) / s^2, in powers of s^2: the next term is below 1e-18 for s <= 1/3.
ARTANH = tuple(1 / n for n in range(35, 2, -2))
# Those of erf x / x, in powers of x^2, and of erfc x exp(x^2), as quotients (Cephes, ndtr).
ERF_ABOVE = (
    9.60497373987051638749, 9.00260197203842689217e1, 2.23200534594684319226e3,
    7.00332514112805075473e3, 5.55923013010394962768e4,
)  # fmt: skip
ERF_BELOW = (
    1.0, 3.35617141647503099647e1, 5.21357949780152679795e2, 4.59432382970980127987e3,
    2.26290000613890934246e4, 4.92673942608635921086e4,
)  # fmt: skip
ERFC_ABOVE = (
    2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687,
    4.86371970985681366614e1, 1.96520832956077098242e2, 5.26445194995477358631e2,
    9.34528527171957607540e2, 1.02755188689515710272e3, 5.57535335369399327526e2,
)  # fmt: skip
ERFC_BELOW = (
    1.0, 1.32281951154744992508e1, 8.67072140885989742329e1, 3.54937778887819891062e2,
    9.75708501743205489753e2, 1.82390916687909736289e3, 2.24633760818710981792e3,
    1.65666309194161350182e3, 5.57535340817727675546e2,
)  # fmt: skip


def _polynomial_twin(x, coefs):
    total = np.full_like(x, coefs[0])
    for coef in coefs[1:]:
        total = total * x + x.dtype.type(coef)
    return total


@operation(_polynomial_twin)
def polynomial(typing, x, coefs):
    """Compute coefs[0] x^n + ... + coefs[n] of a vector by Horner's rule, a rounding a step."""

    def generate(context, builder, sig, arguments):
        x_value, values = arguments
        numbers = [
            splat(builder, context.cast(builder, value, types.float64, x.dtype), x.llvm)
            for value in cgutils.unpack_tuple(builder, values)
        ]
        total = numbers[0]
        for number in numbers[1:]:
            total = call(builder, f"llvm.fmuladd.{x.suffix}", x.llvm, [total, x_value, number])
        return total

    return x(x, coefs), generate


def exp(x):
    """Compute e^x by a polynomial.

    x = n ln 2 + r with n whole and |r| <= ln 2 / 2, so e^x = 2^n e^r: the polynomial gives e^r, and
    n goes straight into the exponent's bits. 0.1 ns a float32, where a call of the C library's
    function for each takes 2. Results that are no normal numbers are 0; NaN stays NaN.

    Parameters
    ----------
    x : vector

    Returns
    -------
    vector
        Within 2 units in the last place.
    """
    with np.errstate(over="ignore"):  # only Python comes here: compiled code has its own below
        return np.exp(x)


@overload(exp, jit_options=INLINED)
def _overload_exp(x):
    return _exp_32 if x.dtype == types.float32 else _exp_64


def _exp_32(x):
    return _scaled(x, LEAST_32, MOST_32, *_reduce(x, *IN_32))


def _exp_64(x):
    return _scaled(x, LEAST_64, MOST_64, *_reduce(x, *IN_64))


@inlined
def _scaled(x, least, most, r, p, shifted):
    """Compute e^x from its parts, and 0 or infinity where it is no normal number."""
    p = fma(p, r * r, r + like(x, 1.0))
    result = where_less(x, like(x, least), like(x, 0.0), add_exponent(p, shifted))
    return where_less(like(x, most), x, like(x, np.inf), result)


@inlined
def _reduce(x, rounding, high, low, coefs):
    """Compute r, p with e^r = 1 + r + r^2 p, and n as `add_exponent` takes it.

    Parameters
    ----------
    x : vector
    rounding, high, low, coefs
        See `IN_32`.
    """
    shifted = fma(x, like(x, LOG2_E), like(x, rounding))
    n = shifted - like(x, rounding)
    r = fma(n, like(x, -low), fma(n, like(x, -high), x))
    return r, polynomial(r, coefs), shifted


@inlined
def sigmoid(x):
    """Compute 1 / (1 + e^-x) of a vector, within 3 units in the last place."""
    one = like(x, 1.0)
    return one / (one + exp(like(x, 0.0) - x))


def tanh(x):
    """Compute the hyperbolic tangent of a vector, within 3 units in the last place.

    d / (d + 2) with d = e^2|x| - 1 = 2^n (e^r - 1) + (2^n - 1), and the sign of x: where x is small
    n is 0, and no digit is lost. One division, and one polynomial.
    """
    return np.tanh(x)


@overload(tanh, jit_options=INLINED)
def _overload_tanh(x):
    return _tanh_32 if x.dtype == types.float32 else _tanh_64


def _tanh_32(x):
    return _from_exponential(x, *_reduce(_twice(x), *IN_32))


def _tanh_64(x):
    return _from_exponential(x, *_reduce(_twice(x), *IN_64))


@inlined
def _twice(x):
    """Compute 2 |x|, or what comes to 1 as well; NaN stays NaN."""
    size, most = absolute(x), like(x, ALL_BUT_1)
    size = where_less(most, size, most, size)
    return size + size


@inlined
def _from_exponential(x, r, p, shifted):
    """Compute tanh x from the parts of e^2|x|."""
    one = like(x, 1.0)
    power = add_exponent(one, shifted)
    d = fma(power, fma(p, r * r, r), power - one)
    return copy_sign(d / (d + like(x, 2.0)), x)


@inlined
def log1p(u):
    """Compute log(1 + u) of a vector of numbers in [0, 1].

    2 artanh(s) with s = u / (2 + u) <= 1/3, by its Taylor series.
    """
    s = u / (u + like(u, 2.0))
    z = s * s
    return like(u, 2.0) * fma(polynomial(z, ARTANH) * z, s, s)


@inlined
def normal_distribution(z):
    """Compute Phi(z) of a vector, the standard normal's distribution function.

    With x = |z| / sqrt 2: (1 +- erf x) / 2, for x < 1 by a rational function of x^2; beyond by
    erfc x = exp(-x^2) P(x) / Q(x), which is below 1e-28 from x = 8 on (Cephes, ndtr).
    """
    one, half = like(z, 1.0), like(z, 0.5)
    x = absolute(z) * like(z, 0.7071067811865476)
    square = x * x
    erf = x * polynomial(square, ERF_ABOVE) / polynomial(square, ERF_BELOW)
    near = half * (one - erf)
    far = where_less(x, like(z, 8.0), x, like(z, 8.0))
    quotient = polynomial(far, ERFC_ABOVE) / polynomial(far, ERFC_BELOW)
    tail = half * exp(like(z, 0.0) - square) * quotient
    below = where_less(x, one, near, tail)  # Phi(-|z|)
    return where_less(z, like(z, 0.0), below, one - below)


@inlined
def density(z):
    """Compute exp(-z^2 / 2) / sqrt(2 pi) of a vector."""
    return exp(z * z * like(z, -0.5)) * like(z, 0.3989422804014327)
