"""Names of frameworks: another installation is one of the same framework in everything but its interpreter."""

import pytest

from implementations import registry


@pytest.mark.parametrize(
    ("name", "base", "is_peer"),
    [
        ("numpy", "numpy", False),
        ("torch@next", "torch", False),
        ("scikit-learn", "scikit-learn", True),
        ("scikit-learn@next", "scikit-learn", True),
    ],
)
def test_another_installation_is_of_the_same_framework(name: str, base: str, is_peer: bool) -> None:
    assert (registry.base(name), registry.is_peer(name)) == (base, is_peer)
    assert str(registry.missing(name)) == str(registry.missing(base))
    registry.check_framework(name)
