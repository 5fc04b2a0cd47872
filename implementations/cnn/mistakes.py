"""Mistakes that people make in the network itself: the order of axes, what goes where, and what all places have in common."""

from implementations.declarations import TRAINING, Mistake

PAGE, NORM, DROPOUT = "cnn", "batch_norm/batch_norm", "dropout/dropout"

X = '        h, caches = batch["x"], list[Caches]()\n'
X_OF_PREDICTION = '        w, h = self.w, batch["x"]\n'
PREDICTION = "            h = relu.forward(self.normalised_running(i, z))\n        return self.output(h)\n"
POOLED = "            h, _ = max_pool.forward(relu.forward(self.normalised_running(i, z)))\n"
STOPPED = "        dn = relu.backward(max_pool.backward(dp, chosen, a.shape), a)\n"
SAMPLES = 'self.update_statistics(f"norm{i}", mean, variance, batch_norm.count(z))'
DZ = "    dz = gamma * inv_std * (dn - dbeta / count(dn) - z_hat * (dgamma / count(dn)))\n"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
TOTAL = "    return of_samples if a.ndim == 2 else of_samples.reshape(-1, a.shape[-1]).sum(axis=0)\n"
BY_CHANNELS = "maps.swapaxes(1, 3).swapaxes(2, 3).reshape(len(maps), -1)"
FROM_CHANNELS = "rows.reshape(shape[0], shape[3], *shape[1:3]).swapaxes(2, 3).swapaxes(1, 3)"
EPSILON = "batch_norm.forward_running(z, gamma, beta, mean, variance, self.spec.norm_epsilon)"

