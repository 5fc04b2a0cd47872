"""On what frameworks differ here, and what was decided."""

from implementations.declarations import Convention

CONVENTIONS = (Convention("which of two equal numbers is the maximum", "the first", "NumPy"),)
