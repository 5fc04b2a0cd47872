"""Real data: scikit-learn's bundled digits, a user's `.npz`, or MNIST's IDX files. Nothing is ever downloaded.

What comes out is a `Dataset` every implementation can take as it is; whatever is wrong with a file is a
BadInput that names the field and the fix. Pickled arrays are never loaded. No framework lives here, and
scikit-learn is imported only by the functions that need it.
"""

import gzip
import hashlib
import math
import struct
import tokenize
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from implementations.contract import Arrays
from implementations.errors import BadInput

TEST_SHARE = 0.2
"""Share of the samples that a split keeps for testing."""

GZIP = b"\x1f\x8b"
"""How packed content begins, whatever the file is called."""

IDX_DIMENSIONS = {"images": 3, "labels": 1}
IDX_PARTS = {"train": "", "t10k": "_test"}
"""MNIST's names of the two parts, and the suffix of the arrays that they become."""

TRAINING = {"x_train": "x", "y_train": "y"}
"""Names that others have for the arrays to train on, Keras's mnist.npz among them."""

_DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
)
"""What NumPy, zipfile and gzip raise on files that are truncated, corrupt, encrypted or something else altogether."""


@dataclass(frozen=True)
class Dataset:
    """Training and test samples: x float32 (N, ...), C-contiguous and finite; y int64 (N,), not negative.

    A sample is a row of features (D,), or an image (height, width) or (height, width, channels): see `flat`, `images` and `sequences`.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def features(self) -> int:
        """Numbers in a sample, D."""
        return math.prod(self.x_train.shape[1:])

    @property
    def classes(self) -> int:
        """Number of classes C: the largest label plus 1, at least 2."""
        return max(2, 1 + int(max(self.y_train.max(), self.y_test.max())))

    @property
    def samples(self) -> int:
        """To train on."""
        return len(self.x_train)

    def flat(self) -> "Dataset":
        """The same with rows (N, D), of images row by row, channels innermost."""
        return self._shaped(self.features)

    def images(self) -> "Dataset":
        """The same with images (N, height, width, channels). Raises BadInput where the samples are rows of features."""
        height, width, *channels = self.x_train.shape[1:] if self.x_train.ndim > 2 else (0, 0)
        if not height:
            raise BadInput(
                f"x: the data {self.name!r} has shape {self.x_train.shape}, rows of features. Give images: (samples, height, "
                "width) or (samples, height, width, channels)."
            )
        return self._shaped(height, width, *(channels or (1,)))

    def sequences(self) -> "Dataset":
        """The same with sequences (N, steps, features), of images their rows. Raises BadInput where the samples are rows of features."""
        steps, *features = self.x_train.shape[1:]
        if not features:
            raise BadInput(
                f"x: the data {self.name!r} has shape {self.x_train.shape}, rows of features. Give sequences: (samples, steps, features), "
                "or images, which are read row by row."
            )
        return self._shaped(steps, math.prod(features))

    def _shaped(self, *sample: int) -> "Dataset":
        return replace(self, x_train=self.x_train.reshape(-1, *sample), x_test=self.x_test.reshape(-1, *sample))

    def arrays(self) -> dict[str, np.ndarray]:
        """x_train, y_train, x_test and y_test by name, in this order."""
        return {name: getattr(self, name) for name in ("x_train", "y_train", "x_test", "y_test")}

    def describe(self) -> dict[str, str | int]:
        """Name, counts, and the SHA-256 of the bytes of `arrays` in their order."""
        digest = hashlib.sha256()
        for array in self.arrays().values():
            digest.update(array.tobytes())
        counts = {"train_samples": len(self.y_train), "test_samples": len(self.y_test)}
        sizes = {"features": self.features, "classes": self.classes}
        return {"name": self.name.encode(errors="replace").decode(), **counts, **sizes, "sha256": digest.hexdigest()}


def digits(seed: int = 0) -> Dataset:
    """scikit-learn's handwritten digits: 1,797 images of 8x8 pixels scaled to [0, 1], 10 classes, split by `seed`."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return _split("digits", {"x": bunch.images / 16.0, "y": bunch.target}, seed, "digits")


