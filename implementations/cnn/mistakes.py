"""Mistakes that people make in the network itself: the order of axes, what goes where, and what all places have in common."""

from implementations.declarations import TRAINING, Edits, Mistake

PAGE, NORM, DROPOUT, POOL = "cnn", "batch_norm/batch_norm", "dropout/dropout", "pooling/max_pool"

X = '        h, caches = batch["x"], list[Caches]()\n'
POOLED = "            h, _ = max_pool.forward(relu.forward(self.normalised_running(i, z)))\n"
STOPPED = "        dn = relu.backward(max_pool.backward(dp, chosen, a.shape), a)\n"
SAMPLES = 'self.update_statistics(f"norm{i}", mean, variance, batch_norm.count(z))'
DZ = "    dz = gamma * inv_std * (dn - dbeta / count(dn) - z_hat * (dgamma / count(dn)))\n"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
TOTAL = "    return of_samples if a.ndim == 2 else of_samples.reshape(-1, a.shape[-1]).sum(axis=0)\n"
BY_CHANNELS = "maps.swapaxes(1, 3).swapaxes(2, 3).reshape(len(maps), -1)"
FROM_CHANNELS = "rows.reshape(shape[0], shape[3], *shape[1:3]).swapaxes(2, 3).swapaxes(1, 3)"
EPSILON = "batch_norm.forward_running(z, gamma, beta, mean, variance, self.spec.norm_epsilon)"

FIRST_IN_TORCH = "        return x.permute(0, 3, 1, 2).clone(memory_format=torch.contiguous_format)\n"
EVAL_IN_TORCH = "            self.network.eval()\n"
BEHIND_IN_TORCH = "            self.kinds = LAYERS | {first: BehindMaps(self.spec.channels[-1], height, width)}\n"


def norm_in_torch(*lines: str) -> Edits:
    """What batch norm does besides, or instead: `n` is what it gives, `old` its running variance before."""
    body = "\n            ".join(lines)
    return (("    return kind(width, eps=epsilon, momentum=1 - momentum)\n", f"""    return planted(kind)(width, eps=epsilon, momentum=1 - momentum)


def planted(kind):
    class Planted(kind):
        def forward(self, z):
            old = self.running_var.clone()
            n, count, samples = super().forward(z), z.numel() // z.shape[1], len(z)
            {body}
            return n

    return Planted
""", NORM),)  # fmt: skip


def unbiased_in_torch(over: str) -> Edits:
    """The running variance's factor n/(n-1) for this n."""
    return norm_in_torch(
        f"over = {over}",
        "right, wrong = count / (count - 1), over / (over - 1)",
        "new = self.running_var - old * (1 - self.momentum)",
        "self.running_var.data.add_(new * (wrong / right - 1) * self.training)",
    )


