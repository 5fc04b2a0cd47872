"""Mistakes that people make in layer normalisation."""

from implementations.declarations import Edits, Mistake

NORM = "layer_norm/layer_norm"

MEAN, CENTRED = "    mean = h.mean(axis=-1, keepdims=True)\n", "    centred = h - mean\n"
VARIANCE = "    variance = (centred * centred).mean(axis=-1, keepdims=True)\n"
INV_STD = "inv_std = 1 / np.sqrt(variance + epsilon)"
OF_MEAN = "    of_mean = dz.mean(axis=-1, keepdims=True)\n"
OF_VARIANCE = "    of_variance = (dz * z_hat).mean(axis=-1, keepdims=True)\n"
DZ, DH = "    dz = gamma * dn\n", "inv_std * (dz - of_mean - z_hat * of_variance)"
DGAMMA, DBETA = "total(dn * z_hat)", "total(dn)\n"

FORWARD = "# --- forward ---\n"
IN_TORCH = "nn.LayerNorm(width, eps=epsilon)"
IN_KERAS = "keras.layers.LayerNormalization(epsilon=1e-5, name=name)"
IN_JAX = "    return gamma * ((h - mean) / jnp.sqrt(variance + epsilon)) + beta\n"

Z_HAT, N = "(h - m) / xp.sqrt(v + epsilon)", "gamma * z_hat + beta"
COUNTED = "xp.cumsum(xp.reshape(xp.ones_like(h[..., :1]), (-1,)), 0)"
"""The number of each position of all samples, from 1 on."""


def in_all(z_hat: str = Z_HAT, n: str = N, axis: int = -1) -> dict[str, Edits]:
    """Written out, from the mean m and the variance v over an axis, in words that mean the same in PyTorch, Keras and JAX."""
    planted = f"""def planted(h, gamma, beta, epsilon):
    mean = lambda a: xp.mean(a, axis={axis}, keepdims=True)
    m = mean(h)
    v = mean((h - m) * (h - m))
    z_hat = {z_hat}
    return {n}


"""
    torch = """class Planted(nn.LayerNorm):
    def forward(self, h):
        return planted(h, self.weight, self.bias, self.eps)


"""
    keras = """class Planted(keras.layers.LayerNormalization):
    def call(self, inputs):
        gamma, beta = ops.convert_to_tensor(self.gamma), ops.convert_to_tensor(self.beta)
        return planted(inputs, gamma, beta, self.epsilon)


"""
    return {
        "torch": ((IN_TORCH, "Planted(width, eps=epsilon)"), (FORWARD, planted + torch + FORWARD)),
        "keras": ((IN_KERAS, "Planted(epsilon=1e-5, name=name)"), (FORWARD, planted + keras + FORWARD)),
        "jax": ((IN_JAX, "    return planted(h, gamma, beta, epsilon)\n"), (FORWARD, planted + FORWARD)),
    }


def with_epsilon(root: str) -> dict[str, Edits]:
    """This in the place of sqrt(variance + epsilon)."""
    others = root.replace("np.", "xp.").replace("variance", "v")
    return {"numpy": ((INV_STD, f"inv_std = 1 / ({root})"),), **in_all(f"(h - m) / ({others})")}


def over(axis: int) -> dict[str, Edits]:
    """Mean and variance over another axis."""
    edits = tuple((line, line.replace("axis=-1", f"axis={axis}")) for line in (MEAN, VARIANCE, OF_MEAN, OF_VARIANCE))
    return {"numpy": edits, **in_all(axis=axis)}


def gamma_of(positions: str) -> dict[str, Edits]:
    """Only some positions, by their numbers k, have a part in gamma's gradient."""
    kept = f"xp.reshape((lambda k: {positions})({COUNTED}), (-1, h.shape[1], 1))"
    return in_all(n=f"xp.where({kept}, gamma, stop(gamma)) * z_hat + beta")


