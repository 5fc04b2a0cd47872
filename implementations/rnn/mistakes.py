"""Mistakes that people make in the recurrent network itself: what goes where, and what all steps of a sequence have in common."""

from implementations.declarations import TRAINING, Edits, Mistake

PAGE, RECURRENT, EMBEDDING = "rnn", "recurrent/recurrent", "embedding/embedding"
CLIPPING, DROPOUT, OPTIMIZER = "clipping/clipping", "dropout/dropout", "optimizer/optimizer"

FORWARD = "# --- forward ---\n"
LAYER = "            h, cache = self.layer(i, h)\n            mask = None\n"
MASKED = """            if self.spec.dropout:
                mask = self.mask(f"dropout{i}.mask", h.shape, self.spec.dropout)
"""
PREDICTED = "            h, _ = self.layer(i, h)\n"
STATES_KEPT = "        states.append(memory[0])\n"
DE = '            g["embedding.weight"] = embedding.backward(dh, x, self.w["embedding.weight"])\n'
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
CLIPPED = "        return clipping.clip(gradients, largest) if largest else gradients\n"
UPDATED = "            self.w[name], slots = optimizer.update(self.w[name], g, slots, self.step, self.spec.optimizer, decays)\n"
DECAYS = "tensor.decays}"

LAYER_IN_TORCH = '            states = recurrent.forward(self.get_submodule(f"rnn{i}"), h)\n'
DROPPED_IN_TORCH = '            if self.spec.dropout:\n                h = self.get_submodule(f"dropout{i}")(h)\n'
FROZEN_IN_TORCH = "nn.init.zeros_(layer.bias_hh_l0).requires_grad_(False)"
PARAMETERS_IN_TORCH = 'for name, tensor in tensors if tensor.role == "parameter"}\n'

DROPOUT_IN_KERAS = 'layers.append(dropout.layer(spec.dropout, dropout.seed(spec.seed, i), name=f"dropout{i}"))'
LAYER_IN_KERAS = "    return kind(width, return_sequences=every, name=name)\n"
SGD_IN_KERAS = '    """Stock Keras\'s, with whole gradients."""\n'
CLASS = "class RNN(Model):\n"

LAYER_IN_JAX = "        h = layer(i, h, w, spec)\n        if spec.dropout:\n"
PREDICTED_IN_JAX = "        h = layer(i, h, w, spec)\n    return output(h, w, spec)\n"
MASK_IN_JAX = "dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)"
STEPPED_IN_JAX = "        return memory, memory[0]\n"
SCAN_IN_JAX = "xw.swapaxes(0, 1))\n"
PRODUCT_IN_JAX = "        hu = memory[0] @ recurrent_weight\n"


def dropped_only(where: str) -> dict[str, Edits]:
    """Dropout only behind these layers."""
    of = where.format(i="i", spec="self.spec")
    of_spec = where.format(i="i", spec="spec")
    return {
        "numpy": ((MASKED, MASKED.replace("self.spec.dropout:", f"self.spec.dropout and {of}:")),),
        "torch": ((DROPPED_IN_TORCH, DROPPED_IN_TORCH.replace("dropout:", f"dropout and {of}:")),),
        "keras": (
            (DROPOUT_IN_KERAS, f"{DROPOUT_IN_KERAS}\n                Idle.make(layers, {of_spec})"),
            (CLASS, f"""class Idle(keras.layers.Dropout):
    @classmethod
    def make(cls, layers, is_real):
        if not is_real:
            layers[-1].__class__ = cls

    def call(self, inputs, training=False):
        return inputs


{CLASS}"""),
        ),
        "jax": ((LAYER_IN_JAX, LAYER_IN_JAX.replace("dropout:", f"dropout and {of_spec}:")),),
    }  # fmt: skip


