"""Texts as tokens: the alphabet, sequences, what is learned from and what is tested on, and files that are none."""

import os
from pathlib import Path

import numpy as np
import pytest

from implementations import text
from implementations.errors import BadInput

LONG = "".join(text.ALPHABET[(7 * k * k + k // 3) % text.SYMBOLS] for k in range(1000))


def written(folder: Path, content: bytes) -> Path:
    path = folder / "mine.txt"
    path.write_bytes(content)
    return path


def refusal(path: Path, length: int = 5) -> str:
    with pytest.raises(BadInput) as caught:
        text.load(path, length)
    return str(caught.value)


def read(sequences: np.ndarray) -> str:
    """The characters of tokens, one sequence behind the other."""
    return "".join(text.ALPHABET[token] for token in sequences.ravel())


# Characters


def test_there_is_a_token_for_the_end_of_a_line_and_every_printable_character_of_ascii() -> None:
    assert text.SYMBOLS == len(set(text.ALPHABET)) == 96
    assert {*text.ALPHABET} == {"\n"} | {character for character in map(chr, range(128)) if character.isprintable()}
    np.testing.assert_array_equal(text.tokens(text.ALPHABET), np.arange(96))


@pytest.mark.parametrize("character", ["\t", "\0", "\x7f", "\x80", "ä", "\u2028", "\U0001f600", "\U0010ffff"])
def test_any_other_character_is_one_question_mark(character: str) -> None:
    assert read(text.tokens(f"a{character}b")) == "a?b"


# Sequences


def test_every_token_predicts_the_next_and_the_last_tenth_is_to_test_on(tmp_path: Path) -> None:
    made = text.load(written(tmp_path, LONG.encode()), 7)
    assert (made.name, made.samples, made.classes) == ("mine.txt", 128, 96)  # of 900, and a last one to predict
    for x, y, begin in ((made.x_train, made.y_train, 0), (made.x_test, made.y_test, 900)):
        assert x.shape == y.shape == (len(x), 7)
        assert x.dtype == y.dtype == np.int64
        assert read(x) == LONG[begin : begin + x.size]
        assert read(y) == LONG[begin + 1 : begin + 1 + x.size]
    assert len(made.x_test) == 14
    assert list(made.arrays()) == ["x_train", "y_train", "x_test", "y_test"]


def test_the_same_text_has_the_same_hash_and_another_another(tmp_path: Path) -> None:
    described = text.load(written(tmp_path, LONG.encode()), 7).describe()
    assert described | {"sha256": ""} == {
        "name": "mine.txt", "train_samples": 128, "test_samples": 14, "classes": 96, "sha256": "",
    }  # fmt: skip
    assert text.load(written(tmp_path, LONG.encode()), 7).describe() == described
    changed = LONG[:500] + ("b" if LONG[500] == "a" else "a") + LONG[501:]
    assert text.load(written(tmp_path, changed.encode()), 7).describe()["sha256"] != described["sha256"]


def test_the_help_pages_of_python_are_a_text() -> None:
    made = text.topics(64)
    assert made.samples > 6000
    assert np.mean(np.concatenate([made.x_train.ravel(), made.x_test.ravel()]) == text.ALPHABET.index("?")) < 0.01
    assert 'The "assert" statement' in read(made.x_train)
    assert made.describe() == text.topics(64).describe()


# Files


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_end_as_everywhere(tmp_path: Path, end: str) -> None:
    plain = text.load(written(tmp_path, b"one line\n" * 50), 5)
    assert (
        text.load(written(tmp_path, b"one line\n".replace(b"\n", end.encode()) * 50), 5).describe() == plain.describe()
    )


def test_the_mark_that_some_editors_put_first_is_no_character(tmp_path: Path) -> None:
    made = text.load(written(tmp_path, b"\xef\xbb\xbf" + LONG.encode()), 7)
    assert read(made.x_train[0]) == LONG[:7]


@pytest.mark.parametrize(("length", "least"), [(1, 16), (3, 36), (64, 645)])
def test_two_sequences_to_train_on_and_one_to_test_are_the_least(tmp_path: Path, length: int, least: int) -> None:
    made = text.load(written(tmp_path, b"a" * least), length)
    assert made.samples >= 2
    assert len(made.x_test) == 1
    told = refusal(written(tmp_path, b"a" * (least - 1)), length)
    assert f"the text 'mine.txt' has {least - 1} characters, too few for sequences of {length}" in told
    assert "Give a longer text, or set a smaller length" in told


def test_an_empty_file_is_too_short(tmp_path: Path) -> None:
    assert "has 0 characters" in refusal(written(tmp_path, b""))


def test_what_is_no_text_in_utf_8_is_refused(tmp_path: Path) -> None:
    for content in (LONG.encode("utf-16"), b"\x89PNG\r\n\x1a\n", "größer".encode("latin-1")):
        told = refusal(written(tmp_path, content))
        assert told.startswith(f"--data {tmp_path / 'mine.txt'}: is not a text in UTF-8")
        assert told.endswith("Save it as UTF-8.")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "none.txt: cannot be read (No such file or directory). Give the path of a text file." in refusal(
        tmp_path / "none.txt"
    )
    os.mkfifo(tmp_path / "pipe.txt")
    for path in (tmp_path, tmp_path / "pipe.txt"):
        assert f"{path}: is not a file. Give the path of a text file." in refusal(path)


def test_a_text_of_which_nothing_would_be_left_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Слово за словом, и так далее. " * 99, encoding="utf-8")
    with pytest.raises(BadInput, match=r"text.txt: 2,178 of its 2,970 characters are none of the 96 .* Latin letters"):
        text.load(path, 16)
    path.write_text("Слово, a word " * 99, encoding="utf-8")
    assert text.load(path, 16).samples
