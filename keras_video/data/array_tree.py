"""`map_arrays`: one function on all arrays of a sample, whether it is one array or several."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def map_arrays(function: Callable, *trees: Any) -> Any:
    """Applies a function to arrays, or to those with the same place in dicts and tuples.

    Args:
        function: takes as many arrays as there are trees.
        *trees: arrays, or dicts or tuples of arrays, perhaps nested; all of one form.

    Returns:
        What the function returns, in the trees' form.

    Example:

    >>> map_arrays(len, {"features": np.zeros((5, 3)), "mask": np.ones(5)})
    {'features': 5, 'mask': 5}
    """
    first = trees[0]
    if isinstance(first, Mapping):
        return {name: map_arrays(function, *(tree[name] for tree in trees)) for name in first}
    if isinstance(first, tuple):
        return tuple(map_arrays(function, *parts) for parts in zip(*trees, strict=True))
    return function(*trees)


def arrays_of(tree: Any) -> Iterator:
    """The arrays of a tree, one after the other."""
    if isinstance(tree, Mapping):
        tree = tuple(tree.values())
    if isinstance(tree, tuple):
        for part in tree:
            yield from arrays_of(part)
    else:
        yield tree
