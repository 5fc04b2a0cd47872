"""What max pooling is."""

from implementations.declarations import Convention, Step

MAX_POOL = Step(
    name="max_pool",
    layer="pooling/max_pool",
    title="Max pooling",
    formula="p[b,i,j,k] = max over u,v in {0,1} of a[b,2i+u,2j+v,k]        a (B, H, W, C), p (B, H/2, W/2, C)",
    explanation=(
        "Of every 2x2 places only the largest value goes on: whether a pattern was seen matters more than exactly where. "
        "The maps shrink to a quarter, the next layer's windows see twice as far, and a shift of the image by a pixel often "
        "changes nothing. On the way back the gradient goes to the place that won, the first of equals; the others get "
        "none. An odd last row or column is left out."
    ),
    source="Zhou & Chellappa 1988; Ranzato et al. 2007; Scherer, Müller & Behnke 2010, Evaluation of pooling operations; "
    "Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.3",
    shown_by="logits, gradients",
)

CONVENTIONS = (
    Convention(
        "equal numbers in a max pool",
        "the first in the order of rows gets the gradient (a maximum of reshaped arrays in JAX shares it)",
        "PyTorch, TensorFlow and XLA's reduce_window alike",
    ),
    Convention("odd sides in a pool", "the last row or column is left out", "PyTorch and TensorFlow's VALID"),
)
"""On what frameworks differ here, what was decided, and after whom."""
