// The likelihood of a normal mixture, its slopes and its steps: functions without side effects.
//
// A sample is {x, w, total}: values in local units and their weights. A mixture is {weights, means,
// sds}: arrays of K numbers in the same units. Working coordinates are, in this order, the logits
// log(pi_k / pi_K) for k < K, the means and the log variances; where all components share one
// variance ("tied") there is one log variance.
"use strict";

const Likelihood = (() => {
  const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
  const LONGEST = 2; // of a step: logits, log variances, and means in sds of the sample
  const SLACK = 16 * Number.EPSILON; // what rounding does to a log-likelihood, per unit of its terms
  const MOST_TRIALS = 60;

  // log f(x) and the responsibilities r_k(x), written into `r`.
  function posterior(x, mixture, r) {
    const { weights, means, sds } = mixture;
    let largest = -Infinity;
    for (let k = 0; k < r.length; k++) {
      const u = (x - means[k]) / sds[k];
      r[k] = Math.log(weights[k]) - Math.log(sds[k]) - 0.5 * u * u - HALF_LOG_TWO_PI;
      if (r[k] > largest) largest = r[k];
    }
    let sum = 0;
    for (let k = 0; k < r.length; k++) sum += r[k] = Math.exp(r[k] - largest);
    for (let k = 0; k < r.length; k++) r[k] /= sum;
    return largest + Math.log(sum);
  }

  // The responsibilities of one value.
  function responsibilities(x, mixture) {
    const r = new Array(mixture.means.length);
    posterior(x, mixture, r);
    return r;
  }

  // Weighted density of each component at one value.
  function densities(x, { weights, means, sds }) {
    return means.map((mean, k) => {
      const u = (x - mean) / sds[k];
      return (weights[k] * Math.exp(-0.5 * u * u - HALF_LOG_TWO_PI)) / sds[k];
    });
  }

  // Sums over all rows: loglike, N_k = sum w r_k, sum w r_k u_k and sum w r_k (u_k^2 - 1) / 2.
  function sums(sample, mixture) {
    const K = mixture.means.length,
      r = new Array(K);
    const counts = new Array(K).fill(0),
      first = counts.slice(),
      second = counts.slice();
    let loglike = 0;
    for (let i = 0; i < sample.x.length; i++) {
      loglike += sample.w[i] * posterior(sample.x[i], mixture, r);
      for (let k = 0; k < K; k++) {
        const wr = sample.w[i] * r[k],
          u = (sample.x[i] - mixture.means[k]) / mixture.sds[k];
        counts[k] += wr;
        first[k] += wr * u;
        second[k] += wr * 0.5 * (u * u - 1);
      }
    }
    return { loglike, counts, first, second };
  }

  // Partial derivatives by the weights, all of them free, by the means and by the variances; and
  // by the softmax coordinates alpha_k of the weights.
  function score(sample, mixture, found = sums(sample, mixture)) {
    const { weights, sds } = mixture,
      { counts, first, second } = found;
    return {
      weights: counts.map((n, k) => n / weights[k]),
      means: first.map((s, k) => s / sds[k]),
      variances: second.map((s, k) => s / sds[k] / sds[k]),
      softmax: counts.map((n, k) => n - sample.total * weights[k]),
    };
  }

  // The score in working coordinates.
  function workingScore(sample, mixture, found = sums(sample, mixture)) {
    const slopes = score(sample, mixture, found);
    return [...slopes.softmax.slice(0, -1), ...slopes.means, ...found.second];
  }

  // The Hessian in working coordinates. The covariance of the components' slopes is summed over
  // pairs, r_j r_k times the square of their difference: r - r^2 would cancel.
  function hessian(sample, mixture) {
    const { weights, means, sds } = mixture,
      K = means.length,
      size = 3 * K - 1;
    const H = Array.from({ length: size }, () => new Array(size).fill(0));
    const r = new Array(K),
      u = new Array(K),
      at = (block, k) => block * K - 1 + k;
    for (let i = 0; i < sample.x.length; i++) {
      posterior(sample.x[i], mixture, r);
      for (let k = 0; k < K; k++) {
        const wr = sample.w[i] * r[k],
          mean = at(1, k),
          spread = at(2, k);
        u[k] = (sample.x[i] - means[k]) / sds[k];
        H[mean][mean] -= wr / sds[k] / sds[k];
        H[mean][spread] -= (wr * u[k]) / sds[k];
        H[spread][mean] -= (wr * u[k]) / sds[k];
        H[spread][spread] -= 0.5 * wr * u[k] * u[k];
        for (let j = 0; j < k; j++) addPair(H, wr * r[j], j, k, difference(j, k));
      }
    }
    for (let a = 0; a < K - 1; a++) {
      for (let b = 0; b < K; b++) {
        if (b === a) continue;
        H[a][a] -= sample.total * weights[a] * weights[b];
        if (b < K - 1) H[a][b] += sample.total * weights[a] * weights[b];
      }
    }
    return H;

    // Where the slopes of log(pi_j phi_j) and log(pi_k phi_k) differ, and by how much.
    function difference(j, k) {
      const part = (c, sign) => [
        [c, sign],
        [at(1, c), (sign * u[c]) / sds[c]],
        [at(2, c), sign * 0.5 * (u[c] * u[c] - 1)],
      ];
      const found = [...part(j, 1), ...part(k, -1)];
      return k === K - 1 ? found.filter((_, place) => place !== 3) : found;
    }
  }

  function addPair(H, weight, j, k, slopes) {
    for (const [a, left] of slopes) {
      for (const [b, right] of slopes) H[a][b] += weight * left * right;
    }
  }

  // The mixture a displacement in working coordinates away.
  function moved({ weights, means, sds }, step) {
    const K = means.length;
    const logits = weights.map((pi, k) => Math.log(pi) + (k < K - 1 ? step[k] : 0));
    const largest = Math.max(...logits),
      shares = logits.map((a) => Math.exp(a - largest));
    const sum = shares.reduce((a, b) => a + b, 0);
    return {
      weights: shares.map((share) => share / sum),
      means: means.map((mean, k) => mean + step[K - 1 + k]),
      sds: sds.map((sd, k) => sd * Math.exp(0.5 * step[2 * K - 1 + k])),
    };
  }

  // The EM step: the maximum if the memberships were as probable as they are now.
  function emStep(sample, mixture, options = {}) {
    const { counts, first, second } = sums(sample, mixture);
    const { means, sds } = mixture,
      shift = first.map((s, k) => s / counts[k]);
    let variances = sds.map((sd, k) => sd * sd * ((2 * second[k]) / counts[k] + 1 - shift[k] ** 2));
    if (options.tied) {
      const pooled = variances.reduce((sum, v, k) => sum + counts[k] * v, 0) / sample.total;
      variances = variances.map(() => pooled);
    }
    return checked(
      {
        weights: counts.map((n) => n / sample.total),
        means: means.map((mean, k) => mean + sds[k] * shift[k]),
        sds: variances.map(Math.sqrt),
      },
      options,
    );
  }

  // The gradient step: along the score of the working coordinates. The trial length is twice the
  // last one that was taken; it is halved until a tenth of the rise that the slope promises is there.
  function gradientStep(sample, mixture, options = {}) {
    const found = sums(sample, mixture);
    const slope = foldedVector(workingScore(sample, mixture, found), mixture, options);
    const along = unfolded(slope, mixture, options);
    let length = 2 * (options.length || 0.5 / sample.total);
    for (let trial = 0; trial < MOST_TRIALS; trial++, length /= 2) {
      const step = shortened(
        along.map((s) => length * s),
        sample,
      );
      const next = checked(moved(mixture, step), options);
      if (next === null) continue;
      const rise = sums(sample, next).loglike - found.loglike;
      const promised = step.reduce((sum, s, a) => sum + s * along[a], 0);
      if (rise >= 0.1 * promised && rise > 0) return { mixture: next, length };
    }
    return { mixture, length: 0 };
  }

  // The Newton step in working coordinates. Where minus the Hessian is not positive definite, or
  // the step does not raise the log-likelihood, more and more of the information of complete data
  // is added to it (Levenberg and Marquardt), which turns the step towards that of EM.
  function newtonStep(sample, mixture, options = {}) {
    const found = sums(sample, mixture);
    const slope = foldedVector(workingScore(sample, mixture, found), mixture, options);
    const H = foldedMatrix(hessian(sample, mixture), mixture, options);
    const full = foldedVector(completeInformation(sample, mixture, found), mixture, options);
    const slack = SLACK * (Math.abs(found.loglike) + sample.total);
    for (
      let trial = 0, damping = 0;
      trial < MOST_TRIALS;
      trial++, damping = damping ? 1.5 * damping : 1e-3
    ) {
      const step = solved(
        H.map((row, a) => row.map((h, b) => -h + (a === b ? damping * full[a] : 0))),
        slope,
      );
      if (step === null) continue;
      const next = checked(
        moved(mixture, shortened(unfolded(step, mixture, options), sample)),
        options,
      );
      if (next === null) continue;
      if (sums(sample, next).loglike >= found.loglike - slack) return { mixture: next, damping };
    }
    return { mixture, damping: Infinity };
  }

  // The diagonal of the information if the memberships were known, in working coordinates.
  function completeInformation(sample, { weights, sds }, { counts }) {
    return [
      ...weights.slice(0, -1).map((pi) => sample.total * pi * (1 - pi)),
      ...counts.map((n, k) => n / sds[k] / sds[k]),
      ...counts.map((n) => 0.5 * n),
    ];
  }

  // With one common variance the slopes by the log variances add, and all of them move together.
  function folded(list, { means }, { tied }, add) {
    const first = 2 * means.length - 1;
    return tied ? [...list.slice(0, first), list.slice(first).reduce(add)] : list;
  }

  const foldedVector = (vector, mixture, options) =>
    folded(vector, mixture, options, (a, b) => a + b);

  function foldedMatrix(matrix, mixture, options) {
    const rows = matrix.map((row) => foldedVector(row, mixture, options));
    return folded(rows, mixture, options, (a, b) => a.map((x, i) => x + b[i]));
  }

  function unfolded(step, { means }, { tied }) {
    const first = 2 * means.length - 1;
    return tied ? [...step.slice(0, first), ...means.map(() => step[first])] : step;
  }

  // A step no longer than where its slopes are believed.
  function shortened(step, sample) {
    const K = (step.length + 1) / 3;
    const excess = step.map((s, a) => Math.abs(s) / (a >= K - 1 && a < 2 * K - 1 ? sample.sd : 1));
    const factor = Math.max(1, Math.max(...excess) / LONGEST);
    return step.map((s) => s / factor);
  }

  // The mixture, or null where a component is on its way to a single value or to no weight at all:
  // there the likelihood has no bound, or the component no slope.
  function checked(mixture, { floor = 0 }) {
    const usable =
      mixture.sds.every((sd) => sd >= floor && Number.isFinite(sd)) &&
      mixture.weights.every((pi) => pi > 1e-12) &&
      mixture.means.every(Number.isFinite);
    return usable ? mixture : null;
  }

  // The solution of A s = b by Cholesky's decomposition, or null where A is not positive definite.
  function solved(A, b) {
    const n = b.length,
      L = A.map((row) => row.slice()),
      s = b.slice();
    for (let a = 0; a < n; a++) {
      for (let c = 0; c <= a; c++) {
        for (let j = 0; j < c; j++) L[a][c] -= L[a][j] * L[c][j];
        if (a > c) L[a][c] /= L[c][c];
        else if (L[a][a] > 0) L[a][a] = Math.sqrt(L[a][a]);
        else return null;
      }
      for (let j = 0; j < a; j++) s[a] -= L[a][j] * s[j];
      s[a] /= L[a][a];
    }
    for (let a = n - 1; a >= 0; a--) {
      for (let j = a + 1; j < n; j++) s[a] -= L[j][a] * s[j];
      s[a] /= L[a][a];
    }
    return s;
  }

  return {
    responsibilities,
    densities,
    sums,
    score,
    workingScore,
    hessian,
    moved,
    emStep,
    gradientStep,
    newtonStep,
  };
})();
