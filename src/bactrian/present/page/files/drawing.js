// What is drawn of a mixture, its rows and its steps, and the handles by which it is moved.
"use strict";

// `units` turns local units into those of the data, and has the limits of what is moved;
// `moved(kind, k, value)` is called when a handle is moved: to a mean, an sd, or the border between
// the weights of components k and k + 1.
function drawingOf(data, sample, domain, units, moved) {
  const { toUnit, toLocal, shown, minus, limits } = units;
  const K = data.fit.means.length;
  const components = d3.range(K);
  const widest = domain[1] - domain[0];
  const margin = { top: 26, right: 18, bottom: 34, left: 18 };
  const find = (id) => document.getElementById(id);
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  let mixture = data.fit; // what is shown
  let widths = { chart: 700, trace: 700 };

  const chart = d3.select("#live-chart"),
    bar = d3.select("#live-weights"),
    history = d3.select("#live-trace");
  const x = d3.scaleLinear().domain(domain),
    y = d3.scaleLinear(),
    share = d3.scaleLinear();
  const layers = Object.fromEntries(
    ["bars", "curves", "axis", "strip", "arrows", "handles"].map((name) => [
      name,
      chart.append("g").attr("class", name),
    ]),
  );
  const weightLayers = Object.fromEntries(
    ["shares", "arrows", "handles"].map((name) => [name, bar.append("g").attr("class", name)]),
  );
  for (const svg of [
    layers.bars,
    layers.curves,
    layers.axis,
    layers.strip,
    layers.arrows,
    weightLayers.shares,
    weightLayers.arrows,
  ]) {
    svg.attr("aria-hidden", "true");
  }
  const cls = (k) => `c${(k % 5) + 1}`;

  // The rows in bins that suit their rounding: [first row, one past the last], edges.
  function histogram() {
    const low = toUnit(sample.x[0]),
      high = toUnit(sample.x[sample.x.length - 1]);
    let width = d3.tickStep(low, high, 45) / data.scale;
    if (data.unit) width = data.unit * Math.max(1, Math.round(width / data.unit));
    const first = sample.x[0] - (data.unit ? 0.5 * data.unit : 0.5 * width);
    const found = d3
      .range(Math.ceil((sample.x[sample.x.length - 1] - first) / width) + 1)
      .map((b) => ({ low: first + b * width, high: first + (b + 1) * width, rows: [] }));
    sample.x.forEach((value, i) =>
      found[Math.max(0, Math.floor((value - first) / width))].rows.push(i),
    );
    return found.filter((bin) => bin.rows.length);
  }

  const bins = histogram();
  const handles = [
    ...components.map((k) => ({ kind: "means", k, label: `mean of component ${k + 1}` })),
    ...components.map((k) => ({
      kind: "sds",
      k,
      label: `standard deviation of component ${k + 1}`,
    })),
  ];
  const borders = d3.range(K - 1).map((k) => ({
    kind: "borders",
    k,
    label: `weight of component ${k + 1} against component ${k + 2}`,
  }));

  function addHandles(layer, list, shape, fromPixel) {
    const made = layer
      .selectAll("g")
      .data(list)
      .join("g")
      .attr("id", (d) => `handle-${d.kind}-${d.k + 1}`)
      .attr("class", (d) => `handle ${cls(d.k)}`)
      .attr("tabindex", 0)
      .attr("role", "slider")
      .attr("aria-label", (d) => d.label)
      .attr("aria-orientation", "horizontal")
      .on("keydown", onKey)
      .call(
        d3
          .drag()
          .subject((event, d) => ({ x: d.x, y: d.y }))
          .on("start", (event) => event.sourceEvent.target.closest(".handle").focus())
          .on("drag", (event, d) => moved(d.kind, d.k, fromPixel(event.x, d))),
      );
    made.append("circle").attr("class", "target").attr("r", 18);
    made.append("path").attr("class", "grip").attr("d", shape);
    made.append("title").text((d) => d.label);
  }

  addHandles(
    layers.handles,
    handles,
    (d) => d3.symbol(d.kind === "means" ? d3.symbolCircle : d3.symbolDiamond, 190)(),
    (pixel, d) =>
      d.kind === "means" ? x.invert(pixel) : Math.abs(x.invert(pixel) - mixture.means[d.k]),
  );
  addHandles(
    weightLayers.handles,
    borders,
    () => "M-4,-16h8v32h-8z",
    (pixel) => share.invert(pixel),
  );

  function onKey(event, d) {
    const end = { Home: 0, End: 1 }[event.key];
    if (end !== undefined) {
      event.preventDefault();
      moved(d.kind, d.k, limits(d.kind, d.k)[end]);
      return;
    }
    const sign = {
      ArrowRight: 1,
      ArrowUp: 1,
      PageUp: 10,
      ArrowLeft: -1,
      ArrowDown: -1,
      PageDown: -10,
    }[event.key];
    if (!sign) return;
    event.preventDefault();
    const unit = d.kind === "borders" ? 0.01 : 0.05 * mixture.sds[d.k];
    moved(d.kind, d.k, valueOf(d.kind, d.k) + sign * unit * (event.shiftKey ? 0.1 : 1));
  }

  function valueOf(kind, k) {
    return kind === "borders" ? d3.sum(mixture.weights.slice(0, k + 1)) : mixture[kind][k];
  }

  // ---- what is drawn again ---------------------------------------------------------------

  // Show a mixture with its sums over the rows.
  function show(next, sums, values, aim) {
    mixture = next;
    drawChart(sums);
    drawWeights(sums);
    drawTrace(values, aim);
  }

  // Asked of the browser only when the window changes: it lays the page out to answer.
  function measure() {
    const width = (id) => Math.max(280, find(id).getBoundingClientRect().width || 700);
    widths = { chart: width("live-figure"), trace: width("live-history") };
  }

  function drawChart({ counts, first, second }) {
    const width = widths.chart,
      height = width < 520 ? 300 : 360,
      strip = 34;
    const bottom = height - margin.bottom - strip;
    chart.attr("viewBox", [0, 0, width, height]);
    x.range([margin.left, width - margin.right]);
    const grid = d3
      .sort([
        ...d3.range(301).map((i) => domain[0] + (widest * i) / 300),
        ...components.flatMap((k) =>
          d3.range(-40, 41).map((i) => mixture.means[k] + 0.1 * i * mixture.sds[k]),
        ),
      ])
      .filter((v) => v >= domain[0] && v <= domain[1]);
    const lines = grid.map((v) => Likelihood.densities(v, mixture)),
      sum = lines.map((line) => d3.sum(line));
    const stacked = bins.map(stack);
    y.domain([
      0,
      1.04 *
        Math.max(
          d3.max(sum),
          d3.max(stacked, (bin) => bin.top),
        ),
    ]).range([bottom, margin.top]);
    drawBars(stacked);
    const line = d3.line(
      (_, i) => x(grid[i]),
      (v) => y(v),
    );
    layers.curves
      .selectAll("path")
      .data([sum, ...components.map((k) => lines.map((l) => l[k]))])
      .join("path")
      .attr("class", (_, c) => (c ? `component ${cls(c - 1)}` : "sum"))
      .attr("d", line);
    drawStrip(grid, bottom + 8, strip - 8);
    drawAxis(width, height - margin.bottom + 4);
    place(
      handles,
      (d) => {
        const at = mixture.means[d.k] + (d.kind === "sds" ? mixture.sds[d.k] : 0);
        const inside = clamp(at, ...domain);
        return [x(inside), y(Likelihood.densities(at, mixture)[d.k])];
      },
      layers.handles,
    );
    const arrows = handles.map((d) => {
      const sd = mixture.sds[d.k];
      const way =
        d.kind === "means" ? (sd * first[d.k]) / counts[d.k] : sd * (Math.sqrt(variance(d.k)) - 1);
      return { k: d.k, x: d.x, y: d.y - 16, to: x(x.invert(d.x) + way) };
    });
    drawArrows(layers.arrows, arrows);

    // The variance that an arrow points to, over the present one.
    function variance(k) {
      const pooled = data.tied ? d3.sum(second) / sample.total : second[k] / counts[k];
      return 1 + 2 * pooled;
    }
  }

  // One bin: the weight of each component's share of its rows, as densities on top of each other.
  function stack(bin) {
    const parts = new Array(K).fill(0),
      area = sample.total * (bin.high - bin.low);
    for (const i of bin.rows) {
      Likelihood.responsibilities(sample.x[i], mixture).forEach(
        (r, k) => (parts[k] += (sample.w[i] * r) / area),
      );
    }
    const ends = d3.cumsum(parts);
    return {
      bin,
      top: ends[K - 1],
      parts: parts.map((part, k) => ({ k, bin, low: ends[k] - part, high: ends[k] })),
    };
  }

  function drawBars(stacked) {
    layers.bars
      .selectAll("rect")
      .data(stacked.flatMap((bin) => bin.parts))
      .join("rect")
      .attr("class", (d) => cls(d.k))
      .attr("x", (d) => x(d.bin.low))
      .attr("width", (d) => Math.max(0.5, x(d.bin.high) - x(d.bin.low) - 0.5))
      .attr("y", (d) => y(d.high))
      .attr("height", (d) => Math.max(0, y(d.low) - y(d.high)));
  }

  // P(component | x) along the axis.
  function drawStrip(grid, top, height) {
    const parts = grid.map((v) => d3.cumsum(Likelihood.responsibilities(v, mixture)));
    const area = (k) =>
      d3.area(
        (_, i) => x(grid[i]),
        (p) => top + height * (1 - (k ? p[k - 1] : 0)),
        (p) => top + height * (1 - p[k]),
      )(parts);
    layers.strip.selectAll("path").data(components).join("path").attr("class", cls).attr("d", area);
  }

  function drawAxis(width, top) {
    const [low, high] = domain.map(toUnit),
      room = (count) => {
        const size = d3.tickStep(low, high, count);
        return 8 * Math.max(shown(low, size).length, shown(high, size).length);
      };
    let count = Math.max(3, Math.floor(width / 70));
    while (count > 2 && count * (room(count) + 24) > width) count--;
    const size = d3.tickStep(low, high, count);
    const fits = (tick) =>
      x(toLocal(tick)) >= 0.5 * room(count) && x(toLocal(tick)) <= width - 0.5 * room(count);
    const ticks = d3.ticks(low, high, count).filter(fits);
    const axis = d3
      .axisBottom(x)
      .tickValues(ticks.map(toLocal))
      .tickFormat((_, i) => minus(shown(ticks[i], size)))
      .tickSizeOuter(0);
    layers.axis
      .attr("transform", `translate(0,${top})`)
      .call(axis)
      .attr("font-size", null)
      .attr("font-family", null);
  }

  function drawWeights({ counts }) {
    const width = widths.chart,
      top = 18,
      height = 26;
    bar.attr("viewBox", [0, 0, width, 54]);
    share.range([margin.left, width - margin.right]);
    const ends = d3.cumsum(mixture.weights),
      aims = d3.cumsum(counts, (n) => n / sample.total);
    const parts = components.map((k) => ({
      k,
      low: share(k ? ends[k - 1] : 0),
      high: share(ends[k]),
    }));
    weightLayers.shares
      .selectAll("rect")
      .data(parts)
      .join("rect")
      .attr("class", (d) => cls(d.k))
      .attr("x", (d) => d.low)
      .attr("width", (d) => d.high - d.low)
      .attr("y", top)
      .attr("height", height);
    weightLayers.shares
      .selectAll("text")
      .data(parts)
      .join("text")
      .attr("x", (d) => 0.5 * (d.low + d.high))
      .attr("y", top + 18)
      .attr("text-anchor", "middle")
      .text((d) => (d.high - d.low > 46 ? `${(100 * mixture.weights[d.k]).toFixed(1)} %` : ""));
    place(borders, (d) => [share(ends[d.k]), top + 0.5 * height], weightLayers.handles);
    drawArrows(
      weightLayers.arrows,
      borders.map((d) => ({ k: d.k, x: d.x, y: 9, to: share(aims[d.k]) })),
    );
  }

  function place(list, position, layer) {
    for (const d of list) [d.x, d.y] = position(d);
    layer
      .selectAll("g.handle")
      .attr("transform", (d) => `translate(${d.x},${d.y})`)
      .attr("aria-valuemin", (d) => inUnit(d, limits(d.kind, d.k)[0]))
      .attr("aria-valuemax", (d) => inUnit(d, limits(d.kind, d.k)[1]))
      .attr("aria-valuenow", (d) => inUnit(d))
      .attr("aria-valuetext", (d) => text(d));

    function inUnit({ kind, k }, value = valueOf(kind, k)) {
      return kind === "means" ? toUnit(value) : kind === "sds" ? value * data.scale : value;
    }
    function text(d) {
      return d.kind === "borders"
        ? `${(100 * mixture.weights[d.k]).toFixed(1)} percent`
        : shown(inUnit(d), (mixture.sds[d.k] * data.scale) / 100);
    }
  }

  function drawArrows(layer, arrows) {
    layer
      .selectAll("path")
      .data(arrows)
      .join("path")
      .attr("class", (d) => `arrow ${cls(d.k)}`)
      .attr("d", (d) => {
        const way = d.to - d.x,
          head = Math.sign(way) * Math.min(8, Math.abs(way));
        if (!(Math.abs(way) >= 1)) return null;
        const half = 0.7 * Math.abs(head),
          shaft = Math.min(1.5, 0.5 * half),
          neck = d.to - head;
        const there = `M${d.x},${d.y - shaft}H${neck}V${d.y - half}L${d.to},${d.y}`;
        return `${there}L${neck},${d.y + half}V${d.y + shaft}H${d.x}z`;
      });
  }

  // Log-likelihoods after each step, in the unit of the data, and that of the fit.
  function drawTrace(values, aim) {
    const width = widths.trace,
      height = 150,
      left = 74,
      top = 14,
      bottom = height - 30;
    history.attr("viewBox", [0, 0, width, height]);
    const [low, high] = d3.extent([...values, aim]),
      room = 0.08 * (high - low) || 0.5;
    const across = d3.scaleLinear(
      [0, Math.max(5, values.length - 1)],
      [left, width - margin.right],
    );
    const up = d3.scaleLinear([low - room, high + room], [bottom, top]);
    const size = d3.tickStep(low - room, high + room, 4);
    history
      .selectAll("g.axis")
      .data([
        [
          `translate(0,${bottom})`,
          d3
            .axisBottom(across)
            .ticks(Math.min(8, across.domain()[1]))
            .tickFormat(d3.format("d"))
            .tickSizeOuter(0),
        ],
        [
          `translate(${left},0)`,
          d3
            .axisLeft(up)
            .ticks(4)
            .tickFormat((v) => minus(shown(v, size)))
            .tickSizeOuter(0),
        ],
      ])
      .join("g")
      .attr("class", "axis")
      .each(function draw([where, axis]) {
        d3.select(this)
          .attr("transform", where)
          .call(axis)
          .attr("font-size", null)
          .attr("font-family", null);
      });
    history
      .selectAll("line.aim")
      .data([aim])
      .join("line")
      .attr("class", "aim")
      .attr("x1", left)
      .attr("x2", width - margin.right)
      .attr("y1", up)
      .attr("y2", up);
    history
      .selectAll("path.path")
      .data([values])
      .join("path")
      .attr("class", "path")
      .attr(
        "d",
        d3.line((_, i) => across(i), up),
      );
    history
      .selectAll("circle")
      .data(values)
      .join("circle")
      .attr("r", 3)
      .attr("cx", (_, i) => across(i))
      .attr("cy", up);
    history.attr(
      "aria-label",
      `Log-likelihood after each step: ${values
        .slice(-6)
        .map((v) => v.toFixed(4))
        .join(", ")}`,
    );
  }

  return { show, measure, componentClass: cls };
}
