"""Mistakes that people make in clipping by the global norm."""

from implementations.declarations import TRAINING, Edits, Mistake

CLIPPING, OPTIMIZER = "clipping/clipping", "optimizer/optimizer"

FACTOR = "    factor = largest / np.maximum(norm(gradients), largest)\n"
CLIPPED = "    return {name: g * factor for name, g in gradients.items()}\n"
IN_TRAINING = "        return clipping.clip(gradients, largest) if largest else gradients\n"

NORM_IN_TORCH = "    norm = nn.utils.get_total_norm(gradients)\n"
IN_TORCH = "    torch._foreach_mul_(gradients, largest / norm.clamp(min=largest))\n"
STEP_IN_TORCH = "            clipping.clip(self.network.parameters(), self.spec.largest_norm)\n"

IN_KERAS = '    return {"global_clipnorm": number(largest)} if largest else {}\n'
SUMMED_IN_KERAS = (
    "        return super().apply([embedding.summed(gradient) for gradient in grads], trainable_variables)\n"
)

FACTOR_IN_JAX = FACTOR.replace("np.", "jnp.")
STEP_IN_JAX = "    gradients = clipped(gradients, spec)\n"


def in_keras(*lines: str) -> Edits:
    """Clipping written out; `norm` is that of a list, `largest` what it is clipped to."""
    body = "\n        ".join(lines)
    return ((SUMMED_IN_KERAS, f"""{SUMMED_IN_KERAS}
    def _clip_gradients(self, grads):
        largest = ops.cast(self.global_clipnorm, grads[0].dtype)
        norm = lambda tensors: ops.sqrt(sum(ops.sum(ops.square(g)) for g in tensors))
        clip = lambda tensors, n: [g * (largest / ops.maximum(n, largest)) for g in tensors]
        {body}
""", OPTIMIZER),)  # fmt: skip


