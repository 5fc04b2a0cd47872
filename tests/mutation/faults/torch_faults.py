"""The faults in PyTorch. Where the framework does a step by itself, the fault takes its place."""

LAYER = '    kind = nn.BatchNorm1d if running_variance == "unbiased" else BiasedBatchNorm1d\n'
NORM = "    return kind(width, eps=epsilon, momentum=1 - momentum)\n"
DENSE = "    return nn.Linear(inputs, outputs, bias=bias)\n"
DROPOUT = "    return nn.Dropout(rate)\n"
RELU = "    return nn.ReLU()\n"
LOSS = "    return functional.cross_entropy(logits.flatten(0, -2), y.flatten())\n"
SGD = "return torch.optim.SGD(parameters.values(), lr=settings.learning_rate, momentum=settings.momentum)"
ZERO = "        self.optimizer.zero_grad()\n"
FORWARD = """        with self.mixed():
            loss = cross_entropy.forward(self.network(batch["x"]), batch["y"])
"""
BACKWARD = "        self.backward(loss)\n"
STEP = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
RETURN = "        return loss.detach()\n"
EVAL = "            self.network.eval()\n"
HAT = 'if settings.kind != "sgd" and settings.epsilon_form == "hat":'
ADAMW = "return torch.optim.AdamW(groups, **options)"


def norm(
    normalised: str, update: str = "", evaluation: str = "return super().forward(z)"
) -> tuple[tuple[str, str], ...]:
    """Batch norm written out, with this for the normalised values."""
    update = update or (
        "self.running_mean.lerp_(mean.detach(), self.momentum); "
        "self.running_var.lerp_(z.detach().var(0), self.momentum)"
    )
    return ((NORM, f'''    return Planted(width, eps=epsilon, momentum=1 - momentum)


class Planted(nn.BatchNorm1d):
    def forward(self, z):
        if not self.training:
            {evaluation}
        mean, variance = z.mean(0), z.var(0, unbiased=False)
        {update}
        return {normalised}
'''),)  # fmt: skip


def module(old: str, base: str, forward: str, made: str) -> tuple[tuple[str, str], ...]:
    """A layer with another forward pass in the place of PyTorch's."""
    return (
        (
            old,
            f"    return {made}\n\n\nclass Planted{base}(nn.{base}):\n    def forward(self, x):\n        {forward}\n",
        ),
    )


def linear(product: str) -> tuple[tuple[str, str], ...]:
    """A dense layer with another matrix product."""
    forward = f"z = {product}\n        return z if self.bias is None else z + self.bias"
    return module(DENSE, "Linear", forward, "PlantedLinear(inputs, outputs, bias=bias)")


def dropped(forward: str) -> tuple[tuple[str, str], ...]:
    """Dropout written out, for training."""
    return module(DROPOUT, "Dropout", f"return ({forward}) if self.training else x", "PlantedDropout(rate)")


SCALED = " * self.weight + self.bias"
TF32 = "(lambda a: ((a.detach().view(torch.int32) + 0x1000) & -0x2000).view(torch.float32) + (a - a.detach()))"

