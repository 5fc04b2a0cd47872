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

CLASS = "class CNN(Model):\n"

SEEN_IN_KERAS = "        layers: list[Any] = [keras.Input(spec.sample, dtype=spec.dtype)]\n"
FLATTENED_IN_KERAS = '        return keras.layers.Flatten(data_format="channels_last", name="flatten")\n'
TRAIN_IN_KERAS = '        return self.network.train_on_batch(batch["x"], batch["y"])\n'
SAMPLES_IN_KERAS = "math.prod(ops.shape(inputs)[:-1])"
EVALUATION_IN_KERAS = "            return super().call(inputs, training=False)\n"
SCALE_IN_KERAS = "scale=self.gamma, epsilon=self.epsilon\n"
POOL_IN_KERAS = '    return keras.layers.MaxPooling2D(2, data_format="channels_last", name=name)\n'

SEEN_IN_JAX = '    h, moved, chosen = batch["x"], Tensors(), Tensors()\n'
RELU_IN_JAX = "        a = relu.forward(normalised(i, z, w, statistics, moved, spec))\n"
STEP_IN_JAX = "        self.tensors, loss = self._train_step(self.tensors, batch)\n"
SAMPLES_IN_JAX = "batch_norm.count(z), spec)"
NORM_IN_JAX = "    return forward_running(z, gamma, beta, mean, variance, epsilon), mean, variance\n"
RUNNING_IN_JAX = '    mean, variance = statistics[f"norm{i}.running_mean"]'
EPSILON_IN_JAX = EPSILON.replace("self.", "")
MASK_IN_JAX = "dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)"

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


