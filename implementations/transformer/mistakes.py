"""Mistakes that people make in the Transformer itself: what is handed to which layer."""

from implementations.declarations import TRAINING, Mistake

PAGE, ATTENTION = "transformer", "attention/attention"

OF_WEIGHTS = '        of_weights = self.mask_of(f"attention{i}", shape, self.spec.attention_dropout, training)\n'
IN_KERAS = "    return kind(heads, width // heads"
MASK_IN_JAX = "dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)"

MISTAKES = (
    Mistake("weights dropped in prediction too", "The rate is an argument, which evaluation mode does not switch off.", PAGE, {
        "numpy": ((OF_WEIGHTS, OF_WEIGHTS.replace("training", "True")),),
        "torch": (("self.rate if self.training else 0.0", "self.rate", ATTENTION),),
        "keras": ((IN_KERAS, f"""    class Planted(kind):
        def _compute_attention(self, q, k, v, mask, training, *others, **named):
            return super()._compute_attention(q, k, v, mask, True, *others, **named)

{IN_KERAS.replace("kind", "Planted")}""", ATTENTION),),
        "jax": "a prediction is given nothing to draw with",
    }),
    Mistake("the residuals' rate for the weights", "One rate for all that is dropped.", PAGE, {
        "numpy": ((OF_WEIGHTS, OF_WEIGHTS.replace("attention_dropout", "dropout")),),
        "torch": (("spec.causal, spec.attention_dropout)", "spec.causal, spec.dropout)"),),
        "keras": (("rate, seed = spec.attention_dropout,", "rate, seed = spec.dropout,"),),
        "jax": ((MASK_IN_JAX, MASK_IN_JAX.replace("mask.rate", "spec.dropout"), TRAINING),),
    }),
)  # fmt: skip
