// The live likelihood: where the reader is, what moves it, and what is shown of it in numbers. All
// numbers come from likelihood.js, all drawing is in drawing.js.
"use strict";

const Live = (() => {
  const data = JSON.parse(document.getElementById("live-data").textContent);
  const sample = sampleOf(data);
  const K = data.fit.means.length,
    components = d3.range(K);
  const options = { tied: data.tied, floor: data.floor };
  const best = Likelihood.sums(sample, data.fit).loglike;
  const outside = 0.06 * (sample.x[sample.x.length - 1] - sample.x[0]);
  const domain = [sample.x[0] - outside, sample.x[sample.x.length - 1] + outside];
  const widest = domain[1] - domain[0];
  const find = (id) => document.getElementById(id);

  let mixture = data.fit; // where the reader is
  let start = data.fit; // where the reader last put it by hand
  let trace = [best];
  let length = 0; // of the last gradient step

  // ---- numbers ------------------------------------------------------------------------------

  function sampleOf({ x, w }) {
    const total = d3.fsum(w),
      mean = d3.fsum(x.map((value, i) => value * w[i])) / total;
    const sd = Math.sqrt(d3.fsum(x.map((value, i) => w[i] * (value - mean) ** 2)) / total);
    return { x: Float64Array.from(x), w: Float64Array.from(w), total, mean, sd };
  }

  const toUnit = (local) => data.origin + data.scale * local; // the unit of the data
  const toLocal = (value) => (value - data.origin) / data.scale;
  const loglikeInUnit = (loglike) => loglike - sample.total * Math.log(data.scale);

  // A number with as many digits as differences of this size need.
  function shown(value, size) {
    const place = Math.floor(Math.log10(size)),
      largest = Math.log10(Math.abs(value) || size);
    if (place >= -5 && largest < 13) return value.toFixed(Math.min(20, Math.max(0, -place)));
    return value.toPrecision(Math.min(17, Math.max(1, Math.ceil(largest - place) + 1)));
  }

  // Three digits, but all of those of a number of rows.
  const whole = d3.format(",.0f");
  const brief = (value) =>
    Math.abs(value) >= 999.5 && Math.abs(value) < 1e9 ? whole(value) : d3.format(".3~g")(value);
  // A slope that is nothing but rounding, in units in which it would be a number of rows.
  const briefSlope = (slope, unit) =>
    Math.abs(slope * unit) <= 1e-11 * sample.total ? "0" : brief(slope);
  const minus = (text) => text.replace("-", "−"); // to be read; an input takes the hyphen only

  function distanceInWords(distance) {
    if (Math.abs(distance) <= 1e-12 * (Math.abs(best) + sample.total)) return "0";
    const size =
      Math.abs(distance) >= 0.01
        ? d3.format(",.4f")(Math.abs(distance))
        : brief(Math.abs(distance));
    return distance < 0 ? `${size} above` : size;
  }

  // Everything that is shown of a mixture, in the unit of the data.
  function quantities(of = mixture) {
    const sums = Likelihood.sums(sample, of),
      slopes = Likelihood.score(sample, of, sums);
    return {
      loglike: loglikeInUnit(sums.loglike),
      distance: best - sums.loglike,
      weights: of.weights,
      means: of.means.map(toUnit),
      sds: of.sds.map((sd) => sd * data.scale),
      slopes: {
        weights: slopes.weights,
        softmax: slopes.softmax,
        means: slopes.means.map((s) => s / data.scale),
        variances: slopes.variances.map((s) => s / data.scale / data.scale),
      },
      sums,
    };
  }

  // ---- what the reader does -----------------------------------------------------------------

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const copy = ({ weights, means, sds }) => ({
    weights: [...weights],
    means: [...means],
    sds: [...sds],
  });

  // The smallest and the largest value that may be given.
  function limits(kind, k) {
    if (kind === "means") return domain;
    if (kind === "sds") return [data.floor, widest];
    if (kind === "weights") return [0.001, 0.999];
    const before = d3.sum(mixture.weights.slice(0, k)), // borders
      both = mixture.weights[k] + mixture.weights[k + 1];
    return [before + 0.001 * both, before + 0.999 * both];
  }

  function changed(kind, k, value) {
    const next = copy(mixture),
      allowed = clamp(value, ...limits(kind, k));
    if (kind === "means") next.means[k] = allowed;
    if (kind === "sds") {
      next.sds = next.sds.map((old, j) => (j === k || data.tied ? allowed : old));
    }
    if (kind === "weights") {
      const others = 1 - mixture.weights[k];
      next.weights = next.weights.map((old, j) =>
        j === k ? allowed : (old * (1 - allowed)) / others,
      );
    }
    if (kind === "borders") {
      // between the shares of components k and k + 1
      const both = mixture.weights[k] + mixture.weights[k + 1];
      next.weights[k] = allowed - d3.sum(mixture.weights.slice(0, k));
      next.weights[k + 1] = both - next.weights[k];
    }
    return next;
  }

  function put(next, words) {
    mixture = start = next;
    length = 0;
    trace = [Likelihood.sums(sample, next).loglike];
    render(words);
  }

  const setByHand = (kind, k, value, words = "") => put(changed(kind, k, value), words);

  // A number that was typed, in the unit of the data.
  function typed({ kind, label }, k, value) {
    const local = fromUnit(kind, value),
      [low, high] = limits(kind, k);
    const text = {
      means: (end) => minus(shown(toUnit(end), (widest * data.scale) / 1000)),
      sds: (end) => brief(end * data.scale),
      weights: brief,
    }[kind];
    const words =
      `The number you gave for ${label} ${k + 1} is not between ${text(low)} and ` +
      `${text(high)}: the nearest of these was taken.`;
    setByHand(kind, k, local, local < low || local > high ? words : "");
  }

  const steps = {
    em: { name: "EM step", take: () => ({ mixture: Likelihood.emStep(sample, mixture, options) }) },
    gradient: {
      name: "Gradient step",
      take: () => Likelihood.gradientStep(sample, mixture, { ...options, length }),
    },
    newton: { name: "Newton step", take: () => Likelihood.newtonStep(sample, mixture, options) },
  };

  function step(kind) {
    const { name, take } = steps[kind],
      found = take();
    if (found.mixture === null) {
      render(
        `No ${name}: a component would shrink onto a single value or lose all its weight. ` +
          "The likelihood has no bound there; move it away by hand.",
      );
      return;
    }
    if (found.length !== undefined) length = found.length;
    const before = Likelihood.sums(sample, mixture).loglike;
    mixture = found.mixture;
    const after = Likelihood.sums(sample, mixture).loglike,
      rise = Math.max(0, after - before);
    trace.push(after);
    const still = rise <= 1e-12 * (Math.abs(best) + sample.total);
    const risen = still ? "stands still" : `rises by ${brief(rise)}`;
    const damped = found.damping > 0 ? " (damped)" : "";
    render(`${name} ${trace.length - 1}${damped}: the log-likelihood ${risen}.`);
  }

  // Components almost on top of each other: EM leaves such a place very slowly.
  function poorStart() {
    if (K === 1) return { weights: [1], means: [sample.mean + sample.sd], sds: [1.7 * sample.sd] };
    return {
      weights: components.map(() => 1 / K),
      means: components.map((k) => sample.mean + 0.2 * sample.sd * (k - (K - 1) / 2)),
      sds: components.map(() => 0.9 * sample.sd),
    };
  }

  // ---- what is shown --------------------------------------------------------------------------

  const units = { toUnit, toLocal, shown, minus, limits };
  const drawing = drawingOf(data, sample, domain, units, setByHand);

  // Rows of controls: a slider and a number, and the slopes beside them.
  const controls = [
    { kind: "means", id: "mean", label: "mean", slopes: [["means", "μ", ""]] },
    { kind: "sds", id: "sd", label: "sd", slopes: [["variances", "σ", "²"]] },
    {
      kind: "weights",
      id: "weight",
      label: "weight",
      place: "weight-controls",
      slopes: [
        ["weights", "π", ""],
        ["softmax", "α", ""],
      ],
    },
  ];
  for (const control of controls) {
    const rows = d3
      .select(`#live-${control.place || control.kind}`)
      .selectAll("div")
      .data(components)
      .join("div")
      .attr("class", (k) => `control ${drawing.componentClass(k)}`);
    rows
      .append("label")
      .attr("for", (k) => `${control.id}-${k + 1}`)
      .text((k) => `${control.label} ${k + 1}`);
    rows
      .append("input")
      .attr("type", "range")
      .attr("id", (k) => `${control.id}-${k + 1}-slider`)
      .attr("aria-label", (k) => `${control.label} ${k + 1}, slider`)
      .attr("min", 0)
      .attr("max", 1000)
      .attr("step", "any")
      .property("disabled", control.kind === "weights" && K === 1)
      .on("input", (event, k) =>
        setByHand(control.kind, k, fromSlider(control.kind, +event.target.value / 1000)),
      );
    rows
      .append("input")
      .attr("type", "number")
      .attr("id", (k) => `${control.id}-${k + 1}`)
      .attr("step", "any")
      .property("disabled", control.kind === "weights" && K === 1)
      .on("change", (event, k) => {
        const value = event.target.valueAsNumber;
        if (Number.isFinite(value)) typed(control, k, value);
        else render("");
      });
    for (const [name, letter, power] of control.slopes) {
      const slope = rows.append("span").attr("class", "slope");
      slope.append("span").text((k) => `∂ℓ/∂${letter}${"₁₂₃₄₅₆₇₈₉"[k] || ""}${power} = `);
      slope
        .append("output")
        .attr("id", (k) => `slope-${name}-${k + 1}`)
        .attr("for", (k) => `${control.id}-${k + 1}`);
    }
  }

  const toSlider = {
    means: (v) => (v - domain[0]) / widest,
    sds: (v) => Math.log(v / lowest()) / Math.log(widest / lowest()),
    weights: (v) => v,
  };
  const lowest = () => Math.max(data.floor, 1e-3 * sample.sd);
  const fromUnit = (kind, value) =>
    ({ means: toLocal(value), sds: value / data.scale, weights: value })[kind];
  function fromSlider(kind, part) {
    return {
      means: domain[0] + part * widest,
      sds: lowest() * (widest / lowest()) ** part,
      weights: part,
    }[kind];
  }

  function render(words) {
    const now = quantities();
    drawing.show(mixture, now.sums, trace.map(loglikeInUnit), loglikeInUnit(best));
    for (const k of components) {
      const fine = now.sds[k] / 1000,
        notch = 10 ** Math.floor(Math.log10(now.sds[k] / 3));
      write(`mean-${k + 1}`, now.means[k], shown(now.means[k], fine), notch);
      write(`sd-${k + 1}`, now.sds[k], shown(now.sds[k], fine), notch);
      write(`weight-${k + 1}`, now.weights[k], now.weights[k].toFixed(4), 0.01);
      for (const { kind, id } of controls)
        find(`${id}-${k + 1}-slider`).value = 1000 * toSlider[kind](mixture[kind][k]);
      const units = { weights: 1, softmax: 1, means: now.sds[k], variances: now.sds[k] ** 2 };
      for (const [name, unit] of Object.entries(units)) {
        write(`slope-${name}-${k + 1}`, now.slopes[name][k], briefSlope(now.slopes[name][k], unit));
      }
    }
    write("live-loglike", now.loglike, d3.format(".4f")(now.loglike));
    write("live-distance", now.distance, distanceInWords(now.distance));
    find("live-status").textContent = words;
  }

  // A number to read, with all its digits for whoever wants them.
  function write(id, value, text, step) {
    const place = find(id);
    place.dataset.value = value;
    if (place.tagName === "INPUT") Object.assign(place, { value: text, step });
    else place.textContent = text;
  }

  // ---- beginning ----------------------------------------------------------------------------

  for (const kind of Object.keys(steps))
    find(`step-${kind}`).addEventListener("click", () => step(kind));
  find("go-fit").addEventListener("click", () => {
    mixture = copy(data.fit);
    trace.push(best);
    render("This is the fit.");
  });
  find("go-poor").addEventListener("click", () =>
    put(poorStart(), "A poor start: take steps from here."),
  );
  find("go-start").addEventListener("click", () => put(start, "Back where the steps began."));
  find("live").hidden = false;
  resize();
  new ResizeObserver(resize).observe(find("live-figure"));

  function resize() {
    drawing.measure();
    render(find("live-status").textContent);
  }

  return { sample, quantities, mixture: () => mixture, best };
})();
