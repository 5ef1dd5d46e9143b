"""The array types of our annotations, importable without numpy while a program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    import numpy.typing as npt

    FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
    IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
    BoolArray: TypeAlias = npt.NDArray[np.bool_]
    StrArray: TypeAlias = npt.NDArray[np.str_]
else:
    # `npt.NDArray` would cost the import of numpy; at run time the names need only exist.
    FloatArray = IntArray = BoolArray = StrArray = Any

__all__ = ["BoolArray", "FloatArray", "IntArray", "StrArray"]
