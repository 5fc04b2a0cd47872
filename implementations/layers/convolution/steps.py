"""What a convolution is."""

from implementations.declarations import Convention, Step

CONVOLUTION = Step(
    name="convolution",
    layer="convolution/convolution",
    title="Convolution",
    formula="z[b,i,j,k] = sum over u,v,c of x[b,i+u-1,j+v-1,c] W[u,v,c,k]        x (B, H, W, C), W (3, 3, C, K), z (B, H, W, K)",
    explanation=(
        "A small window of 3x3 pixels slides over the image, and the same few weights look through it everywhere: a "
        "pattern is found wherever it is, and a layer needs 9 C K weights instead of H W C times H W K. Each of the K "
        "filters makes a map of where its pattern was seen. Beyond the border the image counts as zero, so the map keeps "
        "the image's size. Written out as a matrix whose rows are the windows, a convolution is one dense layer over "
        "B H W small samples. Strictly it is a cross-correlation: the kernel is not turned."
    ),
    source="Fukushima 1980, Neocognitron; LeCun et al. 1989; LeCun et al. 1998, Gradient-based learning applied to document "
    "recognition, section II.A; Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.1",
    shown_by="logits",
)

CONVENTIONS = (
    Convention(
        "convolution",
        "cross-correlation: the kernel is not turned (scipy.signal.convolve turns it)",
        "Goodfellow, Bengio & Courville 2016, section 9.1, and all frameworks",
    ),
    Convention(
        "padding",
        "zeros, one pixel on every side (with a stride, TensorFlow's and PyTorch's would differ)",
        "this project",
    ),
    Convention(
        "convolution kernels",
        "(height, width, in, out), images (batch, height, width, channels); PyTorch stores (out, in, height, width)",
        "TensorFlow and Keras; so laid out, a kernel is the matrix of a dense layer over windows",
    ),
)
"""On what frameworks differ here, what was decided, and after whom."""
