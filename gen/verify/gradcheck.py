"""The gradient of an emitted numpy function against its own forward.

In: a class and inputs. Out: True, or a `GradcheckError` that says which gradient is off,
where, and by how much. The reference is Richardson extrapolation of central differences
of `apply`, whose error falls with the sixth power of the step: it knows nothing of the
formula, so it also finds an expression that was misread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from gen.errors import GenError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Float64s = NDArray[np.float64]

# Central differences at h, h/2 and h/4, combined so that their h**2 and h**4 terms vanish.
_STEPS = ((1.0, 1 / 45), (0.5, -20 / 45), (0.25, 64 / 45))
_STEP = 1e-2


class DifferentiableFunction(Protocol):
    """An emitted class."""

    @classmethod
    def apply(cls, *inputs: object) -> ArrayLike | tuple[ArrayLike, ...]:
        """Return the value, or several."""

    @classmethod
    def vjp(
        cls, *inputs: object
    ) -> tuple[ArrayLike | tuple[ArrayLike, ...], Callable[..., Sequence[ArrayLike | None]]]:
        """Return the value and its pullback; classes for numpy have it."""


class GradcheckError(GenError):
    """A gradient is not that of the forward."""


def gradcheck(
    cls: type[DifferentiableFunction],
    inputs: object,
    *,
    atol: float = 1e-6,
    rtol: float = 1e-4,
) -> bool:
    """Compare every gradient of an emitted numpy class with differences of its forward.

    Args:
        cls: an emitted class for numpy.
        inputs: one array, or a tuple with one entry for each input. Those whose gradient
            is None (plain numbers, inputs left out) are held.
        atol: absolute tolerance.
        rtol: relative tolerance.

    Returns:
        True.

    Raises:
        GradcheckError: where a gradient differs; the first one is shown.
        GenError: where `cls` has no vjp, as classes for torch.
    """
    # A class for torch inherits a vjp that does nothing; it is told by its setup_context.
    if not hasattr(cls, "vjp") or hasattr(cls, "setup_context"):
        raise GenError(
            f"{getattr(cls, '__name__', cls)} has no vjp: gen.gradcheck checks classes emitted "
            "for numpy; for torch there is torch.autograd.gradcheck"
        )
    values = [_as_float64(one) for one in _several(inputs)]
    output, pullback = cls.vjp(*values)
    cotangents = [_cotangent(one) for one in _outputs(output)]
    for place, gradient in enumerate(pullback(*cotangents)):
        if gradient is not None:
            _check(cls, values, place, np.asarray(gradient), cotangents, atol, rtol)
    return True


def _outputs(value: object) -> list[Float64s]:
    """The outputs, one or several."""
    several = value if isinstance(value, tuple) else (value,)
    return [np.asarray(one, dtype=np.float64) for one in several]


def _cotangent(output: Float64s) -> Float64s:
    """A cotangent that is not constant: a gradient that forgets it does not pass."""
    return np.cos(np.arange(output.size, dtype=np.float64)).reshape(output.shape)


def _several(inputs: object) -> tuple[object, ...]:
    """The inputs; a list of arrays is several, a list of numbers is one."""
    if isinstance(inputs, tuple):
        return inputs
    if isinstance(inputs, list) and any(isinstance(one, np.ndarray) for one in inputs):
        return tuple(inputs)
    return (inputs,)


def _as_float64(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    found = np.asarray(value)
    return found.astype(np.float64) if found.dtype.kind in "fiub" else value


def _check(
    cls: type[DifferentiableFunction],
    values: list[object],
    place: int,
    gradient: Float64s,
    cotangents: list[Float64s],
    atol: float,
    rtol: float,
) -> None:
    value = np.asarray(values[place], dtype=np.float64)
    if gradient.shape != value.shape:
        raise GradcheckError(
            f"{cls.__name__}: the gradient of input {place} has shape {gradient.shape}, "
            f"the input {value.shape}"
        )
    for index in np.ndindex(value.shape):

        def along(step: float, index: tuple[int, ...] = index, value: Float64s = value) -> Float64s:
            moved = value.copy()
            moved[index] += step
            outputs = _outputs(cls.apply(*values[:place], moved, *values[place + 1 :]))
            pairs = zip(cotangents, outputs, strict=True)
            return np.array([float(np.sum(one * output)) for one, output in pairs])

        expected = float(np.sum(_derivative(along, float(value[index]))))
        found = float(gradient[index])
        if not abs(found - expected) <= atol + rtol * abs(expected):
            raise GradcheckError(
                f"{cls.__name__}: the gradient of input {place} at {index} "
                f"(value {value[index]!r}) is {found!r}, differences of the forward give "
                f"{expected!r}"
            )


def _derivative(along: Callable[[float], Float64s], at: float) -> Float64s:
    step = _STEP * max(abs(at), 1e-2)
    total: Float64s = np.zeros(())
    for scale, weight in _STEPS:
        h = scale * step
        total = total + weight * (along(h) - along(-h)) / (2 * h)
    return total