def load(path: str | Path, seed: int = 0) -> Dataset:
    """Read a `.npz` (x and y, or x_train and y_train; optional x_test, y_test) or a folder of MNIST's IDX files; `seed` splits
    what is not split. Images of whole bytes, (samples, height, width) or (samples, height, width, channels) uint8, are scaled to
    [0, 1].

    An IDX folder may also be given by one of its files. Raises BadInput with the field and the fix.
    """
    path = Path(path)
    if path.is_dir():
        return _load_idx(path)
    if not path.is_file():
        raise BadInput(f"--data {path}: no such file or folder. Give a .npz file or a folder with MNIST's IDX files.")
    if path.suffix.lower() == ".npz":
        return _load_npz(path, seed)
    if any(path.name in _idx_names(part, kind) for part in IDX_PARTS for kind in IDX_DIMENSIONS):
        return _load_idx(path.parent)
    what = "neither a .npz file nor one of MNIST's IDX files. See numpy.savez(path, x=x, y=y)."
    if path.suffix.lower() == ".txt":
        what = "is a text, which this network does not read. Say --spec text, and with --model one that does."
    raise BadInput(f"--data {path}: {what}")


def _clean(arrays: Arrays, suffix: str, origin: str) -> tuple[np.ndarray, np.ndarray]:
    """The arrays x and y (or, with the suffix "_test", x_test and y_test) in the Dataset's form."""
    x = _clean_features(arrays[f"x{suffix}"], f"{origin}: x{suffix}")
    y = _clean_labels(arrays[f"y{suffix}"], f"{origin}: y{suffix}")
    if len(x) != len(y):
        raise BadInput(
            f"{origin}: x{suffix} has {len(x)} samples, y{suffix} {len(y)} labels. Give one label per sample."
        )
    return x, y


def _clean_features(x: np.ndarray, field: str) -> np.ndarray:
    if x.dtype.kind not in "biuf":
        raise BadInput(f"{field}: not numeric (dtype {x.dtype}). Convert it, for example with x.astype('float32').")
    if x.ndim not in (2, 3, 4) or x.size == 0:
        raise BadInput(
            f"{field}: has shape {x.shape}. Give at least one sample, as (samples, features) or, for images, "
            "(samples, height, width) or (samples, height, width, channels); x.reshape(len(x), -1) flattens anything else."
        )
    pixels = x.ndim > 2 and x.dtype == np.uint8
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(x, dtype=np.float32)
    x = x / np.float32(255) if pixels else x
    bad = np.argwhere(~np.isfinite(x.reshape(len(x), -1)))
    if len(bad):
        raise BadInput(
            f"{field}: {len(bad)} of {x.size} values are NaN or infinite as float32, the first in sample {bad[0, 0]}, "
            f"feature {bad[0, 1]} (counted from 0). Replace them, or leave those samples out."
        )
    return x


def _clean_labels(y: np.ndarray, field: str) -> np.ndarray:
    if y.dtype.kind not in "iu":
        raise BadInput(f"{field}: labels are not integers (dtype {y.dtype}). Convert them with y.astype('int64').")
    if y.ndim != 1:
        raise BadInput(f"{field}: has shape {y.shape}. Give one label per sample, shape (samples,); see y.ravel().")
    bad = np.flatnonzero((y < 0) | (y >= 2**31))
    if bad.size:
        raise BadInput(
            f"{field}: {bad.size} labels are negative or 2**31 and more, the first {y[bad[0]]} at index {bad[0]}. "
            "Number the classes from 0, for example with numpy.unique(y, return_inverse=True)[1]."
        )
    return np.ascontiguousarray(y, dtype=np.int64)


def _split(name: str, arrays: Arrays, seed: int, origin: str) -> Dataset:
    """Stratified split of x and y, the same for the same seed."""
    from sklearn.model_selection import train_test_split

    x, y = _clean(arrays, "", origin)
    labels, counts = np.unique(y, return_counts=True)
    fix = "Add samples, leave rare classes out, or split the data yourself (x_test and y_test)."
    if counts.min() < 2:
        raise BadInput(f"{origin}: y: class {labels[counts.argmin()]} has 1 sample, a split needs 2 per class. {fix}")
    tests = math.ceil(TEST_SHARE * len(y))
    if tests < len(labels):
        raise BadInput(f"{origin}: y: {len(y)} samples are too few to split {len(labels)} classes. {fix}")
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=tests, stratify=y, random_state=seed)
    return Dataset(name, x_train, y_train, x_test, y_test)