EDITS = {
    "batch-norm momentum inverted": ((NORM, NORM.replace("1 - momentum", "momentum")),),
    "batch-norm momentum 0.01": ((NORM, NORM.replace("1 - momentum", "0.01")),),
    "unbiased normalising variance": norm("(z - mean) / torch.sqrt(z.var(0) + self.eps)" + SCALED),
    "biased running variance": ((LAYER, "    kind = BiasedBatchNorm1d\n"),),
    "one-pass variance": norm("(z - mean) / torch.sqrt((z * z).mean(0) - mean * mean + self.eps)" + SCALED),
    "epsilon outside the root": norm("(z - mean) / (torch.sqrt(variance) + self.eps)" + SCALED),
    "epsilon missing": norm("(z - mean) / torch.sqrt(variance)" + SCALED),
    "epsilon 1e-3": ((NORM, NORM.replace("eps=epsilon", "eps=1e-3")),),
    "epsilon missing in prediction": norm(
        "(z - mean) / torch.sqrt(variance + self.eps)" + SCALED,
        evaluation="return (z - self.running_mean) / torch.sqrt(self.running_var)" + SCALED,
    ),
    "statistics not updated": ((NORM, NORM.replace("1 - momentum", "0.0")),),
    "statistics updated twice": norm(
        "(z - mean) / torch.sqrt(variance + self.eps)" + SCALED,
        update="[(self.running_mean.lerp_(mean.detach(), self.momentum), "
        "self.running_var.lerp_(z.detach().var(0), self.momentum)) for _ in range(2)]",
    ),
    "evaluation with batch statistics": ((EVAL, "            pass\n"),),
    "batch-norm backward without its mean term": norm("(z - mean.detach()) / torch.sqrt(variance + self.eps)" + SCALED),
    "batch-norm backward without its variance term": norm("(z - mean) / torch.sqrt(variance.detach() + self.eps)" + SCALED),
    "dgamma averaged": norm(
        "(z - mean) / torch.sqrt(variance + self.eps) * (self.weight / len(z) + (self.weight * (1 - 1 / len(z))).detach())"
        " + self.bias"
    ),
    "dropout on in evaluation": (
        (EVAL, EVAL + "            [layer.train() for layer in self.network if isinstance(layer, nn.Dropout)]\n"),
    ),
    "dropout unscaled": dropped("x * (torch.rand_like(x) >= self.p)"),
    "dropout scaled by 1/p": dropped("x * (torch.rand_like(x) >= self.p) / self.p"),
    "dropout keeps p": dropped("x * (torch.rand_like(x) < self.p) / (1 - self.p)"),
    "dropout rate halved": ((DROPOUT, DROPOUT.replace("rate", "rate / 2")),),
    "dropout backward unmasked": dropped("x + (nn.functional.dropout(x.detach(), self.p) - x.detach())"),
    "mask reused": dropped("(torch.manual_seed(0), nn.functional.dropout(x, self.p))[1]"),
    "square weight transposed": linear("x @ (self.weight if len(self.weight) == self.weight.shape[1] else self.weight.T)"),
    "bias gradient averaged": module(
        DENSE, "Linear",
        "bias = None if self.bias is None else self.bias / len(x) + (self.bias * (1 - 1 / len(x))).detach()\n"
        "        return nn.functional.linear(x, self.weight, bias)",
        "PlantedLinear(inputs, outputs, bias=bias)",
    ),
    "ReLU passes all gradients": module(RELU, "ReLU", "return x + (nn.functional.relu(x) - x).detach()", "PlantedReLU()"),
    "leaky ReLU": ((RELU, "    return nn.LeakyReLU(0.01)\n"),),
    "label off by one": ((LOSS, LOSS.replace("y.", "((y + 1) % logits.shape[1]).")),),
    "label smoothing": ((LOSS, LOSS.replace("y.flatten()", "y, label_smoothing=0.01")),),
    "loss summed": ((LOSS, LOSS.replace("y.flatten()", 'y, reduction="sum"')),),
    "gradient summed": ((BACKWARD, "        self.backward(loss * len(batch[\"y\"]))\n"),),
    "softmax overflow": (
        (LOSS, "    p = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)\n    return -torch.log(p[torch.arange(len(y)), y]).mean()\n"),
    ),
    "clipped cross-entropy": (
        (LOSS, "    p = torch.softmax(logits, 1).clamp(1e-7, 1 - 1e-7)\n    return -torch.log(p[torch.arange(len(y)), y]).mean()\n"),
    ),
    "stale gradient": (
        (STEP, """        fresh = [p.grad.clone() for p in self.network.parameters()]
        for p, g in zip(self.network.parameters(), getattr(self, "stale", fresh)):
            p.grad.copy_(g)
        self.stale = fresh
""" + STEP),
    ),
    "gradient not reset": ((ZERO, ""),),
    "Nesterov": ((SGD, SGD[:-1] + ", nesterov=True)"),),
    "dampening": ((SGD, SGD[:-1] + ", dampening=0.5)"),),
    "Adam without bias correction": (
        (STEP, '        [slots["step"].fill_(1e6) for slots in self.optimizer.state.values()]\n' + STEP),
    ),
    "Adam's step off by one": (('torch.tensor(float(step))', 'torch.tensor(float(step + 1))'),),
    "Adam with epsilon hat": ((HAT, "if True:"),),
    "float32 powers of beta": (
        ('"betas": (settings.beta1, settings.beta2)', '"betas": tuple(torch.tensor(b, dtype=torch.float32).item() for b in (settings.beta1, settings.beta2))'),
    ),
    "coupled weight decay": ((ADAMW, "return torch.optim.Adam(groups, **options)"),),
    "decay on biases": (('"weight_decay": 0.0}', '"weight_decay": settings.weight_decay}'),),
    "decay after the step": (
        (ADAMW, "return torch.optim.Adam(parameters.values(), **options)"),
        (STEP, STEP + """        for p in self.network.parameters():
            if p.ndim == 2 and self.spec.optimizer.kind == "adamw":
                p.data *= 1 - self.spec.optimizer.learning_rate * self.spec.optimizer.weight_decay
"""),
    ),
    "TF32 on": linear(f"{TF32}(x.float()).to(x.dtype) @ {TF32}(self.weight.float()).to(x.dtype).T"),
    "silent downcast": linear("(x.bfloat16() @ self.weight.bfloat16().T).to(x.dtype)"),
    "input overwritten": ((RETURN, "        batch[\"x\"].mul_(0.5)\n" + RETURN),),
}  # fmt: skip

ELSEWHERE: dict[str, str] = {}
