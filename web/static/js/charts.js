// Draws every [data-chart] with the colours of the current theme and the reader's number format.

/* global echarts */

const language = document.documentElement.lang || "en";
const drawn = new Map();

const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// "var(--series-0)" anywhere in the options becomes the colour it stands for today.
function coloured(value) {
  if (typeof value === "string") {
    const match = /^var\((--[\w-]+)\)$/.exec(value);
    return match ? variable(match[1]) : value;
  }
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one)]));
  return value;
}

function writer(axis, compact) {
  const divisor = axis.divisor || 1;
  const style = axis.scale === "money" ? { style: "currency", currency: axis.currency } : axis.scale === "percent" ? { style: "percent" } : {};
  const full = new Intl.NumberFormat(language, { ...style, maximumFractionDigits: axis.scale === "percent" ? 1 : axis.scale === "money" ? 0 : 2 });
  const short = new Intl.NumberFormat(language, { ...style, notation: "compact", maximumFractionDigits: 1 });
  return (number) => {
    if (number === null || number === undefined || number === "-") return "–";
    const scaled = Number(number) / divisor;
    return compact && Math.abs(scaled) >= 10000 ? short.format(scaled) : full.format(scaled);
  };
}

function dressed(raw) {
  const options = coloured(raw);
  const axis = raw.axis || {};
  const write = writer(axis, false);
  const writeShort = writer(axis, true);
  const text = variable("--text-soft");
  const font = { fontFamily: variable("--font").replaceAll('"', ""), fontSize: 12, color: text };
  delete options.axis;
  options.animation = false;
  options.textStyle = font;
  options.aria = { enabled: false };
  const dress = (one) => ({
    ...one,
    axisLine: { show: one.type === "category" && !one.inverse, lineStyle: { color: variable("--line-strong") } },
    axisTick: { show: false },
    axisLabel: { ...font, hideOverlap: true, ...(one.type === "value" ? { formatter: writeShort } : {}), ...(one.inverse ? { color: variable("--text") } : {}), ...one.axisLabel },
    splitLine: { show: one.type === "value" && one.show !== false, lineStyle: { color: variable("--chart-line") } },
  });
  options.xAxis = dress(options.xAxis);
  options.yAxis = dress(options.yAxis);
  if (options.legend) {
    options.legend = { icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 16, textStyle: { ...font, color: variable("--text") }, ...options.legend };
  }
  options.tooltip = {
    renderMode: "richText",
    confine: true,
    backgroundColor: variable("--raised"),
    borderColor: variable("--line-strong"),
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { ...font, color: variable("--text") },
    valueFormatter: write,
    axisPointer: { lineStyle: { color: variable("--line-strong") }, shadowStyle: { color: variable("--hover"), opacity: 0.5 } },
    ...options.tooltip,
  };
  options.series.forEach((series) => {
    if (series.label && series.label.written) {
      series.label = { ...font, color: variable("--text"), ...series.label, formatter: (point) => write(point.value) };
    }
    if (series.endLabel) series.endLabel = { ...font, fontWeight: 600, ...series.endLabel };
  });
  return options;
}

function draw(element) {
  const chart = drawn.get(element) || echarts.init(element, null, { renderer: "svg" });
  if (!drawn.has(element)) {
    drawn.set(element, chart);
    const links = JSON.parse(element.dataset.links || "[]");
    if (links.length) {
      chart.on("click", (point) => { if (links[point.dataIndex]) window.location.assign(links[point.dataIndex]); });
    }
    new ResizeObserver(() => chart.resize()).observe(element);
  }
  chart.setOption(dressed(JSON.parse(element.dataset.chart)), true);
}

function drawAll(root = document) {
  for (const [element, chart] of drawn) {
    if (!element.isConnected) {
      chart.dispose();
      drawn.delete(element);
    }
  }
  root.querySelectorAll("[data-chart]").forEach(draw);
}

document.fonts.ready.then(() => drawAll());
document.body.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.elt));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
new MutationObserver(() => drawAll()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
window.addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
window.addEventListener("afterprint", () => drawn.forEach((chart) => chart.resize()));
