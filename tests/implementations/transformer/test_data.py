"""What the Transformer trains on: pieces of images by hand, text, and files that are of the other kind."""

from pathlib import Path

import numpy as np
import pytest

from implementations import data, text
from implementations.errors import BadInput
from implementations.transformer.data import default, load, pieces
from implementations.transformer.spec import TransformerSpec

TEXT, DIGITS = TransformerSpec(), TransformerSpec.preset("digits")


def test_a_piece_is_a_square_of_pixels_and_pieces_go_row_by_row() -> None:
    image = np.arange(16).reshape(1, 4, 4, 1)
    made = pieces(data.Dataset("mine", image, np.zeros(1, int), image, np.zeros(1, int)), 2)
    by_hand = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    np.testing.assert_array_equal(made.x_train, [by_hand])
    np.testing.assert_array_equal(made.x_test, [by_hand])


def test_every_pixel_and_channel_of_every_image_has_its_place() -> None:
    images, y = np.random.default_rng(0).normal(size=(3, 4, 6, 2)), np.arange(3)
    found = pieces(data.Dataset("mine", images, y, images[:1], y[:1]), 2).x_train
    assert found.shape == (3, 2 * 3, 2 * 2 * 2)
    for b, row, column, channel in np.ndindex(images.shape):
        step, place = row // 2 * 3 + column // 2, row % 2 * 2 + column % 2
        assert found[b, step, 2 * place + channel] == images[b, row, column, channel]


def test_its_own_data_are_text_with_a_vocabulary_and_pieces_of_the_digits_without() -> None:
    pages, digits, images = default(TEXT), default(DIGITS), data.digits().images()
    assert isinstance(pages, text.Text)
    assert pages.describe() == text.topics(64).describe()
    assert (digits.x_train.shape, digits.x_train.dtype) == ((1437, 16, 4), np.float32)
    assert digits.x_train.flags.c_contiguous
    np.testing.assert_array_equal(digits.x_train[5, 6], images.x_train[5, 2:4, 4:6, 0].ravel())
    np.testing.assert_array_equal(digits.y_test, images.y_test)


def test_a_file_is_what_the_specification_reads(tmp_path: Path) -> None:
    novel, images = tmp_path / "novel.txt", tmp_path / "images.npz"
    novel.write_text("It was a dark and stormy night. " * 99, encoding="utf-8")
    x, y = np.random.default_rng(0).integers(0, 255, (30, 4, 5, 3), np.uint8), np.arange(30) % 3
    np.savez(images, x=x, y=y, x_test=x, y_test=y)
    assert load(novel, TEXT).describe() == text.load(novel, 64).describe()
    np.testing.assert_array_equal(load(images, DIGITS).x_train, x.reshape(30, 4, 15).astype(np.float32) / 255)
    for path, spec, told in (
        (novel, DIGITS, "is a text, and the specification has no vocabulary. Say --spec text"),
        (images, TEXT, "the specification has a vocabulary, which takes a text. Give a .txt file"),
        (tmp_path, TEXT, "is not a file. Give the path of a text file"),
        (tmp_path, DIGITS, "no train-images-idx3-ubyte"),
        (tmp_path / "none.npz", TEXT, "cannot be read (No such file or directory)"),
    ):
        with pytest.raises(BadInput) as caught:
            load(path, spec)
        assert f"--data {path}: {told}" in str(caught.value)


@pytest.mark.parametrize("length", [64, 128])
def test_a_text_of_the_right_length_is_cut_for_the_specification(length: int, tmp_path: Path) -> None:
    novel = tmp_path / "novel.txt"
    novel.write_text("abcdefgh" * 400, encoding="utf-8")
    made = load(novel, TEXT.changed(length=length))
    assert made.x_train.shape == (2879 // length, length)
    np.testing.assert_array_equal(made.x_train.ravel()[1:], made.y_train.ravel()[:-1])
