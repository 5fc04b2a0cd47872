"""The multilayer perceptron once more, in scalar loops with 50 digits: what the NumPy oracle is proved against.

Written from the papers' equations, one number at a time, and sharing no code with any implementation. A batch is
a list of samples, a sample a list of numbers. `spec` is only read for its settings. Clarity before speed: for tiny nets.
"""

import mpmath

mp = mpmath.MPContext()  # a context of our own, so that nobody else's precision changes
mp.dps = 50


def exact(value):
    """A fresh copy of a number, or of nested lists of numbers, in 50 digits and without rounding."""
    return [exact(part) for part in value] if isinstance(value, list) else mp.convert(value)


def train_step(spec, state, x, y, masks):
    """One training step. Returns the loss before it and the state after it; `state` is left as it was."""
    logits, records = forward(spec, state, x, masks)
    loss, dlogits = cross_entropy(logits, y)
    gradients = backward(spec, state, dlogits, records)
    new = {name: exact(value) for name, value in state.items()}
    if spec.batch_norm:
        for i, record in enumerate(records[:-1], start=1):
            update_statistics(spec, new, i, record["z"])
    update(spec.optimizer, new, gradients)
    return loss, new


def predict(spec, state, x):
    """Logits with the running statistics and without dropout (Ioffe & Szegedy 2015, Algorithm 2, line 11)."""
    h = x
    for i in range(1, len(spec.hidden) + 1):
        z = dense(h, state[f"dense{i}.weight"], state.get(f"dense{i}.bias"))
        if spec.batch_norm:
            gamma, beta = state[f"norm{i}.gamma"], state[f"norm{i}.beta"]
            mean, variance = state[f"norm{i}.running_mean"], state[f"norm{i}.running_variance"]
            for row in z:
                for j in range(len(row)):
                    z_hat = (row[j] - mean[j]) / mp.sqrt(variance[j] + mp.mpf(spec.norm_epsilon))
                    row[j] = gamma[j] * z_hat + beta[j]
        h = [[max(n, mp.mpf(0)) for n in row] for row in z]
    return dense(h, state["output.weight"], state["output.bias"])


def forward(spec, state, x, masks):
    """Training-mode logits, and per layer what its backward pass needs to know."""
    h, records = x, []
    for i in range(1, len(spec.hidden) + 1):
        z = dense(h, state[f"dense{i}.weight"], state.get(f"dense{i}.bias"))
        n = batch_norm(z, state[f"norm{i}.gamma"], state[f"norm{i}.beta"], spec.norm_epsilon) if spec.batch_norm else z
        mask = masks.get(f"dropout{i}.mask")
        records.append({"h": h, "z": z, "n": n, "mask": mask})
        h = [[max(v, mp.mpf(0)) for v in row] for row in n]
        if mask is not None:
            h = [[h[b][j] * mask[b][j] for j in range(len(h[b]))] for b in range(len(h))]
    return dense(h, state["output.weight"], state["output.bias"]), [*records, {"h": h}]


def dense(h, weight, bias):
    """z_j = sum over i of h_i w_ij, + b_j, for each sample."""
    columns = range(len(weight[0]))
    products = [[sum(row[i] * weight[i][j] for i in range(len(row))) for j in columns] for row in h]
    return products if bias is None else [[row[j] + bias[j] for j in columns] for row in products]


def moments(column):
    """Mean and biased variance over the batch (Ioffe & Szegedy 2015, Algorithm 1, lines 1 and 2)."""
    mean = sum(column) / len(column)
    return mean, sum((v - mean) ** 2 for v in column) / len(column)


def column_of(rows, j):
    """What unit j did over the batch."""
    return [row[j] for row in rows]


def batch_norm(z, gamma, beta, epsilon):
    """Ioffe & Szegedy 2015, Algorithm 1, lines 3 and 4, each unit with its own batch moments."""
    n = [[None] * len(row) for row in z]
    for j in range(len(gamma)):
        mean, variance = moments(column_of(z, j))
        for b in range(len(z)):
            n[b][j] = gamma[j] * (z[b][j] - mean) / mp.sqrt(variance + mp.mpf(epsilon)) + beta[j]
    return n


def update_statistics(spec, state, i, z):
    """Moving averages; the variance unbiased by B/(B-1) as in Ioffe & Szegedy 2015, Algorithm 2, line 10, or not."""
    old = mp.mpf(spec.norm_momentum)
    means, variances = [], []
    for j in range(len(z[0])):
        mean, variance = moments(column_of(z, j))
        if spec.running_variance == "unbiased":
            variance = variance * len(z) / (len(z) - 1)
        means.append(old * state[f"norm{i}.running_mean"][j] + (1 - old) * mean)
        variances.append(old * state[f"norm{i}.running_variance"][j] + (1 - old) * variance)
    state[f"norm{i}.running_mean"], state[f"norm{i}.running_variance"] = means, variances


def cross_entropy(logits, y):
    """Mean over the batch of -log P[label], and its slope, by the chain rule through P = e^logit / sum e^logit."""
    loss, dlogits = mp.mpf(0), []
    for row, label in zip(logits, y, strict=True):
        total = sum(mp.exp(v) for v in row)  # no overflow to fear: exponents are unbounded here
        p = [mp.exp(v) / total for v in row]
        loss += -mp.log(p[label]) / len(y)
        dp_label = -1 / p[label] / len(y)
        dlogits.append([dp_label * p[label] * ((k == label) - p[k]) for k in range(len(p))])
    return loss, dlogits


