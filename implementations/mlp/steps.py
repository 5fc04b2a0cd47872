"""The ordered steps of the multilayer perceptron, each with its formula, a learner's explanation and its source.

Every implementation has these headings, in this order (`# --- dense ---`); a test checks it.
"""

from implementations.contract import Step

STEPS = (
    Step(
        name="dense",
        title="Dense layer",
        formula="z = x W + b        x (B, D), W (D, H), b (H,), z (B, H)",
        explanation=(
            "A neuron takes some inputs, multiplies each by a weight, adds the products and a bias, and passes the sum "
            "through an activation function: a = f(w1 x1 + w2 x2 + ... + b). A large weight makes its input matter, the "
            "bias shifts the point at which the neuron becomes active. A layer is H neurons that look at the same D "
            "inputs; their weights stand side by side as the columns of one matrix W, and so a whole layer, for a whole "
            "batch of B samples, is one matrix product. A deep network feeds each layer's output to the next. Where batch "
            "norm follows, the bias is left out: batch norm subtracts the mean, and any constant with it."
        ),
        source="Rosenblatt 1958, The perceptron; Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.1",
        shown_by="logits",
    ),
    Step(
        name="batch_norm",
        title="Batch normalisation",
        formula="z_hat = (z - mean_B(z)) / sqrt(var_B(z) + epsilon);  n = gamma * z_hat + beta",
        explanation=(
            "Each unit's values over the batch are shifted to mean 0 and scaled to variance 1, then given back a scale "
            "gamma and a shift beta that are learned. Layers then see inputs of a steady size while those before them "
            "change, and training takes larger steps. In training, mean and (biased, 1/B) variance are those of the "
            "batch. Running averages of the mean and of the unbiased variance, r = 0.9 r + 0.1 new, are kept beside, and "
            "take their place when the network predicts: a prediction must not depend on its neighbours."
        ),
        source="Ioffe & Szegedy 2015, Batch Normalization, Algorithms 1 and 2",
        shown_by="statistics",
    ),
    Step(
        name="relu",
        title="ReLU",
        formula="a = max(n, 0)",
        explanation=(
            "The activation function. Without one, layers of matrix products would collapse into a single matrix. The "
            "rectified linear unit passes what is positive and stops what is not; its slope is 1 or 0, so gradients do "
            "not fade on their way back through many layers. At exactly 0 the slope is taken as 0."
        ),
        source="Nair & Hinton 2010, Rectified linear units improve restricted Boltzmann machines; Glorot et al. 2011",
        shown_by="logits",
    ),
    Step(
        name="dropout",
        title="Dropout",
        formula="h = a * m,  m = 0 with probability p, else 1 / (1 - p)",
        explanation=(
            "In training each unit is switched off at random with probability p, so that no unit can rely on another "
            "being there and the network learns features that are useful on their own. Those that stay are scaled up by "
            "1/(1-p), so that the expected sum into the next layer is the same as without dropout, and prediction needs "
            "no correction: there, nothing is dropped."
        ),
        source="Srivastava et al. 2014, Dropout (inverted scaling as in their section 10)",
        shown_by="mask scale, mask keep rate",
    ),
    Step(
        name="output",
        title="Output layer",
        formula="logits = h W + b        h (B, H), W (H, C), b (C,)",
        explanation=(
            "One neuron per class, without an activation function: its value, the logit, is the network's vote for that "
            "class. Running the input through all layers up to here is the forward pass, and the largest logit is the "
            "prediction."
        ),
        source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 6.2.2",
        shown_by="logits",
    ),
    Step(
        name="loss",
        title="Softmax and cross-entropy",
        formula="P = softmax(logits);  loss = mean over the batch of -log P[label]",
        explanation=(
            "Softmax turns the logits into probabilities. The error of one sample is the surprise at its true class, "
            "-log of the probability given to it: near 0 for a confident right answer, large for a confident wrong one. "
            "The loss is the mean over the batch. It is computed from the logits, with the largest subtracted first, so "
            "that no exponential overflows."
        ),
        source="Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
        shown_by="loss, sample losses",
    ),
    Step(
        name="backward",
        title="Backpropagation",
        formula="dlogits = (P - onehot) / B;  dW = h^T dlogits;  dh = dlogits W^T;  ... back to the first layer",
        explanation=(
            "How much would the loss change if this weight changed a little? That slope is the gradient. The chain rule "
            "gives it for all weights at once: start at the loss and go back layer by layer, each step turning the "
            "gradient of its output into the gradients of its inputs and of its parameters. ReLU and dropout pass the "
            "gradient where they passed the value; batch norm has two extra terms, because every sample moved the batch's "
            "mean and variance."
        ),
        source="Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors; "
        "Ioffe & Szegedy 2015, section 3",
        shown_by="gradients",
    ),
    Step(
        name="update",
        title="Gradient descent",
        formula="v = mu v + g;  w = w - lr v        (SGD with momentum; Adam and AdamW: see the conventions)",
        explanation=(
            "Step each weight a little downhill, against its gradient, and do it again with the next batch. The learning "
            "rate lr says how far. Momentum keeps a running sum of past gradients, so that steps add up where gradients "
            "agree and cancel where they zigzag. Adam also divides by the root of a running mean of squared gradients, "
            "which gives every weight a step of about the same size."
        ),
        source="Robbins & Monro 1951; Sutskever et al. 2013 (momentum); Kingma & Ba 2015 (Adam), Algorithm 1; "
        "Loshchilov & Hutter 2019 (AdamW), Algorithm 2",
        shown_by="parameters, parameters from slots",
    ),
)