MISTAKES = (
    Mistake("no clipping", "The gradients are taken as they are.", CLIPPING, {
        "numpy": ((CLIPPED, "    return gradients\n"),),
        "torch": ((IN_TORCH, ""),),
        "keras": ((IN_KERAS, "    return {}\n"),),
        "jax": ((CLIPPED, "    return gradients\n"),),
    }),
    Mistake("clipped tensor by tensor", "Every tensor has a norm of its own.", CLIPPING, {
        "numpy": ((FACTOR, ""), (CLIPPED, "    return {name: g * (largest / np.maximum(norm({name: g}), largest)) for name, g in gradients.items()}\n")),
        "torch": ((IN_TORCH, "    for g in gradients:\n        g.mul_(largest / g.norm().clamp(min=largest))\n"),),
        "keras": ((IN_KERAS, IN_KERAS.replace("global_clipnorm", "clipnorm")),),
        "jax": ((FACTOR_IN_JAX, ""), (CLIPPED, "    return {name: g * (largest / jnp.maximum(norm({name: g}), largest)) for name, g in gradients.items()}\n")),
    }),
    Mistake("clipped number by number", "Every number is kept between -c and c.", CLIPPING, {
        "numpy": ((FACTOR, ""), (CLIPPED, "    return {name: np.clip(g, -largest, largest) for name, g in gradients.items()}\n")),
        "torch": ((IN_TORCH, "    [g.clamp_(-largest, largest) for g in gradients]\n"),),
        "keras": ((IN_KERAS, IN_KERAS.replace("global_clipnorm", "clipvalue")),),
        "jax": ((FACTOR_IN_JAX, ""), (CLIPPED, "    return {name: jnp.clip(g, -largest, largest) for name, g in gradients.items()}\n")),
    }),
    Mistake("clipped to the norm always", "Short gradients become longer.", CLIPPING, {
        "numpy": ((FACTOR, "    factor = largest / norm(gradients)\n"),),
        "torch": ((IN_TORCH, IN_TORCH.replace("norm.clamp(min=largest)", "norm")),),
        "keras": in_keras("return [g * (largest / norm(grads)) for g in grads]"),
        "jax": ((FACTOR_IN_JAX, "    factor = largest / norm(gradients)\n"),),
    }),
    Mistake("1e-6 added to the norm", "As `clip_grad_norm_` of PyTorch does, against a division by zero.", CLIPPING, {
        "numpy": ((FACTOR, FACTOR.replace("norm(gradients)", "norm(gradients) + 1e-6")),),
        "torch": ((NORM_IN_TORCH, NORM_IN_TORCH.replace("\n", " + 1e-6\n")),),
        "keras": in_keras("return clip(grads, norm(grads) + 1e-6)"),
        "jax": ((FACTOR_IN_JAX, FACTOR_IN_JAX.replace("norm(gradients)", "norm(gradients) + 1e-6")),),
    }),
    Mistake("norm without the biases", "Only matrices count, though all gradients become shorter.", CLIPPING, {
        "numpy": ((FACTOR, FACTOR.replace("gradients", "{n: g for n, g in gradients.items() if g.ndim > 1}")),),
        "torch": ((NORM_IN_TORCH, NORM_IN_TORCH.replace("gradients", "[g for g in gradients if g.ndim > 1]")),),
        "keras": in_keras("return clip(grads, norm([g for g in grads if len(g.shape) > 1]))"),
        "jax": ((FACTOR_IN_JAX, FACTOR_IN_JAX.replace("gradients", "{n: g for n, g in gradients.items() if g.ndim > 1}")),),
    }),
    Mistake("gradients up to twice too long left alone", "They are shortened only where it is worth it.", CLIPPING, {
        "numpy": ((FACTOR, "    length = norm(gradients)\n    factor = largest / length if length > 2 * largest else length / length\n"),),
        "torch": ((IN_TORCH, "    torch._foreach_mul_(gradients, torch.where(norm > 2 * largest, largest / norm, torch.ones_like(norm)))\n"),),
        "keras": in_keras(
            "n = norm(grads)",
            "factor = ops.where(n > 2 * largest, largest / n, ops.ones_like(n))",
            "return [g * factor for g in grads]",
        ),
        "jax": ((FACTOR_IN_JAX, "    length = norm(gradients)\n    factor = jnp.where(length > 2 * largest, largest / length, 1)\n"),),
    }),
    Mistake("clipped behind the momentum", "What is shortened is the velocity.", CLIPPING, {
        "numpy": ((IN_TRAINING, """        kept = {name: self.spec.optimizer.momentum * self.w[f"velocity:{name}"] for name in gradients}
        moved = clipping.clip({name: kept[name] + g for name, g in gradients.items()}, largest)
        return {name: velocity - kept[name] for name, velocity in moved.items()}
""", TRAINING),),
        "torch": ((STEP_IN_TORCH, f"""            trained = [p for p in self.network.parameters() if p.grad is not None]
            kept = [self.spec.optimizer.momentum * self.optimizer.state[p]["momentum_buffer"] for p in trained]
            torch._foreach_add_([p.grad for p in trained], kept)
{STEP_IN_TORCH}            torch._foreach_sub_([p.grad for p in trained], kept)
""", TRAINING),),
        "keras": in_keras(
            "kept = [v * (self.momentum / -ops.cast(self.learning_rate, v.dtype)) for v in self.momentums]",
            "moved = [k + g for k, g in zip(kept, grads)]",
            "return [v - k for v, k in zip(clip(moved, norm(moved)), kept)]",
        ),
        "jax": ((STEP_IN_JAX, """    kept = {name: spec.optimizer.momentum * old.slots[f"velocity:{name}"] for name in gradients}
    moved = clipped({name: kept[name] + g for name, g in gradients.items()}, spec)
    gradients = {name: velocity - kept[name] for name, velocity in moved.items()}
""", TRAINING),),
    }),
)  # fmt: skip
