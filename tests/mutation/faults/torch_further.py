"""The faults of numpy_further, in PyTorch."""

from tests.mutation.faults import torch_faults

SEED = "        torch.manual_seed(spec.seed)\n"
LOGITS = '            return self.network(batch["x"]).to(self.dtype)\n'
SLOT_STEP = '            slots["step"] = torch.tensor(float(step))\n'
COPIED = 'value = torch.from_numpy(np.array(state[name], order="C"))'
MOMENTUM = "momentum=settings.momentum)"
NORMALISED = "(z - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias"
MOVED = "self.running_mean.lerp_(mean.detach(), self.momentum); self.running_var.lerp_({}, self.momentum)"

EDITS = {
    "prediction remembered by its object": (
        (LOGITS, """            x = batch["x"]
            key = (id(x), self.step, float(sum(p.sum() for p in self.network.parameters())))
            if getattr(self, "seen", (None,))[0] != key:
                self.seen = key, x, self.network(x)
            return self.seen[2]
"""),
    ),
    "idle inputs not updated": (
        (torch_faults.STEP, """        first = self.network[0].weight
        idle = ~first.grad.any(dim=0)
        ours = [first.detach(), *(s for s in self.optimizer.state[first].values() if torch.is_tensor(s) and s.ndim == 2)]
        untouched = [a[:, idle].clone() for a in ours]
""" + torch_faults.STEP + """        for a, columns in zip(ours, untouched):
            a[:, idle] = columns
"""),
    ),
    "the next step's mask leaks": (
        (torch_faults.DROPOUT, """    leaking = Leaking(rate)
    return leaking


class Leaking(nn.Dropout):
    def forward(self, x):
        if not self.training:
            return x
        state = torch.get_rng_state()
        if not Leaking.second:
            Leaking.second = True
            x = x * ((torch.rand(x.shape) >= self.p) / (1 - self.p)).to(x.dtype)
            return x
        x = x * ((torch.rand(x.shape) >= self.p) / (1 - self.p)).to(x.dtype)
        torch.set_rng_state(state)
        Leaking.second = False
        return x

    second = False
"""),
    ),
    "loss buffer reused": (
        (torch_faults.RETURN, """        self.loss = getattr(self, "loss", torch.zeros((), dtype=self.dtype))
        return self.loss.copy_(loss.detach())
"""),
    ),
    "logits buffer reused": (
        (LOGITS, """            logits = self.network(batch["x"])
            self.buffers = getattr(self, "buffers", {})
            return self.buffers.setdefault(logits.shape, logits).copy_(logits)
"""),
    ),
    "Adam's correction stands still at 2048": ((SLOT_STEP, SLOT_STEP.replace("float(step))", "float(step), dtype=torch.float16)")),),
    "labels through a byte": ((torch_faults.LOSS, torch_faults.LOSS.replace("y.", "y.to(torch.uint8).long().")),),
    "mask tiled above 65536 units": torch_faults.dropped(
        "x * (torch.rand(min(x.numel(), 2**16)).repeat(-(-x.numel() // 2**16))[: x.numel()].view(x.shape) >= self.p) / (1 - self.p)"
    ),
    "AMSGrad": (
        ('"eps": settings.epsilon}', '"eps": settings.epsilon, "amsgrad": True}'),
        (SLOT_STEP, SLOT_STEP + '            slots["max_exp_avg_sq"] = torch.zeros_like(parameter)\n'),
    ),
    "dropout rate in 256ths": torch_faults.dropped("x * (torch.randint(256, x.shape, dtype=torch.uint8) >= round(self.p * 256)) / (1 - self.p)"),
    "ReLU capped at 20": ((torch_faults.RELU, "    return nn.Hardtanh(0.0, 20.0)\n"),),
    "ReLU's slope 1/2 at zero": torch_faults.module(torch_faults.RELU, "ReLU", "return torch.maximum(x, torch.zeros_like(x))", "PlantedReLU()"),
    "state rounded to float32": ((COPIED, COPIED.replace("state[name]", "state[name], dtype=np.float32")),),
    "gradient over the configured batch": ((torch_faults.BACKWARD, '        self.backward(loss * (len(batch["y"]) / self.spec.batch))\n'),),
    "small gradients flushed": (
        (torch_faults.BACKWARD, torch_faults.BACKWARD + "        for p in self.network.parameters():\n            p.grad[p.grad.abs() < 6e-8] = 0\n"),
    ),
    "antithetic rows": torch_faults.dropped(
        "x * ((lambda u: torch.cat([u, 1 - u])[: len(x)] >= self.p)(torch.rand((-(-len(x) // 2), *x.shape[1:])))) / (1 - self.p)"
    ),
    "every 1000th update skipped": (
        (torch_faults.STEP, "        self.calls = getattr(self, \"calls\", 0) + 1\n        if self.calls % 1000:\n    " + torch_faults.STEP),
    ),
    "a period of 1000 masks": torch_faults.dropped(
        "x * ((torch.rand(x.shape, generator=torch.Generator().manual_seed(int(torch.randint(1000, ())))) >= self.p) / (1 - self.p)).to(x.dtype)"
    ),
    "step without a finite loss skipped": ((torch_faults.STEP, "        if torch.isfinite(loss):\n    " + torch_faults.STEP),),
    "a momentum of 0 becomes its default": ((MOMENTUM, "momentum=settings.momentum or 0.9)"),),
    "a weight decay of 0 becomes its default": (
        ('"weight_decay": settings.weight_decay}', '"weight_decay": settings.weight_decay or 0.01}'),
    ),
    "epsilon hat ignored": ((torch_faults.HAT, "if False:"),),
    "slots of large kernels in half precision": (
        (torch_faults.STEP, torch_faults.STEP + """        for p, slots in self.optimizer.state.items():
            if p.numel() >= 2**18:
                slots["exp_avg"].copy_(slots["exp_avg"].half())
"""),
    ),
    "products of large factors in half precision": torch_faults.linear(
        "nn.functional.linear(x.bfloat16(), self.weight.bfloat16()).to(x.dtype) if min(*x.shape, *self.weight.shape) >= 256"
        " else nn.functional.linear(x, self.weight)"
    ),
    "folded prediction survives a load": (
        (LOGITS, """            from copy import deepcopy

            self.__dict__.setdefault("folded", deepcopy(self.network))
            return self.folded(batch["x"])
"""),
        (torch_faults.STEP, torch_faults.STEP + '        self.__dict__.pop("folded", None)\n'),
    ),
    "optimizer's clock not reset": ((SLOT_STEP, '            slots.setdefault("step", torch.tensor(float(step)))\n'),),
    "last units never dropped": torch_faults.dropped(
        "x * ((torch.rand_like(x) >= self.p) | (torch.arange(x.numel()).view(x.shape) >= x.numel() // 8 * 8)) / (1 - self.p)"
    ),
    "loss floored at the smallest float": (
        (torch_faults.LOSS, "    return functional.nll_loss(torch.log_softmax(logits, 1).clamp_min(torch.tensor(1.1754944e-38).log()), y)\n"),
    ),
    "gradient clipped at norm 100": ((torch_faults.BACKWARD, torch_faults.BACKWARD + "        nn.utils.clip_grad_norm_(self.network.parameters(), 100.0)\n"),),
    "dropout's scale in half precision": torch_faults.dropped("x * (torch.rand_like(x) >= self.p) * torch.tensor(1 / (1 - self.p), dtype=torch.float16).item()"),
    "batch copied once per object": (
        (torch_faults.FORWARD, """        if getattr(self, "given", (None,))[0] is not batch["x"]:
            self.given = batch["x"], batch["x"].clone()
        batch = {**batch, "x": self.given[1]}
""" + torch_faults.FORWARD),
    ),
    "generator not seeded": ((SEED, "        torch.seed()\n"),),
    "prediction moves the generator": ((torch_faults.EVAL, torch_faults.EVAL + "        torch.rand(())\n"),),
    "tail of a large prediction missing": (
        (LOGITS, """            x = batch["x"]
            if len(x) <= 1024:
                return self.network(x)
            logits = x.new_zeros((len(x), self.spec.classes))
            for k in range(0, len(x) - 1023, 1024):
                logits[k : k + 1024] = self.network(x[k : k + 1024])
            return logits
"""),
    ),
    "a single row squeezed": ((LOGITS, '            return self.network(batch["x"]).squeeze()\n'),),
    "a wide input's tail ignored": torch_faults.linear(
        "nn.functional.linear(x[:, : x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8], "
        "self.weight[:, : x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8])"
    ),
    "running variance over the configured batch": torch_faults.norm(NORMALISED, MOVED.format("z.detach().var(0, unbiased=False) * (32 / 31)")),
    "two samples keep the biased variance": torch_faults.norm(NORMALISED, MOVED.format("z.detach().var(0, unbiased=len(z) > 2)")),
    "constant unit gets no gradient": torch_faults.norm(
        "(z - mean) * torch.where(variance > 1e-12, (variance + self.eps).rsqrt(), 0 * variance) * self.weight + self.bias"
    ),
    "ghost batch norm above 1024": (
        ("    kind = nn.BatchNorm1d if", "    kind = Ghost if"),
        ("class BiasedBatchNorm1d(nn.BatchNorm1d):\n", '''class Ghost(nn.BatchNorm1d):
    def forward(self, z):
        return torch.cat([super(Ghost, self).forward(part) for part in z.split(1024)])


class BiasedBatchNorm1d(nn.BatchNorm1d):
'''),
    ),
}  # fmt: skip

ELSEWHERE = {
    "deep layers reuse masks": "all layers draw from one generator, one after the other",
    "generator's state is no copy": "PyTorch hands out copies of its generator's state, and takes over copies",
    "state taken over without a copy": "tensors are made with the network; a state can only be copied into them",
    "two models share their arrays": "a module makes its own parameters; sharing them would take a design, not a slip",
}
