// The kernels of mlp_cupy_tuned.py: all that stands between two matrix products, one kernel each. Headings as there, but
// dropout stands first, for others draw its masks. b is a sample and c a column, which is a unit or a class.
//
// `Real` is float or double; the compiler is told it, and ROWS and COLUMNS. A thread that has no column of its own has no
// rows either, and goes on to the end, for all threads of a block must meet at each __syncthreads. Nothing is included:
// what is called here (exp, log, sqrt, expm1) CUDA's compiler knows by itself.

__device__ Real add(Real a, Real b) { return a + b; }
__device__ Real larger(Real a, Real b) { return a > b ? a : b; }

// Joins one number of each of `lanes` threads (a power of 2), in pairs, pairs of pairs, ...: of all sums in one precision
// this strays least (Higham 1993). Everyone gets the result. `lane` says which of them a thread is, `apart` how far they
// stand from each other in the block.
template <Real (*join)(Real, Real)>
__device__ Real tree(Real mine, int lane, int lanes, int apart)
{
    __shared__ Real part[ROWS * COLUMNS];
    const int me = threadIdx.y * blockDim.x + threadIdx.x;
    part[me] = mine;
    for (int half = lanes / 2; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) part[me] = join(part[me], part[me + half * apart]);
    }
    __syncthreads();
    const Real joined = part[me - lane * apart];
    __syncthreads();  // nobody writes into `part` again before everybody has read
    return joined;
}

__device__ Real over_rows(Real mine) { return tree<add>(mine, threadIdx.y, ROWS, COLUMNS); }

// --- dropout ---

struct Words { unsigned word[4]; };
struct Four { Real row[4]; };

// Philox 4x32-10 (Salmon et al. 2011): a function from a counter and a key to four random words. It has no state: whoever
// needs the numbers of a place computes them there.
__device__ Words philox(Words counter, unsigned key0, unsigned key1)
{
    for (int round = 0; round < 10; round++) {
        const unsigned long long a = 0xD2511F53ull * counter.word[0], b = 0xCD9E8D57ull * counter.word[2];
        counter = {{(unsigned)(b >> 32) ^ counter.word[1] ^ key0, (unsigned)b,
                    (unsigned)(a >> 32) ^ counter.word[3] ^ key1, (unsigned)a}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}

// What samples b to b + 3 of unit c are multiplied by: 0 with probability p = threshold / 2^32, else scale = 1 / (1 - p)
// (inverted dropout, Srivastava et al. 2014). The place and counters[1], the draws so far, make the counter: the graph
// draws other masks each time it runs.
__device__ Four masks(
    int b, int c, unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    if (threshold == 0) return {{scale, scale, scale, scale}};
    const unsigned long long draws = counters[1];
    const Words place = {{(unsigned)b / 4, (unsigned)c, (unsigned)draws, (unsigned)(draws >> 32)}};
    const Words drawn = philox(place, seed, layer);
    Four mask;
    for (int k = 0; k < 4; k++) mask.row[k] = drawn.word[k] >= threshold ? scale : 0;
    return mask;
}

// The masks alone, as the kernels above draw them.
extern "C" __global__ void dropout_mask(
    Real* mask, int B, int H,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const size_t all = (size_t)((B + 3) / 4) * H;
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < all; i += gridDim.x * blockDim.x) {
        const int b = i / H * 4, c = i % H;
        const Four drawn = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) mask[(size_t)(b + k) * H + c] = drawn.row[k];
    }
}

// --- relu ---

__device__ Real relu(Real n) { return n < 0 ? 0 : n; }  // what is not a number stays so

// z = relu(z + bias) * mask, in place: without batch norm. One thread for four samples of a unit.
extern "C" __global__ void bias_relu_dropout(
    Real* z, const Real* bias, int B, int H,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const size_t all = (size_t)((B + 3) / 4) * H;
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < all; i += gridDim.x * blockDim.x) {
        const int b = i / H * 4, c = i % H;
        const Four mask = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) {
            const size_t at = (size_t)(b + k) * H + c;
            z[at] = relu(z[at] + bias[c]) * mask.row[k];
        }
    }
}

// --- batch_norm ---