MISTAKES = (
    Mistake("maps flattened channel by channel", "The rows are those of maps that are kept channel by channel; the weights are not.", PAGE, {
        "numpy": (("maps.reshape(len(maps), -1)", BY_CHANNELS), ("rows.reshape(shape)", FROM_CHANNELS)),
        "torch": ((BEHIND_IN_TORCH, "            self.kinds = LAYERS\n"),),
    }),
    Mistake("gradient unflattened channel by channel", "The way back lays the rows out in another order.", PAGE, {
        "numpy": (("rows.reshape(shape)", FROM_CHANNELS),),
        "torch": "autograd takes the way back of the flattening that it recorded",
    }),
    Mistake("images read channel by channel", "The numbers of an image are taken for one channel after the other.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.reshape(len(x), x.shape[3], *x.shape[1:3]).swapaxes(1, 3).swapaxes(1, 2), list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, "        return x.reshape(len(x), x.shape[3], *x.shape[1:3])\n"),),
    }),
    Mistake("images transposed", "Height and width are exchanged where they are equal.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.swapaxes(1, 2) if x.shape[1] == x.shape[2] else x, list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, "        x = x.transpose(1, 2) if x.shape[1] == x.shape[2] else x\n" + FIRST_IN_TORCH),),
    }),
    Mistake("images mirrored in training", "Every second step sees its images mirrored, as if there were more of them.", PAGE, {
        "numpy": ((X, """        self.mirrored = not getattr(self, "mirrored", True)
        h, caches = batch["x"][:, :, ::-1] if self.mirrored else batch["x"], list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, """        self.mirrored = self.training and not getattr(self, "mirrored", True)
        x = x.flip(2) if self.mirrored else x
""" + FIRST_IN_TORCH),),
    }),
    Mistake("images scaled in place", "The mean of the images is taken out of the very array that came.", PAGE, {
        "numpy": ((X, """        batch["x"][...] -= batch["x"].mean()
""" + X),),
        "torch": ((FIRST_IN_TORCH, "        x.sub_(x.mean())\n" + FIRST_IN_TORCH),),
    }),
    Mistake("ReLU's gradient left out", "The way back goes from the pool straight to batch norm.", PAGE, {
        "numpy": ((STOPPED, "        dn = max_pool.backward(dp, chosen, a.shape)\n"),),
        "torch": (
            ('{f"relu{i}": relu.layer()}', '{f"relu{i}": Straight() if images else relu.layer()}'),
            ("class ChannelsFirst(nn.Module):\n", """class Straight(nn.Module):
    def forward(self, n):
        return n + (torch.relu(n) - n).detach()


class ChannelsFirst(nn.Module):
"""),
        ),
    }),
    Mistake("ties shared", "Equal numbers of a window share the gradient.", PAGE, {
        "numpy": (
            (STOPPED, """        height, width = 2 * dp.shape[1], 2 * dp.shape[2]
        four = a[:, :height, :width].reshape(len(a), dp.shape[1], 2, dp.shape[2], 2, -1)
        largest = four == four.max(axis=(2, 4), keepdims=True)
        da = np.zeros_like(a)
        da[:, :height, :width] = (dp[:, :, None, :, None] * largest / largest.sum(axis=(2, 4), keepdims=True)).reshape(len(a), height, width, -1)
        dn = relu.backward(da, a)
"""),
        ),
        "torch": (("    return nn.MaxPool2d(2)\n", """    return Planted(2)


class Planted(nn.MaxPool2d):
    def forward(self, a):
        height, width = a.shape[2] // 2, a.shape[3] // 2
        return a[:, :, : 2 * height, : 2 * width].reshape(*a.shape[:2], height, 2, width, 2).amax((3, 5))
""", POOL),),
    }),
    Mistake("running variance over the samples", "B/(B-1) takes the samples for all that a mean is over.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "len(z)")),),
        "torch": unbiased_in_torch("samples"),
    }),
    Mistake("running variance over the places", "Its factor is that of the places of one image.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "max(2, batch_norm.count(z) // len(z))")),),
        "torch": unbiased_in_torch("max(2, count // samples)"),
    }),
    Mistake("batch norm's way back over the samples", "Its two means are divided by the samples alone.", NORM, {
        "numpy": ((DZ, DZ.replace("count(dn)", "len(dn)")),),
        "torch": "autograd takes the two means of the way back over what the mean was over",
    }),
    Mistake("dgamma averaged over places", "The gradient of gamma is divided by the places.", NORM, {
        "numpy": (("return dz, dgamma, dbeta", "return dz, dgamma / (count(dn) // len(dn)), dbeta"),),
        "torch": norm_in_torch(
            "if self.training and z.dim() == 4:",
            "    gamma = self.weight / (count // samples) + (self.weight * (1 - samples / count)).detach()",
            "    n = functional.batch_norm(z, None, None, gamma, self.bias, True, 0.0, self.eps)",
        ),
    }),
    Mistake("batch norm for each place", "Every place of a map has a mean and a variance of its own.", NORM, {
        "numpy": ((TOTAL, "    return of_samples\n"), ("    return a.size // a.shape[-1]\n", "    return len(a)\n")),
        "torch": "nn.BatchNorm2d has one mean and one variance for each channel",
    }),
    Mistake("batch norm adds up in sequence", "One sum over all places of all images, a number after the other.", NORM, {
        "numpy": ((TOTAL, "    return a.reshape(-1, a.shape[-1]).sum(axis=0)\n"),),
        "cupy": "CuPy adds up in a tree whatever the axes are",
        "torch": ((FIRST_IN_TORCH, "        return x.permute(0, 3, 1, 2).contiguous()\n", PAGE),),
    }),
    Mistake("statistics of the block before", "Where two blocks have as many channels, a prediction takes those of the first.", PAGE, {
        "numpy": (("        mean, variance = self.w[", """        j = i - 1
        if i > 1 and self.w[f"norm{j}.running_mean"].shape == gamma.shape:
            i = j
        mean, variance = self.w["""),),
        "torch": "every layer of PyTorch holds statistics of its own",
    }),
    Mistake("evaluation with batch statistics in convolutional blocks", "A prediction normalises maps with their own mean and variance.", PAGE, {
        "numpy": ((EPSILON, f"(batch_norm.forward(z, gamma, beta, self.spec.norm_epsilon)[0] if z.ndim > 2 else {EPSILON})"),),
        "torch": ((EVAL_IN_TORCH, EVAL_IN_TORCH + "            [layer.train() for layer in self.network if isinstance(layer, nn.BatchNorm2d)]\n", TRAINING),),
    }),
    Mistake("epsilon 1e-3 in convolutional blocks", "A prediction takes the constant of another library for maps.", PAGE, {
        "numpy": ((EPSILON, EPSILON.replace("self.spec.norm_epsilon", "1e-3 if z.ndim > 2 else self.spec.norm_epsilon")),),
        "torch": norm_in_torch(
            "if not self.training and z.dim() == 4:",
            "    n = functional.batch_norm(z, self.running_mean, old, self.weight, self.bias, False, 0.0, 1e-3)",
        ),
    }),
    Mistake("convolutions not decayed", "Weight decay asks for matrices.", TRAINING, {
        "numpy": (("decays = name in self.decays", "decays = name in self.decays and self.w[name].ndim == 2"),),
        "torch": (("name, tensor in tensors if tensor.decays}", "name, tensor in tensors if tensor.decays and len(tensor.shape) == 2}"),),
    }),
    Mistake("one mask for all images", "All images of a batch drop the same units.", TRAINING, {
        "numpy": ((DRAW, "return np.repeat(dropout.mask(self.rng, (1, *shape[1:]), rate, self.dtype), shape[0], axis=0)"),),
        "torch": (("    return nn.Dropout(rate)\n", """    return Planted(rate)


class Planted(nn.Dropout):
    def forward(self, x):
        return x * super().forward(torch.ones_like(x[:1]))
""", DROPOUT),),
    }),
    Mistake("prediction pools first", "A prediction takes the maximum before batch norm, which turns it where gamma is negative.", PAGE, {
        "numpy": ((POOLED, """            p, _ = max_pool.forward(z)
            h = relu.forward(self.normalised_running(i, p))
"""),),
        "torch": "the layers that train predict, in the same order",
    }),
)  # fmt: skip