def _already_split(name: str, arrays: Arrays, origin: str) -> Dataset:
    """A dataset that comes as x, y, x_test and y_test."""
    x_train, y_train = _clean(arrays, "", origin)
    x_test, y_test = _clean(arrays, "_test", origin)
    sample, test_sample = x_train.shape[1:], x_test.shape[1:]
    if sample != test_sample:
        raise BadInput(f"{origin}: x has samples of shape {sample}, x_test of {test_sample}. Give both the same.")
    return Dataset(name, x_train, y_train, x_test, y_test)


def _load_npz(path: Path, seed: int) -> Dataset:
    origin = f"--data {path}"
    arrays = _read_npz(path, origin)
    if missing := [key for key in ("x", "y") if key not in arrays]:
        names = ", ".join(arrays) or "nothing"
        raise BadInput(f"{origin}: no {' and no '.join(missing)} in it, but {names}. Save numpy.savez(path, x=x, y=y).")
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise BadInput(f"{origin}: has only one of x_test and y_test. Save both, or neither to have x and y split.")
    return _already_split(path.name, arrays, origin) if "x_test" in arrays else _split(path.name, arrays, seed, origin)


def _read_npz(path: Path, origin: str) -> Arrays:
    """Every array of the file that we use, by our names, and the others' names with empty arrays."""
    fix = "Save it again with numpy.savez(path, x=x, y=y), from arrays of numbers."
    arrays: Arrays = {}
    try:
        with zipfile.ZipFile(path):  # NumPy itself would also take a pickle or a bare .npy for a .npz
            archive = np.load(path, allow_pickle=False)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.strerror:  # the system's word; what is wrong with the content has none
            raise BadInput(f"{origin}: cannot be read ({error.strerror}).") from None
        raise BadInput(f"{origin}: not a readable .npz (a zip of arrays), or truncated ({error}). {fix}") from None
    with archive:
        for other, name in TRAINING.items():
            if {name, other} <= {*archive.files}:
                raise BadInput(f"{origin}: holds both {name} and {other}. Leave one of them out.")
        for key in archive.files:
            try:
                name = TRAINING.get(key, key)
                arrays[name] = np.asarray(archive[key]) if name in ("x", "y", "x_test", "y_test") else np.empty(0)
            except _DAMAGED as error:
                raise BadInput(f"{origin}: {key}: cannot be read, or holds Python objects ({error}). {fix}") from None
    return arrays


# MNIST's IDX files: a magic number 00 00 08 <dimensions>, the sizes as big-endian 32-bit integers, the bytes


def _load_idx(folder: Path) -> Dataset:
    arrays: Arrays = {}
    for part, suffix in IDX_PARTS.items():
        arrays[f"x{suffix}"] = _read_idx(folder, part, "images")
        arrays[f"y{suffix}"] = _read_idx(folder, part, "labels")
    return _already_split(folder.resolve().name, arrays, f"--data {folder}")


def _idx_names(part: str, kind: str) -> list[str]:
    return [f"{part}-{kind}{sep}idx{IDX_DIMENSIONS[kind]}-ubyte{end}" for sep in "-." for end in ("", ".gz")]


def _read_idx(folder: Path, part: str, kind: str) -> np.ndarray:
    names = _idx_names(part, kind)
    path = next((folder / name for name in names if (folder / name).is_file()), None)
    if path is None:
        raise BadInput(f"--data {folder}: no {names[0]} (or .gz) in it. Put MNIST's four files there, or give a .npz.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"--data {path}: cannot be read ({error.strerror}).") from None
    try:
        content = gzip.decompress(content) if content.startswith(GZIP) else content
    except _DAMAGED as error:
        raise BadInput(f"--data {path}: not readable as a gzip file ({error}). Download it again.") from None
    return _parse_idx(content, kind, f"--data {path}")


def _parse_idx(content: bytes, kind: str, origin: str) -> np.ndarray:
    dimensions = IDX_DIMENSIONS[kind]
    header = 4 * (1 + dimensions)
    if len(content) < header:
        raise BadInput(f"{origin}: truncated, {len(content)} bytes where the header has {header}. Download it again.")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    if magic != 0x0800 + dimensions:
        right = f"IDX {kind} have {0x0800 + dimensions:#010x}"
        raise BadInput(
            f"{origin}: wrong magic number {magic:#010x}, {right}. Give MNIST's files under their own names."
        )
    promised, held = math.prod(shape), len(content) - header
    if promised != held:
        raise BadInput(f"{origin}: truncated or damaged, {held} bytes for {promised} promised. Download it again.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
