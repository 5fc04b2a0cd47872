"""Planted faults: each a small change in the text of an implementation. The kit must notice every one of them.

`old` must stand in the file exactly `times` times, so that a mutant cannot quietly die of old age.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """A fault, where it is planted, and the specification under which it shows."""

    name: str
    old: str
    new: str
    spec: dict[str, Any] = field(default_factory=dict)
    times: int = 1


ADAM = {"optimizer": {"kind": "adam"}}
ADAMW = {"optimizer": {"kind": "adamw", "weight_decay": 0.1}}
PLAIN = {"batch_norm": False}

NUMPY = [
    Mutant(
        "momentum inverted",
        "self.w[name] *= self.spec.norm_momentum\n            self.w[name] += (1 - self.spec.norm_momentum) * new",
        "self.w[name] *= 1 - self.spec.norm_momentum\n            self.w[name] += self.spec.norm_momentum * new",
    ),
    Mutant(
        "momentum 0.01",
        "self.w[name] *= self.spec.norm_momentum\n            self.w[name] += (1 - self.spec.norm_momentum) * new",
        "self.w[name] *= 0.01\n            self.w[name] += 0.99 * new",
    ),
    Mutant("unbiased normalising variance", "inv_std = 1 / np.sqrt(variance + epsilon)",
           "inv_std = 1 / np.sqrt(variance * (len(z) / (len(z) - 1)) + epsilon)"),
    Mutant("biased running variance", 'if self.spec.running_variance == "unbiased":', "if False:"),
    Mutant("epsilon outside the root", "inv_std = 1 / np.sqrt(variance + epsilon)",
           "inv_std = 1 / (np.sqrt(variance) + epsilon)"),
    Mutant("epsilon missing", "inv_std = 1 / np.sqrt(variance + epsilon)", "inv_std = 1 / np.sqrt(variance)"),
    Mutant("epsilon 1e-3", "inv_std = 1 / np.sqrt(variance + epsilon)", "inv_std = 1 / np.sqrt(variance + 1e-3)"),
    Mutant("epsilon missing in prediction", "np.sqrt(variance + epsilon)) + beta", "np.sqrt(variance)) + beta"),
    Mutant("statistics not updated", "self._update_statistics(i, mean, variance, len(x))", "pass"),
    Mutant("statistics updated twice", "self._update_statistics(i, mean, variance, len(x))",
           "[self._update_statistics(i, mean, variance, len(x)) for _ in range(2)]"),
    Mutant("evaluation with batch statistics", "gamma * ((z - mean) / np.sqrt(variance + epsilon)) + beta",
           "gamma * ((z - z.mean(0)) / np.sqrt(z.var(0) + epsilon)) + beta"),
    Mutant("dropout on in evaluation", "            h = relu(h)\n        return",
           "            h = relu(h) * dropout_mask(np.random.default_rng(0), h.shape, self.spec.dropout, self.dtype)\n        return"),
    Mutant("batch-norm backward without its mean term", "    dz -= dbeta / len(dn)\n", ""),
    Mutant("batch-norm backward without its variance term", "    dz -= z_hat\n", ""),
    Mutant("dgamma averaged", 'dgamma = np.einsum("bh,bh->h", dn, z_hat)', "dgamma = (dn * z_hat).mean(axis=0)"),
    Mutant("dropout unscaled", "1 / (1 - rate), dtype", "1, dtype"),
    Mutant("dropout scaled by 1/p", "1 / (1 - rate), dtype", "1 / rate, dtype"),
    Mutant("dropout keeps p", "kept = bits >=", "kept = bits <"),
    Mutant("dropout backward unmasked", "    dh *= mask\n", ""),
    Mutant("mask reused", "return dropout_mask(self.rng, shape", "return dropout_mask(np.random.default_rng(0), shape"),
    Mutant("square weight transposed", 'h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))\n            z_hat',
           'h = dense(h, w[f"dense{i}.weight"] if i == 1 else w[f"dense{i}.weight"].T, w.get(f"dense{i}.bias"))\n            z_hat'),
    Mutant("bias gradient averaged", 'gradients[f"dense{i}.bias"] = dh.sum(axis=0)',
           'gradients[f"dense{i}.bias"] = dh.mean(axis=0)', PLAIN),
    Mutant("label off by one", "dlogits[np.arange(len(y)), y] -= 1",
           "dlogits[np.arange(len(y)), (y + 1) % dlogits.shape[1]] -= 1"),
    Mutant("loss summed", "return losses.mean()", "return losses.sum()"),
    Mutant("gradient summed", "return dlogits / len(y)", "return dlogits"),
    Mutant("ReLU passes all gradients", "    da *= a > 0\n", ""),
    Mutant("Adam without bias correction", "correction1, correction2 = 1 - beta1**step, 1 - beta2**step",
           "correction1, correction2 = 1.0, 1.0", ADAM),
    Mutant("Adam's step off by one", "correction1, correction2 = 1 - beta1**step, 1 - beta2**step",
           "correction1, correction2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)", ADAM),
    Mutant("Adam with epsilon hat", 'if settings.epsilon_form == "algorithm1":', "if False:", ADAM),
    Mutant("coupled weight decay", "w *= 1 - optimizer.learning_rate * optimizer.weight_decay",
           "g = g + optimizer.weight_decay * w", ADAMW),
    Mutant("decay on biases", 'if optimizer.kind == "adamw" and name.endswith(".weight"):',
           'if optimizer.kind == "adamw":', ADAMW),
    Mutant("Nesterov", "if velocity is None else velocity,", "if velocity is None else g + settings.momentum * velocity,"),
    Mutant("dampening", "        velocity += g\n", "        velocity += (1 - settings.momentum) * g\n"),
    Mutant("input overwritten", "return losses.mean()", "x *= 0.5; return losses.mean()"),
    Mutant("silent downcast", "z = x @ weight", "z = (x.astype(np.float16) @ weight.astype(np.float16)).astype(x.dtype)"),
]  # fmt: skip

TORCH = [
    Mutant("momentum inverted", "momentum=1 - spec.norm_momentum", "momentum=spec.norm_momentum"),
    Mutant("momentum 0.01", "momentum=1 - spec.norm_momentum", "momentum=0.01"),
    Mutant("biased running variance", 'nn.BatchNorm1d if spec.running_variance == "unbiased" else', ""),
    Mutant("epsilon 1e-3", "eps=spec.norm_epsilon", "eps=1e-3"),
    Mutant("evaluation with batch statistics", "            self.network.eval()\n", "            pass\n"),
    Mutant("no gradient reset", "        self.optimizer.zero_grad()\n", "", {}),
    Mutant("Nesterov", "momentum=settings.momentum)", "momentum=settings.momentum, nesterov=True)"),
    Mutant("dampening", "momentum=settings.momentum)", "momentum=settings.momentum, dampening=0.5)"),
    Mutant("coupled weight decay", "torch.optim.AdamW(groups, **adam)", "torch.optim.Adam(groups, **adam)", ADAMW),
    Mutant("decay on biases", '"weight_decay": 0.0}', '"weight_decay": settings.weight_decay}', ADAMW),
    Mutant("Adam with epsilon hat", 'if getattr(self.spec.optimizer, "epsilon_form", None) == "hat":', "if True:", ADAM),
    Mutant("loss summed", "functional.cross_entropy(logits, y)", 'functional.cross_entropy(logits, y, reduction="sum")'),
    Mutant("label smoothing", "functional.cross_entropy(logits, y)", "functional.cross_entropy(logits, y, label_smoothing=0.01)"),
    Mutant("dropout rate", "nn.Dropout(spec.dropout)", "nn.Dropout(spec.dropout / 2)"),
    Mutant("dropout before ReLU's place", "nn.Dropout(spec.dropout)", "nn.AlphaDropout(spec.dropout)"),
    Mutant("leaky ReLU", "nn.ReLU()", "nn.LeakyReLU(0.01)"),
]  # fmt: skip
