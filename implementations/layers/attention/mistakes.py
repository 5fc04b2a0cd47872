"""Mistakes that people make in self-attention: its scores and mask, its softmax, its dropout, its heads, and the way back."""

from implementations.declarations import TRAINING, Edits, Mistake
from implementations.layers.attention.written_out import FORWARD, IN_KERAS, in_keras, in_torch, written_out

ATTENTION = "attention/attention"

Q_K_V = "    q, k, v = (split(product(n, weight), heads) for weight in projections)\n"
P = "    p = softmax(scores(q, k, causal))\n"
WEIGHTED = "    weighted = p if mask is None else dropout.forward(p, mask)\n"
JOINT = "    joint = joined(weighted @ v)\n"
OUT = "    return product(joint, mixed), (n, q, k, v, p, weighted, mask, joint)\n"
S = "    s = q @ turned(k) / math.sqrt(q.shape[-1])\n"
FILLED = "    return np.where(ahead(s.shape[-1]), -np.inf, s) if causal else s\n"
AHEAD = "    return place > place[:, None]\n"
EXPONENTIALS = "    exponentials = np.exp(s - s.max(axis=-1, keepdims=True))\n"
NORMALISED = "    return exponentials / exponentials.sum(axis=-1, keepdims=True)\n"
KEPT = "    n, q, k, v, p, weighted, mask, joint = cache\n"
DJOINT = "    djoint = split(product(do, mixed.T), heads)\n"
DV = "    dv = turned(weighted) @ djoint\n"
DP, SCALED = "dweighted if mask is None else dropout.backward(dweighted, mask)", ", p) / math.sqrt(q.shape[-1])\n"
DQ_DK_DV = "    dq, dk, dv = joined(ds @ k), joined(turned(ds) @ q), joined(dv)\n"
DN = "    dn = product(dq, query.T) + product(dk, key.T) + product(dv, value.T)\n"
DW = "    return dn, [to_weight(dq, n), to_weight(dk, n), to_weight(dv, n), to_weight(do, joint)]\n"
SOFTMAX_BACKWARD = "    return p * (dp - (dp * p).sum(axis=-1, keepdims=True))\n"
SPLIT = "    return a.reshape(*a.shape[:2], heads, -1).swapaxes(1, 2)\n"
JOINED = "    return a.swapaxes(1, 2).reshape(len(a), a.shape[2], -1)\n"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"

RATE_IN_TORCH = "        rate = self.rate if self.training else 0.0\n"
MASK_IN_TORCH = "    return functional.dropout(ones, attention.rate)\n"
P_IN_JAX = "    p = jax.nn.softmax(scores(q, k, causal, factors))\n"
MASK_IN_JAX = "dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)"


def hidden(ahead: str) -> dict[str, Edits]:
    """Which keys a position does not see."""
    return {"numpy": ((AHEAD, f"    return {ahead}\n"),), **written_out(ahead=ahead)}


def filled(number: str) -> dict[str, Edits]:
    """This number as the score of what a position must not see."""
    return {
        "numpy": ((FILLED, FILLED.replace("-np.inf, s", f"{number}, s")),),
        **written_out(filled=f"where(ahead, {number}, s) if causal else s"),
    }


def divided(by: str) -> dict[str, Edits]:
    """Scores divided by this."""
    return {
        "numpy": ((S, f"    s = q @ turned(k) / {by}\n"), (SCALED, f", p) / {by}\n")),
        **written_out(s=f"q @ turned(k) / {by}".replace("math.", "")),
    }


def rounded_to(bits: int) -> dict[str, Edits | str]:
    """The factors of q k^T alone rounded to so many bits."""
    return {
        "numpy": ((S, S.replace("q @ turned(k)", f"rounded(q, {bits}) @ turned(rounded(k, {bits}))")),),
        "cupy": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there",
        **written_out(s=f"coarse(q, {bits}) @ turned(coarse(k, {bits})) / sqrt(D)"),
    }


KEPT_BY_ITSELF = {
    "torch": "autograd keeps by itself what it multiplied on the way forward",
    "keras": "the backend keeps by itself what it multiplied on the way forward",
    "jax": "JAX keeps by itself what it multiplied on the way forward",
}