// h = relu(gamma z_hat + beta) * mask,  z_hat = (z - mean) / std over the batch   (Ioffe & Szegedy 2015, Algorithm 1)
// Also mean and 1/std (H) for the way back, and the running statistics: r = momentum r + fresh new, fresh = 1 - momentum,
// of the variance times `unbiased`. First the mean, then the squares of what is centred: E[z^2] - E[z]^2 would cancel.
// A block has COLUMNS of the columns to itself and goes over them three times; the second time they are in the cache.
extern "C" __global__ void norm_relu_dropout(
    const Real* z, const Real* gamma, const Real* beta, Real* mean, Real* inv_std, Real* h, int B, int H, Real epsilon,
    Real* running_mean, Real* running_variance, Real momentum, Real fresh, Real unbiased,
    unsigned threshold, Real scale, unsigned seed, unsigned layer, const unsigned long long* counters)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0, squares = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) sum += z[(size_t)b * H + c];
    const Real center = over_rows(sum) / B;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const Real centred = z[(size_t)b * H + c] - center;
        squares += centred * centred;
    }
    const Real variance = over_rows(squares) / B, inverse = 1 / sqrt(variance + epsilon);
    const Real gain = rows ? gamma[c] : 0, shift = rows ? beta[c] : 0;
    for (int b = 4 * threadIdx.y; b < rows; b += 4 * ROWS) {
        const Four mask = masks(b, c, threshold, scale, seed, layer, counters);
        for (int k = 0; k < 4 && b + k < B; k++) {
            const size_t at = (size_t)(b + k) * H + c;
            h[at] = relu(gain * ((z[at] - center) * inverse) + shift) * mask.row[k];
        }
    }
    if (threadIdx.y == 0 && c < H) {
        mean[c] = center;
        inv_std[c] = inverse;
        running_mean[c] = momentum * running_mean[c] + fresh * center;
        running_variance[c] = momentum * running_variance[c] + fresh * (variance * unbiased);
    }
}

// z = relu(gamma (z - running mean) / sqrt(running variance + epsilon) + beta), in place, for prediction (Algorithm 2)
extern "C" __global__ void norm_running_relu(
    Real* z, const Real* gamma, const Real* beta, const Real* mean, const Real* variance, int B, int H, Real epsilon)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (size_t)B * H; i += gridDim.x * blockDim.x) {
        const int c = i % H;
        z[i] = relu(gamma[c] * ((z[i] - mean[c]) / sqrt(variance[c] + epsilon)) + beta[c]);
    }
}

// --- output ---

// logits += bias, for prediction
extern "C" __global__ void add_bias(Real* logits, const Real* bias, int B, int C)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < (size_t)B * C; i += gridDim.x * blockDim.x)
        logits[i] += bias[i % C];
}

// --- loss ---

// losses = -log P[label] / B,  logits = (P - onehot(label)) / B, the gradient of their sum, in place;
// P = softmax(logits + bias), with the row's largest logit subtracted, so that nothing overflows.
// One row of threads for one sample. It counts the step, too: counters[0] is the optimizer's, counters[1] the masks'; those
// of this step are drawn, and its update is to come.
extern "C" __global__ void cross_entropy(
    Real* logits, const Real* bias, const long long* y, Real* losses, int B, int C, unsigned long long* counters)
{
    const int b = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x, lanes = blockDim.x, classes = b < B ? C : 0;
    Real* row = logits + (classes ? (size_t)b * C : 0);
    Real mine = row[0] + bias[0], sum = 0, label = 0;
    for (int c = lane; c < classes; c += lanes) mine = larger(mine, row[c] + bias[c]);
    const Real largest = tree<larger>(mine, lane, lanes, 1);
    for (int c = lane; c < classes; c += lanes) sum += exp(row[c] + bias[c] - largest);
    if (classes) label = row[y[b]] + bias[y[b]] - largest;
    const Real total = tree<add>(sum, lane, lanes, 1);
    for (int c = lane; c < classes; c += lanes)
        row[c] = (exp(row[c] + bias[c] - largest) / total - (c == y[b] ? 1 : 0)) / B;
    if (classes && lane == 0) losses[b] = (log(total) - label) / B;
    if (b == 0 && lane < 2) counters[lane] += 1;
}

