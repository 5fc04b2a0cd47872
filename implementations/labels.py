"""The labels of a data set against the classes of a network: whole numbers from 0, one for each sample or for each place of it."""

from typing import Any

from implementations.errors import BadInput


def classes_of(dataset: Any) -> int:
    """Classes of a data set. Raises BadInput where there are more than samples: their numbers have gaps."""
    if dataset.classes > max(2, dataset.samples):
        raise BadInput(
            f"y: the labels of the data {dataset.name!r} go up to {dataset.classes - 1}, and there are {dataset.samples} samples. "
            "Number the classes from 0 without gaps, for example with numpy.unique(y, return_inverse=True)[1]."
        )
    return int(dataset.classes)


def misfit(dataset: Any, classes: int) -> str | None:
    """Why a data set's labels do not fit so many classes, with the fix, or None."""
    for field in ("y_train", "y_test"):
        labels = getattr(dataset, field).ravel()
        (outside,) = ((labels < 0) | (labels >= classes)).nonzero()
        if outside.size:
            return (
                f"classes: {outside.size} labels outside [0, {classes}) in {field} of the data {dataset.name!r}, the "
                f"first {labels[outside[0]]} at index {outside[0]}. Set classes = {dataset.classes}, or number the labels "
                "from 0."
            )
    return None
