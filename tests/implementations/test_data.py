"""Real data: what the loaders accept, and what each refusal tells the user."""

import dataclasses
import errno
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import data
from implementations.errors import BadInput
from tests.support import LIGHT
from tests.support.fresh_process import python

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype(np.float32)
Y = np.tile([0, 1, 2], 10)


def npz(folder: Path, **arrays: Any) -> Path:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return path


def refused(path: Path, *words: str) -> None:
    with pytest.raises(BadInput) as caught:
        data.load(path)
    message = str(caught.value)
    assert "--data" in message
    for word in words:
        assert word in message


def assert_same(a: data.Dataset, b: data.Dataset) -> None:
    for field in dataclasses.fields(data.Dataset)[1:]:
        np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))


# Bundled digits


def test_digits_are_split_stratified_and_scaled():
    digits = data.digits()
    assert (digits.features, digits.classes) == (64, 10)
    assert len(digits.x_train) + len(digits.x_test) == 1797
    assert len(digits.x_test) == 360
    for x, y in ((digits.x_train, digits.y_train), (digits.x_test, digits.y_test)):
        assert (x.dtype, y.dtype) == (np.float32, np.int64)
        assert x.flags.c_contiguous
        assert x.min() == 0
        assert x.max() == 1
        assert all(0.09 <= share <= 0.11 for share in np.bincount(y) / len(y))


def test_the_seed_decides_the_split():
    assert_same(data.digits(3), data.digits(3))
    assert data.digits(3).describe() == data.digits(3).describe()
    assert data.digits(3).describe()["sha256"] != data.digits(4).describe()["sha256"]


def test_describe_counts_and_notices_any_change():
    digits = data.digits()
    described = digits.describe()
    assert described | {"sha256": ""} == {
        "name": "digits",
        "train_samples": 1437,
        "test_samples": 360,
        "features": 64,
        "classes": 10,
        "sha256": "",
    }
    changed = digits.y_test.copy()
    changed[0] += 1
    assert dataclasses.replace(digits, y_test=changed).describe()["sha256"] != described["sha256"]


def test_importing_the_module_does_not_import_scikit_learn():
    code = "import sys, implementations.data; sys.exit('sklearn' in sys.modules)"
    assert python("-c", code).returncode == 0


def test_where_tests_take_the_digits_without_scikit_learn_they_are_the_same_digits():
    def taken(site):
        code = "from implementations.data import digits; d = digits(); print(d.x_train.sum() + d.x_test.sum(), len(d.x_test), len(d.y_train))"
        return python("-c", code, site=site).stdout

    assert taken(LIGHT) == taken(None) != ""


# .npz


def test_npz_is_split_by_the_seed_and_keeps_every_sample(tmp_path):
    path = npz(tmp_path, x=X.astype(np.float64), y=Y.astype(np.uint8))
    loaded = data.load(path, seed=1)
    assert loaded.name == "mine.npz"
    assert (loaded.features, loaded.classes, len(loaded.y_test)) == (4, 3, 6)
    assert loaded.y_train.dtype == np.int64
    assert list(np.bincount(loaded.y_test)) == [2, 2, 2]
    together = np.concatenate([loaded.x_train, loaded.x_test])
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(X, axis=0))
    assert_same(loaded, data.load(str(path), seed=1))
    assert data.load(path, seed=2).describe()["sha256"] != loaded.describe()["sha256"]


def test_npz_that_is_already_split_is_taken_as_it_is(tmp_path):
    loaded = data.load(npz(tmp_path, x=X, y=Y, x_test=X[:3], y_test=Y[:3], note=np.arange(2)))
    np.testing.assert_array_equal(loaded.x_train, X)
    np.testing.assert_array_equal(loaded.y_test, Y[:3])


