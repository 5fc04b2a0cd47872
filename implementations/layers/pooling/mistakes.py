"""Mistakes that people make in a max pool."""

from implementations.declarations import Edits, Mistake

POOL = "pooling/max_pool"

LARGEST = "np.max(windows(a), axis=0)"
CHOSEN = "    return np.argmax(windows(a), axis=0)\n"
ROUTED = "dp * (chosen == place)"
SIDES = "    height, width = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2\n"
PLACED = "    da = np.zeros_like(dp, shape=shape)\n"


def in_torch(p: str) -> Edits:
    """This in the place of PyTorch's maximum."""
    return (("    return nn.MaxPool2d(2)\n", f"""    return Planted(2)


class Planted(nn.MaxPool2d):
    def forward(self, a):
        pool, height, width = super().forward, a.shape[2] // 2 * 2, a.shape[3] // 2 * 2
        whole = a[:, :, :height, :width]
        return {p}
"""),)  # fmt: skip


def with_gradient_of(y: str) -> Edits:
    """The gradient is that of y."""
    return in_torch(f"(lambda y: pool(a).detach() + (y - y.detach()))({y})")


IN_KERAS = '    return keras.layers.MaxPooling2D(2, data_format="channels_last", name=name)\n'
IN_JAX = '    return lax.reduce_window(a, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")\n'


def in_both(p: str) -> dict[str, Edits]:
    """In Keras and JAX, whose layouts are the specification's: this in the place of the maximum."""
    planted = f"""
    height, width, channels = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2, a.shape[3]
    whole = a[:, :height, :width]
    four = xp.reshape(whole, (-1, height // 2, 2, width // 2, 2, channels))
    return {p}
"""
    return {
        "keras": ((IN_KERAS, f"""    return Planted(2, data_format="channels_last", name=name)


class Planted(keras.layers.MaxPooling2D):
    def call(self, a):
        return planted(a, super().call)


def planted(a, pool):
    xp, stop, cast = ops, ops.stop_gradient, ops.cast{planted}"""),),
        "jax": ((IN_JAX, f"""    return planted(a, lambda a: lax.reduce_window(a, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"))


def planted(a, pool):
    xp, stop, cast = jnp, lax.stop_gradient, lambda a, kind: a.astype(kind){planted}"""),),
    }  # fmt: skip


def with_gradient_of_in_both(y: str) -> dict[str, Edits]:
    """The gradient is that of y."""
    return in_both(f"(lambda y: stop(pool(a)) + (y - stop(y)))({y})")


MISTAKES = (
    Mistake("the whole window gets the gradient", "Every place gets it, not the largest alone.", POOL, {
        "numpy": ((ROUTED, "dp"),),
        "torch": with_gradient_of("4 * functional.avg_pool2d(a, 2)"),
        **with_gradient_of_in_both("4 * xp.mean(four, (2, 4))"),
    }),
    Mistake("the first place gets the gradient", "Always the upper left one.", POOL, {
        "numpy": ((ROUTED, "dp * (place == 0)"),),
        "torch": with_gradient_of("whole[:, :, ::2, ::2]"),
        **with_gradient_of_in_both("whole[:, ::2, ::2]"),
    }),
    Mistake("average instead of maximum", "The mean of a window goes on, and its gradient back to all four.", POOL, {
        "numpy": ((LARGEST, "np.mean(windows(a), axis=0)"), (ROUTED, "dp / 4")),
        "torch": in_torch("functional.avg_pool2d(a, 2)"),
        **in_both("xp.mean(four, (2, 4))"),
    }),
    Mistake("rows and columns exchanged on the way back", "The upper right place gets the gradient of the lower left one.", POOL, {
        "numpy": ((ROUTED, "dp * (chosen == (0, 2, 1, 3)[place])"),),
        "torch": in_torch(
            "(lambda four: pool((four.detach() + (four - four.detach()).transpose(3, 5)).reshape(whole.shape)))"
            "(whole.reshape(*a.shape[:2], height // 2, 2, width // 2, 2))"
        ),
        **in_both("pool(xp.reshape(stop(four) + xp.swapaxes(four - stop(four), 2, 4), (-1, height, width, channels)))"),
    }),
    Mistake("an odd first row left out", "Of an odd side the first row is left out, not the last.", POOL, {
        "numpy": (
            (SIDES, SIDES + "    a = a[:, a.shape[1] - height :, a.shape[2] - width :]\n"),
            (PLACED, PLACED + "    whole, da = da, da[:, shape[1] % 2 :, shape[2] % 2 :]\n"),
            ("    return da\n", "    return whole\n"),
        ),
        "torch": in_torch("pool(a[:, :, a.shape[2] - height :, a.shape[3] - width :])"),
        **in_both("pool(a[:, a.shape[1] - height :, a.shape[2] - width :])"),
    }),
    Mistake("the last of equals", "Of equal numbers the last one gets the gradient.", POOL, {
        "numpy": ((CHOSEN, "    return 3 - np.argmax(windows(a)[::-1], axis=0)\n"),),
        "torch": in_torch("pool(whole.flip(2, 3)).flip(2, 3)"),
        **in_both("xp.flip(pool(xp.flip(whole, (1, 2))), (1, 2))"),
    }),
    Mistake("NaN lost in a max pool", "A comparison with NaN is false, so that NaN is never the largest.", POOL, {
        "numpy": ((LARGEST, "np.fmax.reduce(windows(a), axis=0, initial=np.finfo(a.dtype).min)"),),
        "torch": in_torch("pool(torch.where(a.isnan(), torch.finfo(a.dtype).min, a))"),
        "keras": "on two of its backends the maximum loses NaN by itself",
        "jax": "XLA's maximum of a window loses NaN by itself",
    }),
    Mistake("what goes on is rounded", "The largest number is kept in half precision.", POOL, {
        "numpy": ((LARGEST, f"{LARGEST}.astype(np.float16).astype(a.dtype)"),),
        "torch": in_torch("pool(a).half().to(a.dtype)"),
        **in_both("cast(cast(pool(a), 'float16'), a.dtype)"),
    }),
)  # fmt: skip
