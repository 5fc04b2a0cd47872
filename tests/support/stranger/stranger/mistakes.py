"""Mistakes that people make in this network, and in its own layers."""

from implementations.declarations import Mistake

MISTAKES = (
    Mistake("the whole window gets the gradient", "It is shared by all positions, not given to the largest.", "maximum", {
        "numpy": (("dh * (chosen == k)", "dh / width"),),
        "torch": "autograd goes back by itself, to what the maximum chose",
    }),
    Mistake("table's gradient halved", "Half of the gradient reaches a token's row.", "embedding", {
        "numpy": (("de.reshape(x.size, -1)", "de.reshape(x.size, -1) / 2"),),
        "torch": "autograd goes back by itself, to the rows that were read",
    }),
    Mistake("one rate for both dropouts", "Units are dropped at the rate of the windows.", "stranger", {
        "numpy": (("spec.dropout_of_units).reshape", "spec.dropout_of_windows).reshape"),),
        "torch": (("dropout.layer(spec.dropout_of_units)", "dropout.layer(spec.dropout_of_windows)"),),
    }),
    Mistake("tokens read backwards", "The windows are those of the reversed sequence.", "stranger", {
        "numpy": "the way back has to be turned too, which is no slip",
        "torch": (("self.embedding(x).unfold", "self.embedding(x.flip(1)).unfold"),),
    }),
)  # fmt: skip