// out = sum over the rows of a (B, H): a bias's gradient, and the mean loss from its parts
extern "C" __global__ void column_sums(const Real* a, Real* out, int B, int H)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) sum += a[(size_t)b * H + c];
    sum = over_rows(sum);
    if (threadIdx.y == 0 && c < H) out[c] = sum;
}

// --- backward ---

// What came through ReLU and dropout is positive: it gets its gradient, with dropout's scale, the rest none.
__device__ Real passed(Real dh, Real h, Real scale) { return dh * (h > 0 ? scale : 0); }

// dn = dh through dropout and ReLU;  dbeta = sum(dn), dgamma = sum(dn z_hat);
// dz = gamma/std (dn - dbeta/B - z_hat dgamma/B), in place of dh   (Ioffe & Szegedy 2015, section 3)
extern "C" __global__ void norm_backward(
    Real* dh, const Real* h, const Real* z, const Real* gamma, const Real* mean, const Real* inv_std,
    Real* dgamma, Real* dbeta, int B, int H, Real scale)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    const Real center = rows ? mean[c] : 0, inverse = rows ? inv_std[c] : 0, gain = rows ? gamma[c] * inverse : 0;
    Real sum = 0, products = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        const Real dn = passed(dh[at], h[at], scale);
        sum += dn;
        products += dn * ((z[at] - center) * inverse);
    }
    sum = over_rows(sum);
    products = over_rows(products);
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        const Real dn = passed(dh[at], h[at], scale), z_hat = (z[at] - center) * inverse;
        dh[at] = gain * (dn - sum / B - z_hat * (products / B));
    }
    if (threadIdx.y == 0 && c < H) {
        dbeta[c] = sum;
        dgamma[c] = products;
    }
}

// dz = dh through dropout and ReLU, in place; dbias = sum(dz): without batch norm
extern "C" __global__ void bias_backward(Real* dh, const Real* h, Real* dbias, int B, int H, Real scale)
{
    const int c = blockIdx.x * COLUMNS + threadIdx.x, rows = c < H ? B : 0;
    Real sum = 0;
    for (int b = threadIdx.y; b < rows; b += ROWS) {
        const size_t at = (size_t)b * H + c;
        dh[at] = passed(dh[at], h[at], scale);
        sum += dh[at];
    }
    sum = over_rows(sum);
    if (threadIdx.y == 0 && c < H) dbias[c] = sum;
}

// --- update ---

// w -= lr g
extern "C" __global__ void descend(Real* w, const Real* g, size_t size, Real rate)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) w[i] -= rate * g[i];
}

// v = mu v + g;  w -= lr v   (Sutskever et al. 2013)
extern "C" __global__ void descend_with_momentum(
    Real* w, const Real* g, Real* velocity, size_t size, Real rate, Real momentum)
{
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        velocity[i] = momentum * velocity[i] + g[i];
        w[i] -= rate * velocity[i];
    }
}

// m = beta1 m + fresh1 g;  v = beta2 v + fresh2 g^2;  w -= rate m / (sqrt(v) + small), fresh = 1 - beta (Kingma & Ba 2015,
// with the corrections of both moments in the rate and in epsilon, section 2). The first `kernels` of w decay before
// (Loshchilov & Hutter 2019). The step's number t = counters[0] is read on the device, for a graph would repeat one that
// was handed to it; 1 - beta^t is -expm1(t log beta), in double, which loses no digits while beta^t is near 1.
extern "C" __global__ void adam(
    Real* w, const Real* g, Real* m, Real* v, size_t size, size_t kernels, const unsigned long long* counters,
    double log_beta1, double log_beta2, double learning_rate, double epsilon, int hat,
    Real beta1, Real fresh1, Real beta2, Real fresh2, Real decay)
{
    __shared__ Real rate, small;
    if (threadIdx.x == 0) {
        const double t = counters[0], correction1 = -expm1(t * log_beta1), correction2 = sqrt(-expm1(t * log_beta2));
        rate = learning_rate * correction2 / correction1;
        small = hat ? epsilon : epsilon * correction2;
    }
    __syncthreads();
    for (size_t i = blockIdx.x * blockDim.x + threadIdx.x; i < size; i += gridDim.x * blockDim.x) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * (g[i] * g[i]);
        w[i] = (i < kernels ? decay * w[i] : w[i]) - rate * m[i] / (sqrt(v[i]) + small);
    }
}