def backward(spec, state, dlogits, records):
    """The gradient of the loss with respect to every parameter, from the last layer to the first."""
    gradients: dict[str, list] = {}
    dh = dense_backward(gradients, "output", state, records[-1]["h"], dlogits)
    for i in range(len(spec.hidden), 0, -1):
        r = records[i - 1]
        dn = [[mp.mpf(0)] * len(row) for row in dh]
        for b in range(len(dh)):
            for j in range(len(dh[b])):
                if r["n"][b][j] > 0:
                    dn[b][j] = dh[b][j] * (1 if r["mask"] is None else r["mask"][b][j])
        dz = batch_norm_backward(gradients, i, state, r["z"], dn, spec.norm_epsilon) if spec.batch_norm else dn
        dh = dense_backward(gradients, f"dense{i}", state, r["h"], dz)
    return gradients


def dense_backward(gradients, layer, state, h, dz):
    """From z_j = sum h_i w_ij + b_j: dz_j/dw_ij = h_i, dz_j/db_j = 1, dz_j/dh_i = w_ij, summed over where each is used."""
    weight = state[f"{layer}.weight"]
    ins, outs, batch = range(len(weight)), range(len(weight[0])), range(len(h))
    gradients[f"{layer}.weight"] = [[sum(h[b][i] * dz[b][j] for b in batch) for j in outs] for i in ins]
    if f"{layer}.bias" in state:
        gradients[f"{layer}.bias"] = [sum(dz[b][j] for b in batch) for j in outs]
    return [[sum(dz[b][j] * weight[i][j] for j in outs) for i in ins] for b in batch]


def batch_norm_backward(gradients, i, state, z, dn, epsilon):
    """The chain rule one quantity at a time: n = gamma c / s + beta, s = sqrt(var + eps), var = mean(c^2), c = z - mean."""
    gamma, size = state[f"norm{i}.gamma"], len(z)
    dgamma, dbeta, dz = [], [], [[None] * len(row) for row in z]
    for j in range(len(gamma)):
        mean, variance = moments(column_of(z, j))
        c = [z[b][j] - mean for b in range(size)]
        s = mp.sqrt(variance + mp.mpf(epsilon))
        dgamma.append(sum(dn[b][j] * c[b] / s for b in range(size)))
        dbeta.append(sum(dn[b][j] for b in range(size)))
        ds = sum(dn[b][j] * gamma[j] * c[b] * (-1 / s**2) for b in range(size))
        dvariance = ds / (2 * s)
        dc = [dn[b][j] * gamma[j] / s + dvariance * 2 * c[b] / size for b in range(size)]
        dmean = -sum(dc)
        for b in range(size):
            dz[b][j] = dc[b] + dmean / size
    gradients[f"norm{i}.gamma"], gradients[f"norm{i}.beta"] = dgamma, dbeta
    return dz


def update(optimizer, state, gradients):
    """Step every parameter in place, one vector (of a kernel: one row) at a time."""
    if optimizer.kind != "sgd":
        state["step"] += 1
    for name, g in gradients.items():
        slots = [state[f"{slot}:{name}"] for slot in optimizer.slots]
        tensors = [state[name], g, *slots]
        is_kernel = name.endswith(".weight")
        for vectors in zip(*tensors, strict=True) if is_kernel else [tensors]:
            if optimizer.kind == "sgd":
                sgd(optimizer, *vectors)
            else:
                decay = mp.mpf(optimizer.weight_decay) if optimizer.kind == "adamw" and is_kernel else mp.mpf(0)
                adam(optimizer, state["step"], decay, *vectors)


def sgd(optimizer, w, g, velocity=None):
    """Heavy ball (Sutskever et al. 2013), with the learning rate outside of the velocity; plain descent without one."""
    for k in range(len(w)):
        step = g[k]
        if velocity is not None:
            step = velocity[k] = mp.mpf(optimizer.momentum) * velocity[k] + g[k]
        w[k] -= mp.mpf(optimizer.learning_rate) * step


def adam(optimizer, t, decay, w, g, m, v):
    """Kingma & Ba 2015, Algorithm 1 and the end of section 2; decay first (Loshchilov & Hutter 2019, Algorithm 2)."""
    lr, epsilon = mp.mpf(optimizer.learning_rate), mp.mpf(optimizer.epsilon)
    beta1, beta2 = mp.mpf(optimizer.beta1), mp.mpf(optimizer.beta2)
    for k in range(len(w)):
        w[k] -= lr * decay * w[k]
        m[k] = beta1 * m[k] + (1 - beta1) * g[k]
        v[k] = beta2 * v[k] + (1 - beta2) * g[k] ** 2
        if optimizer.epsilon_form == "hat":
            lr_t = lr * mp.sqrt(1 - beta2**t) / (1 - beta1**t)
            w[k] -= lr_t * m[k] / (mp.sqrt(v[k]) + epsilon)
        else:
            m_hat, v_hat = m[k] / (1 - beta1**t), v[k] / (1 - beta2**t)
            w[k] -= lr * m_hat / (mp.sqrt(v_hat) + epsilon)
