"""On what frameworks differ in every network, what was decided, and after whom."""

from implementations.declarations import Convention

CONVENTIONS = (
    Convention("TF32", "off for float32", "IEEE 754 binary32 arithmetic throughout"),
    Convention(
        "bfloat16",
        "mixed: products of factors rounded to bfloat16; parameters, slots, statistics and the update in float32",
        "Micikevicius et al. 2018, with bfloat16, which needs no loss scaling",
    ),
    Convention("subnormals", "data stays above 1e-30, so flushing them to zero makes no difference", "this project"),
)