def test_the_npz_that_keras_downloads_is_taken_as_it_is(tmp_path):
    rng = np.random.default_rng(0)
    images, y = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8), np.arange(40) % 10
    np.savez(tmp_path / "mnist.npz", x_train=images, y_train=y, x_test=images[:10], y_test=y[:10])
    made = data.load(tmp_path / "mnist.npz")
    assert (made.samples, made.features, made.classes) == (40, 784, 10)
    assert np.array_equal(made.x_train, images.astype(np.float32) / np.float32(255))
    assert np.array_equal(made.y_test, y[:10])


def test_two_arrays_to_train_on_are_refused(tmp_path):
    with pytest.raises(BadInput, match="holds both x and x_train"):
        data.load(npz(tmp_path, x=X, x_train=X, y=Y))


@pytest.mark.parametrize(("sample", "image"), [((2, 2), (2, 2, 1)), ((1, 2, 2), (1, 2, 2))])
def test_npz_images_stay_images_and_are_made_contiguous(tmp_path, sample, image):
    images = np.asfortranarray(X.reshape(30, *sample))
    loaded = data.load(npz(tmp_path, x=images, y=Y, x_test=images, y_test=Y))
    np.testing.assert_array_equal(loaded.x_train, X.reshape(30, *sample))
    assert loaded.x_train.flags.c_contiguous
    for made, shape in ((loaded.flat(), (4,)), (loaded.images(), image)):
        assert made.features == 4
        assert made.describe() == loaded.describe()
        np.testing.assert_array_equal(made.x_train, X.reshape(30, *shape))
        np.testing.assert_array_equal(made.x_test, X.reshape(30, *shape))


def test_images_of_several_channels_are_scaled(tmp_path):
    images = RNG.integers(0, 256, (30, 2, 3, 3), dtype=np.uint8)
    loaded = data.load(npz(tmp_path, x=images, y=Y, x_test=images, y_test=Y)).images()
    np.testing.assert_array_equal(np.rint(loaded.x_train * 255), images)
    assert loaded.x_train.max() <= 1


def test_rows_of_features_are_no_images(tmp_path):
    loaded = data.load(npz(tmp_path, x=X, y=Y, x_test=X, y_test=Y))
    assert loaded.flat().x_train.shape == (30, 4)
    with pytest.raises(BadInput, match=r"x: the data 'mine.npz' has shape \(30, 4\), rows of features. Give images"):
        loaded.images()


@pytest.mark.parametrize(("sample", "sequence"), [((2, 2), (2, 2)), ((1, 2, 2), (1, 4)), ((2, 1, 2), (2, 2))])
def test_images_and_sequences_are_read_row_by_row(tmp_path, sample, sequence):
    whole = X.reshape(30, *sample)
    made = data.load(npz(tmp_path, x=whole, y=Y, x_test=whole, y_test=Y)).sequences()
    for part in (made.x_train, made.x_test):
        np.testing.assert_array_equal(part, X.reshape(30, *sequence))


def test_rows_of_features_are_no_sequences(tmp_path):
    loaded = data.load(npz(tmp_path, x=X, y=Y, x_test=X, y_test=Y))
    with pytest.raises(BadInput, match=r"x: the data 'mine.npz' has shape \(30, 4\), rows of features. Give sequences"):
        loaded.sequences()


def test_there_are_at_least_two_classes(tmp_path):
    loaded = data.load(npz(tmp_path, x=X, y=0 * Y))
    assert loaded.classes == 2