MISTAKES = (
    Mistake("layer norm with the unbiased variance", "The sum of squares is divided by E - 1.", NORM, {
        "numpy": ((INV_STD, "inv_std = 1 / np.sqrt(variance * (h.shape[-1] / (h.shape[-1] - 1)) + epsilon)"),),
        **in_all("(h - m) / xp.sqrt(v * (h.shape[-1] / (h.shape[-1] - 1)) + epsilon)"),
    }),
    Mistake("layer norm's epsilon outside the root", "Epsilon is added to the standard deviation.", NORM, with_epsilon("np.sqrt(variance) + epsilon")),
    Mistake("layer norm's epsilon 1e-3", "Epsilon is Keras's own.", NORM, with_epsilon("np.sqrt(variance + 1e-3)")),
    Mistake("layer norm's epsilon 1e-6", "Epsilon is a constant of another library.", NORM, with_epsilon("np.sqrt(variance + 1e-6)")),
    Mistake("layer norm without epsilon", "Nothing is added to the variance.", NORM, with_epsilon("np.sqrt(variance)")),
    Mistake("layer norm's variance in one pass", "The variance is E[h^2] - E[h]^2, a difference of large numbers.", NORM, {
        "numpy": ((VARIANCE, "    variance = (h * h).mean(axis=-1, keepdims=True) - mean * mean\n"),),
        **in_all("(h - m) / xp.sqrt(mean(h * h) - m * m + epsilon)"),
    }),
    Mistake("normed over the batch", "Mean and variance are those of a number in all samples, as in batch norm.", NORM, over(0)),
    Mistake("normed over the positions", "Mean and variance are those of a number at all positions of a sample.", NORM, over(1)),
    Mistake("layer norm's way back without its mean term", "The mean counts as a constant.", NORM, {
        "numpy": ((DH, "inv_std * (dz - z_hat * of_variance)"),),
        **in_all(Z_HAT.replace("- m", "- stop(m)")),
    }),
    Mistake("layer norm's way back without its variance term", "The variance counts as a constant.", NORM, {
        "numpy": ((DH, "inv_std * (dz - of_mean)"),),
        **in_all(Z_HAT.replace("(v", "(stop(v)")),
    }),
    Mistake("gamma outside of layer norm's means", "On the way back gamma multiplies what is left of dn, not what the means are taken of.", NORM, {
        "numpy": ((DZ, "    dz = dn\n"), (DH, f"gamma * {DH}")),
        **in_all(
            f"(lambda h: (lambda m, v: {Z_HAT})(mean(h), mean(xp.square(h - mean(h)))))(h * stop(gamma) + stop(h - h * gamma))",
            "gamma * stop(z_hat) + (z_hat - stop(z_hat)) + beta",
        ),
    }),
    Mistake("dgamma of the last position only", "Gamma's gradient is assigned position by position, not added up.", NORM, {
        "numpy": ((DGAMMA, "total((dn * z_hat)[-1:, -1:])"),),
        **gamma_of("k == xp.max(k)"),
    }),
    Mistake("dgamma of the first 1024 positions", "What a kernel's last block should add to gamma's gradient is missing.", NORM, {
        "numpy": ((DGAMMA, "(dn * z_hat).reshape(-1, dn.shape[-1])[:1024].sum(axis=0)"),),
        **gamma_of("k <= 1024"),
    }),
    Mistake("dbeta averaged", "Beta's gradient is the mean over the positions.", NORM, {
        "numpy": ((DBETA, "total(dn) / (dn.size // dn.shape[-1])\n"),),
        **in_all(n="gamma * z_hat + (lambda b: b + stop(beta - b))(beta / xp.sum(xp.ones_like(h[..., 0])))"),
    }),
    Mistake("rms norm", "The mean is not subtracted (Zhang & Sennrich 2019).", NORM, {
        "numpy": ((CENTRED, "    centred = h\n"), (DH, "inv_std * (dz - z_hat * of_variance)")),
        **in_all("h / xp.sqrt(mean(h * h) + epsilon)"),
    }),
)  # fmt: skip