def prediction_in_keras(mean: str, variance: str, epsilon: str = "self.epsilon") -> Edits:
    """Of images a prediction is normalised with these."""
    return ((EVALUATION_IN_KERAS, f"""            if len(inputs.shape) == 4:
                scaled = {{"offset": self.beta, "scale": self.gamma, "epsilon": {epsilon}}}
                return ops.batch_normalization(inputs, {mean}, {variance}, axis=-1, **scaled)
""" + EVALUATION_IN_KERAS, NORM),)  # fmt: skip


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
        "keras": (
            (FLATTENED_IN_KERAS, FLATTENED_IN_KERAS.replace("keras.layers.Flatten", "Planted")),
            (CLASS, f"""class Planted(keras.layers.Flatten):
    def call(self, maps):
        return super().call(ops.transpose(maps, (0, 3, 1, 2)))


{CLASS}"""),
        ),
        "jax": (("maps.reshape(len(maps), -1)", "maps.transpose(0, 3, 1, 2).reshape(len(maps), -1)"),),
    }),
    Mistake("gradient unflattened channel by channel", "The way back lays the rows out in another order.", PAGE, {
        "numpy": (("rows.reshape(shape)", FROM_CHANNELS),),
        "torch": "autograd takes the way back of the flattening that it recorded",
        "keras": "the backend takes the way back of the flattening that it recorded",
        "jax": "JAX takes the way back of the flattening that it followed",
    }),
    Mistake("images read channel by channel", "The numbers of an image are taken for one channel after the other.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.reshape(len(x), x.shape[3], *x.shape[1:3]).swapaxes(1, 3).swapaxes(1, 2), list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, "        return x.reshape(len(x), x.shape[3], *x.shape[1:3])\n"),),
        "keras": ((SEEN_IN_KERAS, SEEN_IN_KERAS + """        height, width, channels = spec.sample
        layers += [keras.layers.Reshape((channels, height, width)), keras.layers.Permute((2, 3, 1))]
"""),),
        "jax": ((SEEN_IN_JAX, SEEN_IN_JAX + "    h = h.reshape(len(h), h.shape[3], *h.shape[1:3]).transpose(0, 2, 3, 1)\n"),),
    }),
    Mistake("images transposed", "Height and width are exchanged where they are equal.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.swapaxes(1, 2) if x.shape[1] == x.shape[2] else x, list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, "        x = x.transpose(1, 2) if x.shape[1] == x.shape[2] else x\n" + FIRST_IN_TORCH),),
        "keras": ((SEEN_IN_KERAS, SEEN_IN_KERAS + "        layers += [keras.layers.Permute((2, 1, 3))] if spec.sample[0] == spec.sample[1] else []\n"),),
        "jax": ((SEEN_IN_JAX, SEEN_IN_JAX + "    h = h.swapaxes(1, 2) if h.shape[1] == h.shape[2] else h\n"),),
    }),
    Mistake("images mirrored in training", "Every second step sees its images mirrored, as if there were more of them.", PAGE, {
        "numpy": ((X, """        self.mirrored = not getattr(self, "mirrored", True)
        h, caches = batch["x"][:, :, ::-1] if self.mirrored else batch["x"], list[Caches]()
"""),),
        "torch": ((FIRST_IN_TORCH, """        self.mirrored = self.training and not getattr(self, "mirrored", True)
        x = x.flip(2) if self.mirrored else x
""" + FIRST_IN_TORCH),),
        "keras": ((TRAIN_IN_KERAS, """        self.mirrored = not getattr(self, "mirrored", True)
        batch = {**batch, "x": ops.flip(batch["x"], 2)} if self.mirrored else batch
""" + TRAIN_IN_KERAS, TRAINING),),
        "jax": ((STEP_IN_JAX, """        self.mirrored = not getattr(self, "mirrored", True)
        batch = {**batch, "x": batch["x"][:, :, ::-1]} if self.mirrored else batch
""" + STEP_IN_JAX, TRAINING),),
    }),
    Mistake("images scaled in place", "The mean of the images is taken out of the very array that came.", PAGE, {
        "numpy": ((X, """        batch["x"][...] -= batch["x"].mean()
""" + X),),
        "torch": ((FIRST_IN_TORCH, "        x.sub_(x.mean())\n" + FIRST_IN_TORCH),),
        "keras": "tensors of two of its backends cannot be written to",
        "jax": "an array of JAX cannot be written to",
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
        "keras": (
            ('relu.layer(name=f"relu{i}")]', '(Straight if i in spec.convolutional_blocks else keras.layers.ReLU)(name=f"relu{i}")]'),
            (CLASS, f"""class Straight(keras.layers.Layer):
    def call(self, n):
        return n + ops.stop_gradient(ops.relu(n) - n)


{CLASS}"""),
        ),
        "jax": ((RELU_IN_JAX, """        n = normalised(i, z, w, statistics, moved, spec)
        a = n + jax.lax.stop_gradient(relu.forward(n) - n)
"""),),
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
        "keras": ((POOL_IN_KERAS, """    return Planted(2, data_format="channels_last", name=name)


class Planted(keras.layers.MaxPooling2D):
    def call(self, a):
        height, width = a.shape[1] // 2, a.shape[2] // 2
        whole = a[:, : 2 * height, : 2 * width]
        return ops.max(ops.reshape(whole, (-1, height, 2, width, 2, a.shape[3])), (2, 4))
""", POOL),),
        "jax": (('    return lax.reduce_window(a, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")\n', """    height, width = a.shape[1] // 2, a.shape[2] // 2
    return a[:, : 2 * height, : 2 * width].reshape(-1, height, 2, width, 2, a.shape[3]).max((2, 4))
""", POOL),),
    }),
    Mistake("running variance over the samples", "B/(B-1) takes the samples for all that a mean is over.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "len(z)")),),
        "torch": unbiased_in_torch("samples"),
        "keras": ((SAMPLES_IN_KERAS, "ops.shape(inputs)[0]", NORM),),
        "jax": ((SAMPLES_IN_JAX, "len(z), spec)"),),
    }),
    Mistake("running variance over the places", "Its factor is that of the places of one image.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "max(2, batch_norm.count(z) // len(z))")),),
        "torch": unbiased_in_torch("max(2, count // samples)"),
        "keras": ((SAMPLES_IN_KERAS, "max(2, math.prod(inputs.shape[1:-1]))", NORM),),
        "jax": ((SAMPLES_IN_JAX, "max(2, batch_norm.count(z) // len(z)), spec)"),),
    }),
    Mistake("batch norm's way back over the samples", "Its two means are divided by the samples alone.", NORM, {
        "numpy": ((DZ, DZ.replace("count(dn)", "len(dn)")),),
        "torch": "autograd takes the two means of the way back over what the mean was over",
        "keras": "the backend takes the two means of the way back over what the mean was over",
        "jax": "JAX takes the two means of the way back over what the mean was over",
    }),
    Mistake("dgamma averaged over places", "The gradient of gamma is divided by the places.", NORM, {
        "numpy": (("return dz, dgamma, dbeta", "return dz, dgamma / (count(dn) // len(dn)), dbeta"),),
        "torch": norm_in_torch(
            "if self.training and z.dim() == 4:",
            "    gamma = self.weight / (count // samples) + (self.weight * (1 - samples / count)).detach()",
            "    n = functional.batch_norm(z, None, None, gamma, self.bias, True, 0.0, self.eps)",
        ),
        "keras": ((SCALE_IN_KERAS, """scale=self.gamma / math.prod(inputs.shape[1:-1])
            + ops.stop_gradient(self.gamma - self.gamma / math.prod(inputs.shape[1:-1])), epsilon=self.epsilon
"""),),
        "jax": ((NORM_IN_JAX, "    gamma = gamma / (count(z) // len(z)) + jax.lax.stop_gradient(gamma - gamma / (count(z) // len(z)))\n" + NORM_IN_JAX),),
    }),
    Mistake("batch norm for each place", "Every place of a map has a mean and a variance of its own.", NORM, {
        "numpy": ((TOTAL, "    return of_samples\n"), ("    return a.size // a.shape[-1]\n", "    return len(a)\n")),
        "torch": "nn.BatchNorm2d has one mean and one variance for each channel",
        "cupy": (("    return tuple(range(a.ndim - 1))\n", "    return (0,)\n"), ("    return a.size // a.shape[-1]\n", "    return len(a)\n")),
        "keras": "keras.layers.BatchNormalization keeps one mean and one variance for each channel",
        "jax": (("    return tuple(range(a.ndim - 1))\n", "    return (0,)\n"), ("    return a.size // a.shape[-1]\n", "    return len(a)\n")),
    }),
    Mistake("batch norm adds up in sequence", "One sum over all places of all images, a number after the other.", NORM, {
        "numpy": ((TOTAL, "    return a.reshape(-1, a.shape[-1]).sum(axis=0)\n"),),
        "cupy": "CuPy adds up in a tree whatever the axes are",
        "torch": ((FIRST_IN_TORCH, "        return x.permute(0, 3, 1, 2).contiguous()\n", PAGE),),
        "keras": "the backends choose the order of a sum by themselves",
        "jax": "XLA chooses the order of a sum by itself",
    }),
    Mistake("statistics of the block before", "Where two blocks have as many channels, a prediction takes those of the first.", PAGE, {
        "numpy": (("        mean, variance = self.w[", """        j = i - 1
        if i > 1 and self.w[f"norm{j}.running_mean"].shape == gamma.shape:
            i = j
        mean, variance = self.w["""),),
        "torch": "every layer of PyTorch holds statistics of its own",
        "keras": "every layer of Keras holds statistics of its own",
        "jax": ((RUNNING_IN_JAX, """    j = i - 1
    if i > 1 and statistics[f"norm{j}.running_mean"].shape == gamma.shape:
        i = j
""" + RUNNING_IN_JAX),),
    }),
    Mistake("evaluation with batch statistics in convolutional blocks", "A prediction normalises maps with their own mean and variance.", PAGE, {
        "numpy": ((EPSILON, f"(batch_norm.forward(z, gamma, beta, self.spec.norm_epsilon)[0] if z.ndim > 2 else {EPSILON})"),),
        "torch": ((EVAL_IN_TORCH, EVAL_IN_TORCH + "            [layer.train() for layer in self.network if isinstance(layer, nn.BatchNorm2d)]\n", TRAINING),),
        "keras": prediction_in_keras(*[f"ops.{of}(inputs, (0, 1, 2))" for of in ("mean", "var")]),
        "jax": ((EPSILON_IN_JAX, f"(batch_norm.forward(z, gamma, beta, spec.norm_epsilon)[0] if z.ndim > 2 else {EPSILON_IN_JAX})"),),
    }),
    Mistake("epsilon 1e-3 in convolutional blocks", "A prediction takes the constant of another library for maps.", PAGE, {
        "numpy": ((EPSILON, EPSILON.replace("self.spec.norm_epsilon", "1e-3 if z.ndim > 2 else self.spec.norm_epsilon")),),
        "torch": norm_in_torch(
            "if not self.training and z.dim() == 4:",
            "    n = functional.batch_norm(z, self.running_mean, old, self.weight, self.bias, False, 0.0, 1e-3)",
        ),
        "keras": prediction_in_keras("self.moving_mean", "self.moving_variance", "1e-3"),
        "jax": ((EPSILON_IN_JAX, EPSILON_IN_JAX.replace("spec.norm_epsilon", "1e-3 if z.ndim > 2 else spec.norm_epsilon")),),
    }),
    Mistake("convolutions not decayed", "Weight decay asks for matrices.", TRAINING, {
        "numpy": (("decays = name in self.decays", "decays = name in self.decays and self.w[name].ndim == 2"),),
        "torch": (("name, tensor in tensors if tensor.decays}", "name, tensor in tensors if tensor.decays and len(tensor.shape) == 2}"),),
        "keras": (('tensor.role == "parameter" and not tensor.decays]', 'tensor.role == "parameter" and not (tensor.decays and len(tensor.shape) == 2)]'),),
        "jax": (("settings, tensors[name].decays)", "settings, tensors[name].decays and g.ndim == 2)"),),
    }),
    Mistake("one mask for all images", "All images of a batch drop the same units.", TRAINING, {
        "numpy": ((DRAW, "return np.repeat(dropout.mask(self.rng, (1, *shape[1:]), rate, self.dtype), shape[0], axis=0)"),),
        "torch": (("    return nn.Dropout(rate)\n", """    return Planted(rate)


class Planted(nn.Dropout):
    def forward(self, x):
        return x * super().forward(torch.ones_like(x[:1]))
""", DROPOUT),),
        "keras": (("seed=seed, name=name)", "seed=seed, name=name, noise_shape=(1, None))", DROPOUT),),
        "jax": ((MASK_IN_JAX, f"jax.numpy.repeat({MASK_IN_JAX.replace('mask.shape', '(1, *mask.shape[1:])')}, mask.shape[0], 0)"),),
    }),
    Mistake("prediction pools first", "A prediction takes the maximum before batch norm, which turns it where gamma is negative.", PAGE, {
        "numpy": ((POOLED, """            p, _ = max_pool.forward(z)
            h = relu.forward(self.normalised_running(i, p))
"""),),
        "torch": "the layers that train predict, in the same order",
        "keras": "the layers that train predict, in the same order",
        "jax": (("        h = max_pool.forward(relu.forward(normalised_running(i, z, w, statistics, spec)))\n", "        h = relu.forward(normalised_running(i, max_pool.forward(z), w, statistics, spec))\n"),),
    }),
)  # fmt: skip