def at(array: np.ndarray, index: int | tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[index] = value
    return changed


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": X, "labels": Y}, ["no x and no y", "images, labels"]),
        ({"x": X}, ["no y in it", "but x."]),
        ({}, ["nothing"]),
        ({"x": X, "y": Y, "x_test": X}, ["only one of x_test and y_test"]),
        ({"x": X.astype(str), "y": Y}, ["x: not numeric", "<U"]),
        ({"x": X.astype(complex), "y": Y}, ["x: not numeric", "complex128"]),
        ({"x": X[:, 0], "y": Y}, ["x: has shape (30,)", "(samples, features)"]),
        ({"x": X.reshape(30, 2, 2, 1, 1), "y": Y}, ["x: has shape (30, 2, 2, 1, 1)", "flattens"]),
        ({"x": X[:0], "y": Y[:0]}, ["x: has shape (0, 4)", "at least one sample"]),
        ({"x": X[:, :0], "y": Y}, ["x: has shape (30, 0)", "at least one"]),
        ({"x": at(at(X, (7, 2), np.nan), (9, 0), np.inf), "y": Y}, ["x: 2 of 120", "sample 7, feature 2", "Replace"]),
        ({"x": at(X.astype(float), (1, 1), 1e300), "y": Y}, ["x: 1 of 120", "infinite as float32", "sample 1"]),
        ({"x": X, "y": Y.astype(float)}, ["y: labels are not integers", "float64", "astype('int64')"]),
        ({"x": X, "y": Y > 0}, ["y: labels are not integers", "bool"]),
        ({"x": X, "y": Y[:, None]}, ["y: has shape (30, 1)", "ravel"]),
        ({"x": X, "y": at(Y, 4, -1)}, ["y: 1 labels are negative", "-1 at index 4"]),
        ({"x": X, "y": at(Y.astype(np.uint64), 4, 2**63)}, ["y: 1 labels", str(2**63), "index 4"]),
        ({"x": X, "y": Y[:-1]}, ["x has 30 samples, y 29 labels"]),
        ({"x": X, "y": at(Y, 0, 7)}, ["y: class 7 has 1 sample", "2 per class"]),
        ({"x": X[:6], "y": Y[:6]}, ["6 samples are too few to split 3 classes"]),
        ({"x": X, "y": Y, "x_test": X[:, :3], "y_test": Y}, ["x has samples of shape (4,), x_test of (3,)"]),
        ({"x": X, "y": Y, "x_test": at(X, (0, 1), np.nan), "y_test": Y}, ["x_test: 1 of 120"]),
        ({"x": X, "y": Y, "x_test": X, "y_test": at(Y, 0, -3)}, ["y_test: 1 labels are negative"]),
        ({"x": X, "y": Y, "x_test": X[:9], "y_test": Y}, ["x_test has 9 samples, y_test 30 labels"]),
    ],
)
def test_npz_refusals_name_the_field_and_the_fix(tmp_path, arrays, words):
    refused(npz(tmp_path, **arrays), "mine.npz", *words)


def test_pickled_arrays_are_never_loaded(tmp_path):
    refused(npz(tmp_path, x=np.array([[1, "a"]] * 30, dtype=object), y=Y), "x: cannot be read", "Python objects")


def test_a_member_that_is_no_array_is_refused(tmp_path):
    path = npz(tmp_path, y=Y)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x", b"text")
    refused(path, "x: not numeric")


def bare_npy() -> bytes:
    file = io.BytesIO()
    np.save(file, X)
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"text", bare_npy(), b"PK\x03\x04half"])
def test_what_is_no_zip_is_refused(tmp_path, content):
    path = tmp_path / "broken.npz"
    path.write_bytes(content)
    refused(path, "not a readable .npz", "numpy.savez")


def test_truncated_and_corrupt_npz_are_refused(tmp_path):
    path = npz(tmp_path, x=X, y=Y)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "truncated")
    path.write_bytes(whole[:200] + b"\xff" * 20 + whole[220:])
    refused(path, "x: cannot be read")


def test_paths_that_lead_nowhere_are_refused(tmp_path):
    refused(tmp_path / "none.npz", "none.npz", "no such file", ".npz file or a folder")
    (tmp_path / "table.csv").write_text("1,2")
    refused(tmp_path / "table.csv", "neither a .npz file nor", "numpy.savez")
    (tmp_path / "tale.txt").write_text("Once upon a time")
    refused(tmp_path / "tale.txt", "is a text", "--spec text", "--model")


# IDX