MISTAKES = (
    Mistake("mask shared over time", "Every step of a sequence drops the same units (Gal & Ghahramani 2016).", TRAINING, {
        "numpy": ((DRAW, """if len(shape) == 3:
            one = dropout.mask(self.rng, (shape[0], 1, shape[2]), rate, self.dtype)
            return np.repeat(one, shape[1], axis=1)
        """ + DRAW),),
        "torch": (("    return nn.Dropout(rate)\n", """    return Planted(rate)


class Planted(nn.Dropout):
    def forward(self, x):
        return x * super().forward(torch.ones_like(x[:, :1])) if x.dim() == 3 else super().forward(x)
""", DROPOUT),),
        "keras": (("seed=seed, name=name)", "seed=seed, name=name, noise_shape=(None, 1, None))", DROPOUT),),
        "jax": ((MASK_IN_JAX, f"jax.numpy.repeat({MASK_IN_JAX.replace('mask.shape', '(mask.shape[0], 1, mask.shape[2])')}, mask.shape[1], 1)"),),
    }),
    Mistake("last state's mask again", "What is dropped behind a layer's last step is dropped behind the layer above it, too.", TRAINING, {
        "numpy": ((DRAW, f"if len(shape) == 3:\n            self.below = {DRAW.removeprefix('return ')}\n        return self.below if len(shape) == 3 else self.below[:, -1]"),),
        "torch": (("    return nn.Dropout(rate)\n", """    return Planted(rate)


class Planted(nn.Dropout):
    def forward(self, x):
        if x.dim() == 3 and self.training:
            Planted.below = super().forward(torch.ones_like(x))
        return x * (Planted.below if x.dim() == 3 else Planted.below[:, -1]) if self.training else x
""", DROPOUT),),
        "keras": "each of its dropout layers draws from a generator of its own",
        "jax": ((f"        masks[name] = {MASK_IN_JAX}\n", f"""        masks[name] = below = {MASK_IN_JAX} if len(mask.shape) == 3 else below[:, -1]
"""),),
    }),
    Mistake("no dropout between layers", "Only what the output reads is dropped.", PAGE, dropped_only("{i} == len({spec}.hidden)")),
    Mistake("no dropout before the output", "Only what the next recurrent layer reads is dropped.", PAGE, dropped_only("{i} < len({spec}.hidden)")),
    Mistake("dropout in the recurrence", "What is dropped is missing at the layer's own next step, too.", PAGE, {
        "numpy": (
            (LAYER, LAYER.replace("            h, cache = self.layer(i, h)\n            mask = None\n", """            mask = None
            if self.spec.dropout:
                recurrent.MASK = mask = self.mask(f"dropout{i}.mask", self.spec.masks(len(h))[f"dropout{i}.mask"].shape, self.spec.dropout)
            h, cache = self.layer(i, h)
            recurrent.MASK = None
""")),
            (MASKED, MASKED.replace('mask = self.mask(f"dropout{i}.mask", h.shape, self.spec.dropout)', "pass")),
            (FORWARD, "MASK = None\n\n" + FORWARD, RECURRENT),
            (STATES_KEPT, STATES_KEPT + """        if MASK is not None and MASK.ndim == 3:
            memory = (memory[0] * MASK[:, t], *memory[1:])
""", RECURRENT),
        ),
        "torch": (
            (LAYER_IN_TORCH, LAYER_IN_TORCH + """            if self.training and self.spec.dropout and self.spec.reads_every(i):
                shape, states, state, rnn = states.shape, [], None, self.get_submodule(f"rnn{i}")
                mask = self.get_submodule(f"dropout{i}")(recurrent.ones_as_states(shape, h.dtype, h.device))
                for t in range(shape[1]):
                    s, state = rnn(h[:, t : t + 1], state)
                    s, m = s * mask[:, t : t + 1], mask[:, t][None]
                    state = (state[0] * m, state[1]) if isinstance(state, tuple) else state * m
                    states.append(s)
                h = torch.cat(states, 1)
                continue
"""),
        ),
        "keras": ((LAYER_IN_KERAS, LAYER_IN_KERAS.replace("name=name", "recurrent_dropout=0.2, name=name"), RECURRENT),),
        "jax": (
            (LAYER_IN_JAX, '        recurrent.MASK = masks.get(f"dropout{i}.mask")\n' + LAYER_IN_JAX.replace("\n", "\n        recurrent.MASK = None\n", 1)),
            (FORWARD, "MASK = None\n\n" + FORWARD, RECURRENT),
            (PRODUCT_IN_JAX, "        xw_t, mask_t = xw_t\n" + PRODUCT_IN_JAX, RECURRENT),
            (STEPPED_IN_JAX, "        return (memory[0] * mask_t, *memory[1:]), memory[0]\n", RECURRENT),
            (SCAN_IN_JAX, """(
        xw.swapaxes(0, 1),
        MASK.swapaxes(0, 1) if MASK is not None and MASK.ndim == 3 else jnp.ones((x.shape[1], 1, 1), xw.dtype),
    ))
""", RECURRENT),
        ),
    }),
    Mistake("layers of equal width added up", "What goes into a layer is added to its states.", PAGE, {
        "numpy": (
            (LAYER, "            below = h\n" + LAYER + "            h = h + below if h.shape == below.shape else h\n"),
            (PREDICTED, "            below = h\n" + PREDICTED + "            h = h + below if h.shape == below.shape else h\n"),
        ),
        "torch": ((LAYER_IN_TORCH, LAYER_IN_TORCH + "            states = states + h if states.shape == h.shape else states\n"),),
        "keras": ((LAYER_IN_KERAS, """    class Planted(kind):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            states = super().call(sequences, training=training)
            return states + sequences if states.shape == sequences.shape else states

    return Planted(width, return_sequences=every, name=name)
""", RECURRENT),),
        "jax": (
            (LAYER_IN_JAX, LAYER_IN_JAX.replace("        h = layer(i, h, w, spec)\n", "        below, h = h, layer(i, h, w, spec)\n        h = h + below if h.shape == below.shape else h\n")),
            (PREDICTED_IN_JAX, PREDICTED_IN_JAX.replace("        h = layer(i, h, w, spec)\n", "        below, h = h, layer(i, h, w, spec)\n        h = h + below if h.shape == below.shape else h\n")),
        ),
    }),
    Mistake("norm of an embedding's pieces", "What a token's places say is squared before it is added up, as where gradients are lists of rows.", PAGE, {
        "numpy": (
            (DE, DE + "            self.pieces = (dh * dh).sum()\n"),
            (CLIPPED, """        whole = gradients.get("embedding.weight")
        if whole is None:
            return clipping.clip(gradients, largest)
        squares = sum((g * g).sum() for g in gradients.values()) - (whole * whole).sum() + self.pieces
        factor = largest / np.maximum(np.sqrt(squares), largest)
        return {name: g * factor for name, g in gradients.items()}
""", TRAINING),
        ),
        "torch": "autograd adds up what the places say before anybody sees it",
        "keras": (("    return tf.convert_to_tensor(gradient)\n", "    return gradient\n", EMBEDDING),),
        "jax": "JAX adds up what the places say before anybody sees it",
    }),
    Mistake("second bias trained too", "Two biases get the same gradient, so that their sum moves twice as far.", TRAINING, {
        "numpy": ((UPDATED, "            before = self.w[name]\n" + UPDATED + """            if name.startswith("rnn") and name.endswith(".bias"):
                self.w[name] = 2 * self.w[name] - before
"""),),
        "torch": (
            (FROZEN_IN_TORCH, "nn.init.zeros_(layer.bias_hh_l0)", RECURRENT),
            (PARAMETERS_IN_TORCH, PARAMETERS_IN_TORCH + """        parameters |= {name: p for name, p in self.network.named_parameters() if name.endswith("bias_hh_l0")}
"""),
        ),
        "keras": ((SGD_IN_KERAS, SGD_IN_KERAS + """
    def update_step(self, gradient, variable, learning_rate):
        before = variable * 1
        super().update_step(gradient, variable, learning_rate)
        path = self._trainable_variables[self._get_variable_index(variable)].path
        if "rnn" in path and path.endswith("bias"):
            self.assign(variable, variable * 2 - before)
""", OPTIMIZER),),
        "jax": (("        new_parameters[name] = w\n", """        is_bias = name.startswith("rnn") and name.endswith(".bias")
        new_parameters[name] = 2 * w - parameters[name] if is_bias else w
"""),),
    }),
    Mistake("recurrent weights not decayed", "Weight decay asks for a layer's first weight.", TRAINING, {
        "numpy": ((DECAYS, 'tensor.decays and "recurrent" not in name}'),),
        "torch": ((DECAYS, 'tensor.decays and "recurrent" not in name}'),),
        "keras": (('tensor.role == "parameter" and not tensor.decays]', 'tensor.role == "parameter" and not (tensor.decays and "recurrent" not in name)]'),),
        "jax": (("settings, tensors[name].decays)", 'settings, tensors[name].decays and "recurrent" not in name)'),),
    }),
)  # fmt: skip