MISTAKES = (
    Mistake("mask off by one", "A position sees the next one too: the answer.", ATTENTION, hidden("place > place[:, None] + 1")),
    Mistake("a position does not see itself", "Only those before it; the first sees itself.", ATTENTION, hidden("(place >= place[:, None]) & (place > 0)")),
    Mistake("mask transposed", "A position sees itself and those behind it.", ATTENTION, hidden("place < place[:, None]")),
    Mistake("no mask", "Every position sees all.", ATTENTION, {
        "numpy": ((FILLED, "    return s\n"),),
        **written_out(filled="s"),
    }),
    Mistake("mask of 32 positions", "It was made once, for another length: what stands behind it is seen by all.", ATTENTION, hidden("(place > place[:, None]) & (place < 32)")),
    Mistake("mask by whole tiles of four", "A kernel leaves out the tiles that are ahead as a whole, and masks nothing in those on the diagonal.", ATTENTION, hidden("place // 4 > place[:, None] // 4")),
    Mistake("a window of 32 positions", "What lies further back is not seen.", ATTENTION, hidden("(place > place[:, None]) | (place <= place[:, None] - 32)")),
    Mistake("mask in training alone", "A prediction, in which nothing is dropped, sees what comes next.", ATTENTION, {
        "numpy": ((P, P.replace("causal", "causal and mask is not None")),),
        "torch": (("is_causal=self.causal", "is_causal=self.causal and self.training"),),
        "keras": in_keras(causal="use_causal_mask and training"),
        "jax": ((P_IN_JAX, P_IN_JAX.replace("causal", "causal and mask is not None")),),
    }),
    Mistake("0 as the score of what is ahead", "The scores are multiplied by the mask.", ATTENTION, filled("0.0")),
    Mistake("-10 for minus infinity", "What is ahead keeps a little weight.", ATTENTION, filled("-10.0")),
    Mistake("-1e4 for minus infinity", "As GPT-2's own code has it: where scores are large, what is ahead is seen.", ATTENTION, filled("-1e4")),
    Mistake("-1e4 filled in before the scaling", "It is divided by sqrt(D) with the scores.", ATTENTION, {
        "numpy": ((FILLED, FILLED.replace("-np.inf", "-1e4 / math.sqrt(q.shape[-1])")),),
        **written_out(filled="where(ahead, -1e4 / sqrt(D), s) if causal else s"),
    }),
    Mistake("mask behind the softmax", "The weights of what is ahead become 0, and those of the others are not normalised again.", ATTENTION, {
        "numpy": ((P, "    p = softmax(scores(q, k, False))\n    p = np.where(ahead(n.shape[1]), 0, p) if causal else p\n"),),
        **written_out(filled="s", p="where(ahead, 0.0, softmax(s)) if causal else softmax(s)"),
    }),
    Mistake("scores not scaled", "q k^T as it is.", ATTENTION, divided("1.0")),
    Mistake("scores divided by D", "Queries are scaled, and then the scores again.", ATTENTION, divided("q.shape[-1]")),
    Mistake("scores divided by sqrt(E)", "The model's width in the place of a head's.", ATTENTION, divided("math.sqrt(q.shape[1] * q.shape[-1])")),
    Mistake("scale in float32", "sqrt(D) is rounded to float32, whatever the scores are.", ATTENTION, divided("np.float32(math.sqrt(q.shape[-1]))") | written_out(
        s="q @ turned(k) / cast(cast(stop(0 * q[..., :1, :1]) + sqrt(D), float32), q.dtype)",
    )),
    Mistake("scores not scaled on the way back", "Queries and keys get sqrt(D) times their gradient.", ATTENTION, {
        "numpy": ((SCALED, ", p)\n"),),
        **written_out(s="like(q @ turned(k) / sqrt(D), q @ turned(k))"),
    }),
    Mistake("key's gradient not scaled", "Only the query's is divided by sqrt(D).", ATTENTION, {
        "numpy": ((DQ_DK_DV, DQ_DK_DV.replace("turned(ds) @ q", "turned(ds) @ q * math.sqrt(q.shape[-1])")),),
        **written_out(then="k = stop(k) + (k - stop(k)) * sqrt(D)"),
    }),
    Mistake("scores capped softly at 50", "50 tanh(s / 50), as Gemma 2 has it.", ATTENTION, {
        "numpy": ((S, S + "    s = 50 * np.tanh(s / 50)\n"), (SCALED, SCALED.replace("\n", " * (1 - np.tanh(q @ turned(k) / math.sqrt(q.shape[-1]) / 50) ** 2)\n"))),
        **written_out(s="50 * tanh(q @ turned(k) / sqrt(D) / 50)"),
    }),
    Mistake("TF32 in the scores alone", "The factors of q k^T keep eleven bits.", ATTENTION, rounded_to(11)),
    Mistake("bfloat16 in the scores alone", "The factors of q k^T keep eight bits.", ATTENTION, rounded_to(8)),
    Mistake("softmax over the queries", "Over the wrong axis: the weights of a key, not of a query, are 1 together.", ATTENTION, {
        "numpy": tuple((old, old.replace("axis=-1", "axis=-2")) for old in (EXPONENTIALS, NORMALISED, SOFTMAX_BACKWARD)),
        **written_out(p="softmax(s, -2)"),
    }),
    Mistake("largest score not subtracted", "Exponentials of large scores overflow.", ATTENTION, {
        "numpy": ((EXPONENTIALS, "    exponentials = np.exp(s)\n"),),
        **written_out(p="exp(s) / total(exp(s))"),
    }),
    Mistake("softmax to the base 2", "A kernel computes 2^s, and scores were not multiplied by log2(e).", ATTENTION, {
        "numpy": ((EXPONENTIALS, EXPONENTIALS.replace("np.exp", "np.exp2")),),
        **written_out(p="softmax(s * log(2))"),
    }),
    Mistake("not rescaled to a new largest score", "A kernel goes from key to key, and subtracts the largest score until then.", ATTENTION, {
        "numpy": ((EXPONENTIALS, EXPONENTIALS.replace("s.max(axis=-1, keepdims=True)", "np.where(ahead(s.shape[-1]), -np.inf, s[..., None, :]).max(axis=-1)")),),
        **written_out(p="(lambda e: e / total(e))(exp(s - stop(top(where(place > place[:, None], -inf, s[..., None, :]))[..., 0])))"),
    }),
    Mistake("a zero among the scores", "A key more, whose score is 0, takes its share: PyTorch's `add_zero_attn`.", ATTENTION, {
        "numpy": ((P, "    s = scores(q, k, causal)\n    p = softmax(np.concatenate([0 * s[..., :1], s], axis=-1))[..., 1:]\n"),),
        **written_out(p="softmax(concatenate(0 * s[..., :1], s))[..., 1:]"),
    }),
    Mistake("weights below 1e-4 left out", "The exponentials of a table end there.", ATTENTION, {
        "numpy": ((NORMALISED, NORMALISED.replace("return", "p =") + "    return np.where(p < 1e-4, 0, p)\n"),),
        **written_out(p="(lambda p: where(p < 1e-4, 0.0, p))(softmax(s))"),
    }),
    Mistake("1e-9 added to the sum of exponentials", "Against a division by zero, which cannot come.", ATTENTION, {
        "numpy": ((NORMALISED, "    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + 1e-9)\n"),),
        **written_out(p="(lambda e: e / (total(e) + 1e-9))(exp(s - stop(top(s))))"),
    }),
    Mistake("softmax's way back without its sum", "dS = P dP.", ATTENTION, {
        "numpy": ((SOFTMAX_BACKWARD, "    return p * dp\n"),),
        **written_out(p="(lambda e: e / stop(total(e)))(exp(s - stop(top(s))))"),
    }),
    Mistake("softmax's sum over dropped weights", "dS = P (dP - sum(dP P m)).", ATTENTION, {
        "numpy": (
            (SCALED, SCALED.replace(", p)", ", p, weighted)")),
            ("def softmax_backward(dp: Array, p: Array)", "def softmax_backward(dp: Array, p: Array, weighted: Array)"),
            (SOFTMAX_BACKWARD, SOFTMAX_BACKWARD.replace("(dp * p)", "(dp * weighted)")),
        ),
        **written_out(
            p="exp(s - stop(top(s)))",
            weighted="(lambda m, z: m * p / stop(z) * (1 - m * (z / stop(z) - 1)))(dropped(0 * p + 1), total(p))",
        ),
    }),
    Mistake("weights not masked on the way back", "What dropout took away gets a gradient nonetheless.", ATTENTION, {
        "numpy": ((DP, "dweighted"),),
        **written_out(weighted="like(dropped(p), p)"),
    }),
    Mistake("values' gradient from undropped weights", "P in the place of P m.", ATTENTION, {
        "numpy": ((DV, DV.replace("weighted", "p")),),
        **written_out(o="weighted @ stop(v) + stop(p) @ (v - stop(v))"),
    }),
    Mistake("weights normalised again behind dropout", "Those that are kept are 1 together.", ATTENTION, {
        "numpy": ((WEIGHTED, WEIGHTED + "    weighted = weighted / (weighted.sum(axis=-1, keepdims=True) + 1e-9)\n"),),
        **written_out(weighted="(lambda w: w / (total(w) + 1e-9))(dropped(p))"),
    }),
    Mistake("dropout before the softmax", "Scores are dropped, not weights.", ATTENTION, {
        "numpy": (
            (P + WEIGHTED, """    s = scores(q, k, False)
    s = s if mask is None else dropout.forward(s, mask)
    weighted = p = softmax(np.where(ahead(n.shape[1]), -np.inf, s) if causal else s)
"""),
            (DP, "dweighted"), (SCALED, SCALED.replace("\n", " * (1 if mask is None else mask)\n")),
        ),
        **written_out(s="dropped(q @ turned(k) / sqrt(D))", weighted="p"),
    }),
    Mistake("one mask for all heads", "Every head drops the same weights.", ATTENTION, {
        "numpy": ((DRAW, f"""if len(shape) == 4:
            one = dropout.mask(self.rng, (shape[0], 1, *shape[2:]), rate, self.dtype)
            return one.repeat(shape[1], axis=1)
        {DRAW}""", TRAINING),),
        "torch": (
            *in_torch("p * functional.dropout(torch.ones_like(p[:, :1]), self.rate, self.training)"),
            (MASK_IN_TORCH, "    return functional.dropout(ones[:, :1], attention.rate).expand_as(ones)\n"),
        ),
        "keras": ((IN_KERAS, IN_KERAS.replace("kind(", "planted(kind)(")), (FORWARD, f"""def planted(kind):
    class Planted(kind):
        def _build_attention(self, rank):
            super()._build_attention(rank)
            self._dropout_layer.noise_shape = (None, 1, None, None)

    return Planted


{FORWARD}""")),
        "jax": ((MASK_IN_JAX, f"""(
            dropout.mask(subkey, (mask.shape[0], 1, *mask.shape[2:]), mask.rate, spec.dtype).repeat(mask.shape[1], 1)
            if len(mask.shape) == 4 else {MASK_IN_JAX}
        )""", TRAINING),),
    }),
    Mistake("query and key exchanged", "k q^T in the place of q k^T: how well each query fits each key.", ATTENTION, {
        "numpy": ((P, P.replace("q, k", "k, q")), (DQ_DK_DV, DQ_DK_DV.replace("ds @ k), joined(turned(ds) @ q)", "turned(ds) @ k), joined(ds @ q)"))),
        **written_out(s="k @ turned(q) / sqrt(D)"),
    }),
    Mistake("heads by reshape alone", "(B, T, E) is read as (B, H, T, D), and not turned: a head gets some positions, whole.", ATTENTION, {
        "numpy": ((SPLIT, "    return a.reshape(len(a), heads, a.shape[1], -1)\n"), (JOINED, "    return a.reshape(len(a), a.shape[2], -1)\n")),
        **written_out(split="reshape(a, (B, H, T, E // H))", joined="reshape(a, (B, T, E))"),
    }),
    Mistake("heads interleaved", "E is read as (D, H): a head gets every H-th column.", ATTENTION, {
        "numpy": (
            (SPLIT, "    return a.reshape(*a.shape[:2], -1, heads).transpose(0, 3, 1, 2)\n"),
            (JOINED, "    return a.transpose(0, 2, 3, 1).reshape(len(a), a.shape[2], -1)\n"),
        ),
        **written_out(split="swap(swap(reshape(a, (B, T, E // H, H)), 2, 3), 1, 2)", joined="reshape(swap(swap(a, 1, 2), 2, 3), (B, T, E))"),
    }),
    Mistake("heads joined without turning back", "(B, H, T, D) is read as (B, T, E).", ATTENTION, {
        "numpy": ((JOINT, "    joint = (weighted @ v).reshape(n.shape)\n"), (DJOINT, "    djoint = product(do, mixed.T).reshape(v.shape)\n")),
        **written_out(joined="reshape(a, (B, T, E))"),
    }),
    Mistake("mixing weight's gradient from heads that are not joined", "What was kept for the way back is (B, H, T, D), and read as (B, T, E).", ATTENTION, {
        "numpy": ((DW, DW.replace("(do, joint)", "(do, split(joint, heads).reshape(joint.shape))")),),
        **KEPT_BY_ITSELF,
    }),
    Mistake("fused projections cut head by head", "What q, k and v are together is read as (H, 3, D) in the place of (3, H, D), as Megatron has it.", ATTENTION, {
        "numpy": (
            (Q_K_V, """    fused = np.concatenate([product(n, weight) for weight in projections], axis=-1).reshape(*n.shape[:2], heads, 3, -1)
    q, k, v = (fused[:, :, :, i].swapaxes(1, 2) for i in range(3))
"""),
            (DQ_DK_DV, """    fused = np.stack([a.swapaxes(1, 2) for a in (ds @ k, turned(ds) @ q, dv)], axis=3)
    dq, dk, dv = np.split(fused.reshape(*n.shape[:2], -1), 3, axis=-1)
"""),
        ),
        **written_out(qkv="(lambda a: [swap(a[:, :, :, i], 1, 2) for i in range(3)])(reshape(concatenate(n @ wq, n @ wk, n @ wv), (B, T, H, 3, E // H)))"),
    }),
    Mistake("one head's keys and values for all", "Those of the first: multi-query attention (Shazeer 2019).", ATTENTION, {
        "numpy": (
            (Q_K_V, Q_K_V + "    k, v = (np.repeat(a[:, :1], heads, axis=1) for a in (k, v))\n"),
            (DQ_DK_DV, """    of_first = lambda a: joined(np.concatenate([a.sum(axis=1, keepdims=True), 0 * a[:, 1:]], axis=1))
    dq, dk, dv = joined(ds @ k), of_first(turned(ds) @ q), of_first(dv)
"""),
        ),
        **written_out(then="k, v = k[:, :1], v[:, :1]"),
    }),
    Mistake("values by the keys' weights", "A line was copied: v = n Wk.", ATTENTION, {
        "numpy": (
            (Q_K_V, Q_K_V + "    v = k\n"), (DN, DN.replace("(dv, value.T)", "(dv, key.T)")),
            (DW, DW.replace("(dk, n), to_weight(dv, n)", "(dk + dv, n), to_weight(0 * dv, n)")),
        ),
        **written_out(qkv="split(n @ wq), split(n @ wk), split(n @ (wk + 0 * wv))"),
    }),
    Mistake("projections not turned", "Weights of (out, in) in the place of (in, out): they are square, so that both fit.", ATTENTION, {
        "numpy": (
            (Q_K_V, Q_K_V.replace("weight)", "weight.T)", 1)),
            (DN, DN.replace(".T", "")), (DW, "    return dn, [*(to_weight(d, n).T for d in (dq, dk, dv)), to_weight(do, joint)]\n"),
        ),
        **written_out(qkv="split(n @ turned(wq)), split(n @ turned(wk)), split(n @ turned(wv))"),
    }),
    Mistake("nothing back through keys and values", "What goes in gets its gradient through the queries alone.", ATTENTION, {
        "numpy": ((DN, "    dn = product(dq, query.T)\n"),),
        **written_out(qkv="split(n @ wq), split(stop(n) @ wk), split(stop(n) @ wv)"),
    }),
    Mistake("key's gradient added to the query's", "Both weights have one gradient's memory.", ATTENTION, {
        "numpy": ((DW, DW.replace("to_weight(dq, n)", "to_weight(dq + dk, n)")),),
        **written_out(qkv="split(n @ wq), split(n @ (wk + wq - stop(wq))), split(n @ wv)"),
    }),
    Mistake("attention over the batch", "The sequences are read as (T, B, E), as PyTorch's own layers do unless told: `batch_first`.", ATTENTION, {
        "numpy": (
            (Q_K_V, "    n = n.swapaxes(0, 1)\n" + Q_K_V), (OUT, OUT.replace("product(joint, mixed),", "product(joint, mixed).swapaxes(0, 1),")),
            (KEPT, KEPT + "    do = do.swapaxes(0, 1)\n"), (DW, DW.replace("return dn,", "return dn.swapaxes(0, 1),")),
        ),
        **written_out(n="swap(n, 0, 1)", out="swap(o, 0, 1)"),
    }),
    Mistake("weights in half precision", "The factor P of P v is rounded to float16.", ATTENTION, {
        "numpy": ((WEIGHTED, WEIGHTED + "    weighted = weighted.astype(np.float16).astype(p.dtype)\n"),),
        **written_out(weighted="cast(cast(dropped(p), float16), p.dtype)"),
    }),
    Mistake("keys and values of the batch before", "They were kept, as for the next token, and not thrown away; in NumPy in one place for all layers.", ATTENTION, {
        "numpy": (
            (Q_K_V, Q_K_V + "    (k, v), KEPT[k.shape] = KEPT.get(k.shape, (k, v)), (k, v)\n"), (FORWARD, "KEPT = {}\n\n" + FORWARD),
        ),
        "torch": ((RATE_IN_TORCH, f"""        kept, self.kept = getattr(self, "kept", (k, v)), (k.detach(), v.detach())
        k, v = kept if kept[0].shape == k.shape else (k, v)
{RATE_IN_TORCH}"""),),
        "keras": "what a layer keeps of a compiled call is no number, and raises when it is used",
        "jax": "nothing stays in a compiled function from one call to the next",
    }),
)  # fmt: skip