MISTAKES = (
    Mistake("maps flattened channel by channel", "The rows are those of maps that are kept channel by channel; the weights are not.", PAGE, {
        "numpy": (("maps.reshape(len(maps), -1)", BY_CHANNELS), ("rows.reshape(shape)", FROM_CHANNELS)),
    }),
    Mistake("gradient unflattened channel by channel", "The way back lays the rows out in another order.", PAGE, {
        "numpy": (("rows.reshape(shape)", FROM_CHANNELS),),
    }),
    Mistake("images read channel by channel", "The numbers of an image are taken for one channel after the other.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.reshape(len(x), x.shape[3], *x.shape[1:3]).swapaxes(1, 3).swapaxes(1, 2), list[Caches]()
"""),),
    }),
    Mistake("images transposed", "Height and width are exchanged where they are equal.", PAGE, {
        "numpy": ((X, """        x = batch["x"]
        h, caches = x.swapaxes(1, 2) if x.shape[1] == x.shape[2] else x, list[Caches]()
"""),),
    }),
    Mistake("images mirrored in training", "Every second step sees its images mirrored, as if there were more of them.", PAGE, {
        "numpy": ((X, """        self.mirrored = not getattr(self, "mirrored", True)
        h, caches = batch["x"][:, :, ::-1] if self.mirrored else batch["x"], list[Caches]()
"""),),
    }),
    Mistake("images scaled in place", "The mean of the images is taken out of the very array that came.", PAGE, {
        "numpy": ((X, """        batch["x"][...] -= batch["x"].mean()
""" + X),),
    }),
    Mistake("ReLU's gradient left out", "The way back goes from the pool straight to batch norm.", PAGE, {
        "numpy": ((STOPPED, "        dn = max_pool.backward(dp, chosen, a.shape)\n"),),
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
    }),
    Mistake("running variance over the samples", "B/(B-1) takes the samples for all that a mean is over.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "len(z)")),),
    }),
    Mistake("running variance over the places", "Its factor is that of the places of one image.", PAGE, {
        "numpy": ((SAMPLES, SAMPLES.replace("batch_norm.count(z)", "max(2, batch_norm.count(z) // len(z))")),),
    }),
    Mistake("batch norm's way back over the samples", "Its two means are divided by the samples alone.", NORM, {
        "numpy": ((DZ, DZ.replace("count(dn)", "len(dn)")),),
    }),
    Mistake("dgamma averaged over places", "The gradient of gamma is divided by the places.", NORM, {
        "numpy": (("return dz, dgamma, dbeta", "return dz, dgamma / (count(dn) // len(dn)), dbeta"),),
    }),
    Mistake("batch norm for each place", "Every place of a map has a mean and a variance of its own.", NORM, {
        "numpy": ((TOTAL, "    return of_samples\n"), ("    return a.size // a.shape[-1]\n", "    return len(a)\n")),
    }),
    Mistake("batch norm adds up in sequence", "One sum over all places of all images, a number after the other.", NORM, {
        "numpy": ((TOTAL, "    return a.reshape(-1, a.shape[-1]).sum(axis=0)\n"),),
        "cupy": "CuPy adds up in a tree whatever the axes are",
    }),
    Mistake("statistics of the block before", "Where two blocks have as many channels, a prediction takes those of the first.", PAGE, {
        "numpy": (("        mean, variance = self.w[", """        j = i - 1
        if i > 1 and self.w[f"norm{j}.running_mean"].shape == gamma.shape:
            i = j
        mean, variance = self.w["""),),
    }),
    Mistake("evaluation with batch statistics in convolutional blocks", "A prediction normalises maps with their own mean and variance.", PAGE, {
        "numpy": ((EPSILON, f"(batch_norm.forward(z, gamma, beta, self.spec.norm_epsilon)[0] if z.ndim > 2 else {EPSILON})"),),
    }),
    Mistake("epsilon 1e-3 in convolutional blocks", "A prediction takes the constant of another library for maps.", PAGE, {
        "numpy": ((EPSILON, EPSILON.replace("self.spec.norm_epsilon", "1e-3 if z.ndim > 2 else self.spec.norm_epsilon")),),
    }),
    Mistake("convolutions not decayed", "Weight decay asks for matrices.", TRAINING, {
        "numpy": (("decays = name in self.decays", "decays = name in self.decays and self.w[name].ndim == 2"),),
    }),
    Mistake("convolutions decayed twice", "Weight decay is applied to every axis of a kernel but the last two.", TRAINING, {
        "numpy": (("decays = name in self.decays\n", """decays = name in self.decays
            if self.w[name].ndim == 4 and self.spec.optimizer.kind == "adamw":
                self.w[name] = self.w[name] * (1 - self.spec.optimizer.learning_rate * self.spec.optimizer.weight_decay)
"""),),
    }),
    Mistake("one mask for all images", "All images of a batch drop the same units.", TRAINING, {
        "numpy": ((DRAW, "return np.repeat(dropout.mask(self.rng, (1, *shape[1:]), rate, self.dtype), shape[0], axis=0)"),),
    }),
    Mistake("dropout on in evaluation", "A prediction drops units.", PAGE, {
        "numpy": ((PREDICTION, """            h = relu.forward(self.normalised_running(i, z))
            h = dropout.forward(h, dropout.mask(np.random.default_rng(0), h.shape, self.spec.dropout, self.dtype))
        return self.output(h)
"""),),
    }),
    Mistake("a single image squeezed", "A prediction of one image loses its first axis.", PAGE, {
        "numpy": ((PREDICTION, PREDICTION.replace("self.output(h)", "self.output(h).squeeze()")),),
    }),
    Mistake("tail of a large prediction missing", "A prediction by pieces of 1024 images forgets the rest.", PAGE, {
        "numpy": ((X_OF_PREDICTION, """        x = batch["x"]
        if len(x) > 1024:
            logits = np.zeros((len(x), self.spec.classes), self.dtype)
            for k in range(len(x) // 1024):
                logits[k * 1024 : (k + 1) * 1024] = self.predict({"x": x[k * 1024 : (k + 1) * 1024]})
            return logits
""" + X_OF_PREDICTION),),
    }),
    Mistake("prediction pools first", "A prediction takes the maximum before batch norm, which turns it where gamma is negative.", PAGE, {
        "numpy": ((POOLED, """            p, _ = max_pool.forward(z)
            h = relu.forward(self.normalised_running(i, p))
"""),),
    }),
)  # fmt: skip
