"""Where frameworks differ, what the specification decided, and after whom: shown in the fairness table."""

from implementations.declarations import Convention

_IOFFE = "Ioffe & Szegedy 2015"

CONVENTIONS = (
    Convention(
        "batch-norm epsilon", "1e-5, inside the square root (Keras's own default: 1e-3)", f"{_IOFFE}, Algorithm 1"
    ),
    Convention(
        "batch-norm momentum",
        "0.9 is the weight of the old value (PyTorch names the weight of the new one, 0.1)",
        "Keras",
    ),
    Convention("running variance", "unbiased, B/(B-1) (stock Keras keeps the biased one)", f"{_IOFFE}, Algorithm 2"),
    Convention(
        "bias before batch norm",
        "none: its gradient is exactly zero, and Adam would turn the rounding noise into drift",
        f"{_IOFFE}, section 3.2",
    ),
    Convention(
        "dropout", "rate p is the probability of zero; kept values are scaled by 1/(1-p)", "Srivastava et al. 2014"
    ),
    Convention("dense weights", "(in, out); PyTorch stores (out, in)", "the formula z = x W + b"),
    Convention(
        "initial weights",
        "seeded He normal, exactly representable in float32, loaded into all",
        "He et al. 2015, eq. 10",
    ),
    Convention("loss", "cross-entropy from logits, mean over the batch, never clipped", "Bridle 1990"),
    Convention("labels", "integers in [0, C), checked on the host before they reach a framework", "this project"),
    Convention("ReLU at 0", "slope 0", "PyTorch and TensorFlow alike"),
    Convention(
        "SGD momentum",
        "v = mu v + g; w -= lr v (Keras keeps v' = -lr v; state is converted)",
        "Sutskever et al. 2013, as PyTorch writes it",
    ),
    Convention(
        "Adam",
        "m_hat / (sqrt(v_hat) + eps), eps 1e-8; the form 'hat' puts eps beside the uncorrected root, as stock Keras does",
        "Kingma & Ba 2015, Algorithm 1 and the end of section 2",
    ),
    Convention(
        "weight decay",
        "decoupled, kernels only, before the step: w -= lr wd w",
        "Loshchilov & Hutter 2019, Algorithm 2",
    ),
    Convention("gradient clipping", "none in this network", "this project"),
    Convention("TF32", "off for float32", "IEEE 754 binary32 arithmetic throughout"),
    Convention(
        "bfloat16",
        "mixed: products of factors rounded to bfloat16; parameters, slots, statistics and the update in float32",
        "Micikevicius et al. 2018, with bfloat16, which needs no loss scaling",
    ),
    Convention("subnormals", "data stays above 1e-30, so flushing them to zero makes no difference", "this project"),
)