IMAGES = RNG.integers(0, 256, size=(5, 2, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 3, 0], dtype=np.uint8)


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def idx_folder(folder: Path, separator: str = "-", gz: bool = False) -> Path:
    folder.mkdir(exist_ok=True)
    for part, count in (("train", 5), ("t10k", 2)):
        for kind, array in (("images", IMAGES[:count]), ("labels", LABELS[:count])):
            name = f"{part}-{kind}{separator}idx{array.ndim}-ubyte"
            if gz:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            else:
                (folder / name).write_bytes(idx(array))
    return folder


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize("separator", ["-", "."])
def test_an_idx_folder_comes_back_as_it_was_written(tmp_path, separator, gz):
    folder = idx_folder(tmp_path / "mnist", separator, gz)
    loaded = data.load(folder)
    assert loaded.name == "mnist"
    assert (loaded.features, loaded.classes) == (6, 4)
    np.testing.assert_array_equal(np.rint(loaded.x_train * 255), IMAGES)
    np.testing.assert_array_equal(loaded.y_train, LABELS)
    np.testing.assert_array_equal(np.rint(loaded.x_test * 255), IMAGES[:2])
    assert (loaded.x_train.dtype, loaded.y_train.dtype) == (np.float32, np.int64)
    assert_same(loaded, data.load(next(folder.glob("t10k-labels*"))))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("train-labels-idx1-ubyte", None, ["no train-labels-idx1-ubyte", "four files"]),
        ("train-images-idx3-ubyte", idx(IMAGES)[:-1], ["truncated", "29 bytes for 30", "Download it again"]),
        ("train-images-idx3-ubyte", idx(IMAGES) + b"x", ["damaged", "31 bytes for 30"]),
        ("train-images-idx3-ubyte", idx(IMAGES)[:9], ["truncated", "9 bytes", "header has 16"]),
        ("train-images-idx3-ubyte", idx(LABELS) + bytes(8), ["wrong magic number 0x00000801", "0x00000803"]),
        ("t10k-labels-idx1-ubyte", b"<html>404</html>", ["t10k-labels", "wrong magic number"]),
        ("train-labels-idx1-ubyte", idx(LABELS[:4]), ["x has 5 samples, y 4 labels"]),
        ("t10k-labels-idx1-ubyte", idx(LABELS), ["x_test has 2 samples, y_test 5 labels"]),
        ("t10k-images-idx3-ubyte", idx(IMAGES[:2, :1]), ["x has samples of shape (2, 3), x_test of (1, 3)"]),
        ("train-images-idx3-ubyte", idx(IMAGES[:0]), ["x: has shape (0, 2, 3)"]),
    ],
)
def test_idx_refusals_name_the_file_and_the_fix(tmp_path, name, content, words):
    folder = idx_folder(tmp_path)
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    refused(folder, *words)


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:12] + b"\xff" * 8 + b[20:]])
def test_a_corrupt_gzip_file_is_refused(tmp_path, damage):
    folder = idx_folder(tmp_path, gz=True)
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    refused(folder, path.name, "gzip", "Download it again")


def test_what_a_file_is_says_its_content_and_not_its_name(tmp_path):
    whole = data.load(idx_folder(tmp_path)).arrays()
    images, labels = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    images.write_bytes(gzip.compress(images.read_bytes()))  # unpacked by name, packed in fact
    labels.rename(labels.with_name(f"{labels.name}.gz"))
    again = data.load(tmp_path).arrays()
    assert {name: array.tobytes() for name, array in again.items()} == {n: a.tobytes() for n, a in whole.items()}
    images.write_bytes(b"no" + gzip.compress(b"")[2:])
    refused(tmp_path, images.name, "wrong magic number")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "mine.npz"])
def test_data_that_may_not_be_read_are_refused_with_the_reason(tmp_path, monkeypatch, name):
    idx_folder(tmp_path)
    np.savez(tmp_path / "mine.npz", x=np.zeros((40, 2)), y=np.arange(40) % 2)
    whole = io.open

    def may_not(path, *more, **options):
        if str(path).endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return whole(path, *more, **options)

    monkeypatch.setattr(io, "open", may_not)
    refused(tmp_path / name, f"{name}: cannot be read (Permission denied)")
