"""The multilayer perceptron in PyTorch, as its documentation teaches it: `nn.Module` layers and `torch.optim`.

PyTorch does much of the network by itself; where it does, the heading stays and says so. Shape letters: B batch,
D features, H hidden width, C classes.
"""

from collections import OrderedDict

from torch import nn

from implementations.layers.activation import relu_torch as relu
from implementations.layers.batch_norm import batch_norm_torch as batch_norm
from implementations.layers.dense import dense_torch as dense
from implementations.layers.dropout import dropout_torch as dropout
from implementations.training.training_torch import Model

LAYERS = {"dense": dense, "norm": batch_norm, "relu": relu, "dropout": dropout, "output": dense}
"""A layer's name without its number -> its file."""


class MLP(Model):
    """`implementations.contract.Model`."""

    kinds = LAYERS

    # --- forward ---

    def make_network(self) -> nn.Sequential:
        """All layers in the order in which x (B, D) goes through them; logits (B, C) come out."""
        spec, width_in = self.spec, self.spec.features
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i, width in enumerate(spec.hidden, start=1):
            layers[f"dense{i}"] = dense.layer(width_in, width, bias=not spec.batch_norm)
            if spec.batch_norm:
                layers[f"norm{i}"] = batch_norm.layer(
                    width, spec.norm_epsilon, spec.norm_momentum, spec.running_variance
                )
            layers[f"relu{i}"] = relu.layer()
            if spec.dropout:
                layers[f"dropout{i}"] = dropout.layer(spec.dropout)
            width_in = width
        layers["output"] = self.output(width_in)
        return nn.Sequential(layers)

    # --- output ---

    def output(self, width: int) -> nn.Linear:
        """logits = h W^T + b: h (B, H) -> logits (B, C)."""
        return dense.layer(width, self.spec.classes)

    # --- backward ---

    # Autograd recorded the forward pass and walks it back, from the last layer to the first: `loss.backward()`.

    # --- predict ---

    # The same layers in evaluation mode: with running statistics and without dropout.

    def calls_of_steps(self) -> list[tuple[str, object, str]]:
        """With the step of this network's own: (step, object, method)."""
        return [*super().calls_of_steps(), ("output", self.network.get_submodule("output"), "forward")]
