"""Where a framework itself computes something else than it should: said before a reader takes it for our code.

Every limit has a short program that shows it with that framework alone; `tests/limits` runs them all, and
fails when a fault is gone, so that nothing is said of a framework that is not true of the versions installed.
"""

from collections.abc import Collection, Iterable, Mapping

from implementations.declarations import Check, Limit

LIMITS = (
    Limit(
        name="variance of features far from zero",
        layer="batch_norm/batch_norm",
        frameworks=("keras-torch",),
        variants=("stock",),
        statement="Batch norm takes the variance of a batch as E[x²] - E[x]², in which nearly everything cancels. In "
        "float32 it is up to 34% wrong where the mean is 1,000 standard deviations, and may be negative.",
        consequence="Features that nobody centred are normalised wrongly, and look plausible; a constant one (1000.1) becomes NaN, and with it the loss.",
        answer="Our file takes the mean of the squared deviations. The variant stock, Keras as it comes, shows it.",
        reproduction="tests/limits/keras_batch_variance.py",
        # From small inputs the first layer gives nearly the same numbers for all samples: far from zero beside how they differ.
        starts=("features far from zero", "images far from zero", "small features", "small images"),
        settings=(("running_variance", "biased"), ("batch_norm", True)),
    ),
    Limit(
        name="squares of an embedding's pieces",
        layer="embedding/embedding",
        frameworks=("keras-tensorflow",),
        variants=("stock",),
        statement="An embedding's gradient comes in pieces, one for each place where a token stood, and Adam squares the pieces "
        "before it adds them up: the first step of a token at nine places is three times the learning rate.",
        consequence="An embedding learns at other rates than Adam's, above all for what comes often in a batch. With "
        "global_clipnorm, which multiplies the gradients, they are whole again.",
        answer="Our optimizer adds the pieces up first. The variant stock, Keras as it comes, shows it.",
        reproduction="tests/limits/keras_embedding_squares.py",
        starts=("free run",),
        groups=("gradients", "slots", "parameters", "change of parameters"),
        tensors="embedding.weight",
        settings=(("vocabulary", True), ("clip_norm", None), ("optimizer.epsilon_form", "hat")),
    ),
    Limit(
        name="norm of an embedding's pieces",
        layer="embedding/embedding",
        frameworks=("keras-tensorflow",),
        variants=("stock",),
        statement="An embedding's gradient comes in pieces, one for each place where a token stood, and global_clipnorm takes the "
        "norm of the pieces, not of their sum: a gradient of 9 from nine places is clipped to 3 where 1 is the most.",
        consequence="Where gradients are clipped, all of them are too large or too small by one factor, and the cap is none. Adam, "
        "which divides by their size, hides most of it; gradient descent does not.",
        answer="Our optimizer adds the pieces up first. The variant stock, Keras as it comes, shows it.",
        reproduction="tests/limits/keras_embedding_norm.py",
        starts=("free run",),
        groups=("gradients", "slots", "parameters", "change of parameters"),
        settings=(("vocabulary", True), ("clip_norm", True), ("optimizer.epsilon_form", "hat")),
    ),
    Limit(
        name="Adam's correction of its moments",
        frameworks=("keras-tensorflow", "keras-torch", "keras-jax"),
        variants=("stock",),
        statement="1 - beta^t is taken from beta in float32, and loses the digits that beta shares with 1: the first step "
        "is 0.0007% off with beta2 = 0.999, about a hundred times float32's rounding, and 0.07% with 0.99999.",
        consequence="For the first 1/(1 - beta2) steps or so, a thousand by default, the learning rate is not quite the one that was asked for.",
        answer="Our optimizer takes 1 - beta^t as -expm1(t log beta). In the variant stock the error stays: where a weight "
        "is smaller than its step, the proof sees it.",
        reproduction="tests/limits/keras_adam_correction.py",
        groups=("parameters from slots", "parameters", "change of parameters"),
        most=1e-3,
        settings=(("optimizer.epsilon_form", "hat"),),
    ),
    Limit(
        name="no gradient for the worst mistakes",
        frameworks=("keras-torch", "keras-jax"),
        statement="The cross-entropy of probabilities, which is the default, clips them at 1e-7: a true class that is less "
        "probable has a loss of 16.118 and a gradient of exactly zero. (On TensorFlow, Keras finds the logits itself.)",
        consequence="A network that ends in softmax, as many tutorials have it, learns nothing from what it gets most wrong.",
        answer="Our file computes the loss from logits.",
        reproduction="tests/limits/keras_zero_gradient.py",
    ),
    Limit(
        name="labels that are no class",
        frameworks=("keras-torch", "keras-jax"),
        statement="A label that is no class may have a loss of 0 instead of being refused: on JAX every such label, on "
        "PyTorch the label -100, though Keras promises to ignore none unless it is told to.",
        consequence="Samples with a wrong label teach nothing, and make the mean loss look better than it is.",
        answer="Labels are checked on the host before they reach a framework.",
        reproduction="tests/limits/keras_labels.py",
    ),
    Limit(
        name="labels that are no class",
        frameworks=("numpy",),
        statement="A negative index counts from the end: the label -1 is the last class.",
        consequence="The loss is plausible, and the network learns the wrong class.",
        answer="Labels are checked on the host before they reach a framework.",
        reproduction="tests/limits/numpy_labels.py",
    ),
    Limit(
        name="float64 that is float32 inside",
        frameworks=("keras-torch", "keras-jax"),
        statement="With floatx float64 (and, on JAX, with its 64 bits enabled) several operations go through float32, and "
        "the result is called float64: batch norm is off by up to 5e-7.",
        consequence="Whoever asks for sixteen digits gets seven, and is not told.",
        answer="Keras's table of types is mended in the process that checks float64; nothing is timed in it.",
        reproduction="tests/limits/keras_float64.py",
    ),
    Limit(
        name="constants rounded to float32",
        frameworks=("keras-tensorflow",),
        statement="A Python float becomes float32 on its way to float64, Adam's betas among them: in float64 its first step is 0.0007% off.",
        consequence="A training in float64 follows other constants than those that were written down.",
        answer="In float64 our file hands over the constants as np.float64.",
        reproduction="tests/limits/keras_float64_constants.py",
    ),
    Limit(
        name="seeds that are added up",
        frameworks=("keras-torch",),
        statement="A generator's seed and the number of draws that it has made are added, and the sum seeds the next draw: "
        "a layer with seed 2 draws what a layer with seed 1 draws one step later.",
        consequence="With seeds near one another, as people choose them, a layer's dropout mask comes again in its neighbour in the next step.",
        answer="The seeds of our layers are a million steps apart.",
        reproduction="tests/limits/keras_torch_seeds.py",
    ),
    Limit(
        name="mean of a large batch",
        frameworks=("numpy",),
        variants=("spec",),
        statement="A sum over the first axis adds row after row in float32: the mean of 1,000,000 times 0.1 is 1% off.",
        consequence="Batch statistics, and gradients that are summed over a batch, lose digits as the batch grows. (At 2,048 samples: 0.002%.)",
        answer="Nothing: the oracle sums in float64, and the profiles have batches of 2,048 at most, `gpu` of 8,192.",
        reproduction="tests/limits/numpy_large_batch.py",
    ),
    Limit(
        name="mean of a large batch",
        frameworks=("torch",),
        variants=("spec",),
        statement="On the CPU, batch norm adds row after row in float32, in each thread: with one, the mean of 1,000,000 "
        "times 0.1 is 1% off. torch.mean adds in pairs, and is right.",
        consequence="Batch statistics lose digits as the batch grows. (At 2,048 samples: 0.002%.)",
        answer="Nothing: the oracle sums in float64, and the profiles have batches of 2,048 at most, `gpu` of 8,192.",
        reproduction="tests/limits/torch_large_batch.py",
    ),
    Limit(
        name="torch.compile and a float64 counter",
        frameworks=("torch",),
        statement="On a CPU, what torch.compile makes of a function loses the in-place update of a zero-dimensional float64 "
        "tensor that the same function reads: it stays what it was.",
        consequence="An optimizer in float64 that counts its steps in such a tensor corrects its moments for the first step "
        "for ever, when it is compiled. Nothing is said; in float32 and for whole numbers the update is there.",
        answer="Our tuned file counts in whole numbers.",
        reproduction="tests/limits/torch_compiled_counter.py",
    ),
    Limit(
        name="mean of a large batch",
        frameworks=("keras-tensorflow",),
        variants=("spec", "stock"),
        statement="On the CPU, a mean over the first axis adds row after row in float32, in batch norm too: that of 1,000,000 times 0.1 is 1% off.",
        consequence="Batch statistics lose digits as the batch grows. (At 2,048 samples: 0.002%.)",
        answer="Nothing: the oracle sums in float64, and the profiles have batches of 2,048 at most, `gpu` of 8,192.",
        reproduction="tests/limits/keras_large_batch.py",
    ),
    Limit(
        name="dropout in bfloat16",
        frameworks=("keras-tensorflow",),
        statement="In mixed precision the random numbers of a dropout mask are drawn in bfloat16, of which there are few "
        "between 0 and 1: with a rate of 0.2, 20.3% of the units are dropped.",
        consequence="Another rate of dropout than the one that was asked for.",
        answer="bfloat16 is not offered on this backend: it would not be the network of the specification.",
        reproduction="tests/limits/keras_bfloat16_dropout.py",
    ),
    Limit(
        name="NaN lost in a maximum",
        frameworks=("keras-tensorflow",),
        statement="Compiled by XLA for the CPU, a maximum drops NaN: that of 1, NaN and 2 is 2.",
        consequence="A watch for NaN that looks at the largest gradient or weight sees none.",
        answer="Our tuned file is compiled by XLA; ReLU keeps NaN there too, and so do the logits and the loss.",
        reproduction="tests/limits/tensorflow_xla_nan.py",
    ),
    Limit(
        name="NaN lost in a fused ReLU",
        frameworks=("keras-tensorflow",),
        variants=("spec", "stock"),
        statement="On processors with AVX-512 VNNI or AMX, where TensorFlow turns oneDNN on by itself, a graph's dense layer "
        "with its bias and ReLU is one operation, in which NaN becomes 0.",
        consequence="NaN in a feature comes out as plausible logits, and the loss stays a number, where no batch norm stands between a dense layer and its ReLU.",
        answer="Nothing: it is what TensorFlow's users get. The proof sees it, and says whose it is. With batch norm nothing "
        "is fused, and in tuned mode XLA keeps NaN.",
        reproduction="tests/limits/tensorflow_fused_nan.py",
        groups=("NaN comes out", "NaN in training"),
        settings=(("batch_norm", False),),
        modes=("plain",),
    ),
    Limit(
        name="NaN lost in a max pool",
        layer="pooling/max_pool",
        frameworks=("keras-tensorflow", "keras-jax"),
        variants=("spec", "stock"),
        statement="The maximum of a window drops NaN: that of four NaN is minus the largest number. (On JAX, in all but small "
        "images and batches, and minus infinity.)",
        consequence="A prediction for an image with NaN in it comes out as plausible logits. In training, batch norm carries "
        "NaN past the pool, and the loss is NaN; without batch norm it stays a number on TensorFlow.",
        answer="Nothing: it is what Keras's users get. The proof sees it, and says whose it is.",
        reproduction="tests/limits/keras_max_pool_nan.py",
        groups=("NaN comes out",),
        settings=(("channels", True),),
    ),
    Limit(
        name="NaN lost in a max pool",
        layer="pooling/max_pool",
        frameworks=("jax",),
        variants=("spec",),
        statement="Compiled by XLA for the CPU, reduce_window with a maximum drops NaN in all but small images and batches: that of four NaN is minus infinity.",
        consequence="A prediction for an image with NaN in it comes out as plausible logits. In training, batch norm carries "
        "NaN past the pool, and the loss is NaN.",
        answer="Nothing: it is what JAX's users get. The proof sees it, and says whose it is.",
        reproduction="tests/limits/jax_max_pool_nan.py",
        groups=("NaN comes out",),
        settings=(("channels", True),),
    ),
    Limit(
        name="softmax of attention in float32",
        layer="attention/attention",
        frameworks=("jax",),
        statement="jax.nn.dot_product_attention computes its softmax in float32, whatever it is given: in float64 what comes out is "
        "off by 5e-8.",
        consequence="Attention in float64 has float32's digits, and nothing says so. Keras's MultiHeadAttention on JAX calls it where "
        "nothing is dropped.",
        answer="Our JAX file writes scores, softmax and means out. Keras's layer is proved in float64 step by step, and in float32, "
        "in which it is timed, as it comes.",
        reproduction="tests/limits/jax_attention_softmax.py",
    ),
    Limit(
        name="a constant of GELU in float32",
        layer="activation/gelu",
        frameworks=("keras-tensorflow",),
        statement="tf.nn.gelu has 0.044715 rounded to float32 in it: in float64 it is off by 9e-10.",
        consequence="A GELU in float64 has float32's digits. In float32 nothing is to be seen of it.",
        answer="In float64 our file writes the formula out; in float32, in which it is timed, it is Keras's own.",
        reproduction="tests/limits/tensorflow_gelu_constant.py",
    ),
    Limit(
        name="another GELU in prediction",
        layer="activation/gelu",
        frameworks=("torch",),
        statement="nn.TransformerEncoderLayer with nn.GELU(approximate='tanh') has a fast path for predictions that takes the exact GELU: "
        "what it predicts is off by 1.3e-4 from what it trains.",
        consequence="Predictions with torch.no_grad() differ from those with gradients, and nothing says so.",
        answer="Our file has a block of its own, of nn.LayerNorm, nn.Linear and scaled_dot_product_attention.",
        reproduction="tests/limits/torch_encoder_gelu.py",
    ),
    Limit(
        name="attention's weights anew on the way back",
        layer="attention/attention",
        frameworks=("torch", "keras-torch"),
        variants=("spec",),
        statement="On the CPU scaled_dot_product_attention computes its weights anew in the backward pass, from scores and the logarithm "
        "of their sum: where scores reach 4 million, the values' gradient is off by 0.5 in float32.",
        consequence="Gradients through attention err in proportion to the scores: 0.0005 where these reach 4,000. The forward pass does not.",
        answer="Nothing: it is what PyTorch's and Keras's users get. The proof sees it from scores a million times as large as usual, and says whose it is.",
        reproduction="tests/limits/torch_attention_scores.py",
        starts=("large scores",),
        groups=("gradients", "parameters", "change of parameters"),
        groups_of_starts=True,
        tensors=".value",
        settings=(("heads", True),),
    ),
)


def explaining(framework: str, mode: str, spec: Mapping[str, object], check: Check) -> Limit | None:
    """The limit of this framework's own because of which such a check fails, or None: then it is our fault."""
    return next((limit for limit in concerning([framework]) if limit.explains(mode, spec, check)), None)


def concerning(frameworks: Iterable[str], layers: Collection[str] | None = None) -> tuple[Limit, ...]:
    """The limits of any of these frameworks, or those of them that concern a network of these layers; `torch@next` is PyTorch."""
    names = {name.partition("@")[0] for name in frameworks}
    theirs = (limit for limit in LIMITS if not names.isdisjoint(limit.frameworks))
    return tuple(limit for limit in theirs if layers is None or limit.layer in ("", *layers))
