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

function dressed(raw, element) {
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
    axisLabel: { ...font, hideOverlap: !one.inverse, ...(one.type === "value" ? { formatter: writeShort } : {}), ...(one.inverse ? { color: variable("--text") } : {}), ...one.axisLabel },
    splitLine: { show: one.type === "value" && one.show !== false, lineStyle: { color: variable("--chart-line") } },
  });
  if (options.xAxis) {
    options.xAxis = dress(options.xAxis);
    options.yAxis = dress(options.yAxis);
    if (options.yAxis.inverse) narrowBars(options, element);
  }
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
    if (series.type === "graph" || series.type === "sankey") dressNetwork(series, options, font, element);
    if (series.said) sayBounds(series, write);
    if (series.endLabel) series.endLabel = { ...font, fontWeight: 600, ...series.endLabel };
  });
  if (element.clientWidth < NARROW) nameAbove(options);
  return options;
}

// A point of which only a bound is known says so under the pointer: "< 0.5%".
function sayBounds(series, write) {
  const { said } = series;
  delete series.said;
  series.tooltip = { ...series.tooltip, valueFormatter: (value, at) => said[at] || write(value) };
}

// On a telephone the names of lines stand above them: beside them they would leave the lines no room.
const NARROW = 420;
function nameAbove(options) {
  const named = options.series.filter((one) => one.endLabel && one.endLabel.show);
  if (!named.length) return;
  named.forEach((one) => { one.endLabel.show = false; });
  options.legend = { icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 16, top: 0, left: 0, textStyle: { color: variable("--text") } };
  Object.assign(options.grid, { top: 36, right: 20 });
}

// Maps and flows: every part says in words what it is, and labels that would collide are left out.
function dressNetwork(series, options, font, element) {
  const text = variable("--text");
  const ground = variable("--ground");
  options.tooltip.formatter = (point) => point.data.tip || point.name;
  const outline = { textBorderColor: ground, textBorderWidth: 3 };
  series.label = { ...font, color: text, ...outline, formatter: (point) => point.data.words || point.name, ...series.label };
  if (series.type !== "graph") {
    narrow(series, element);
    return;
  }
  series.data.forEach((one) => { if (one.label) Object.assign(one.label, outline); });
  fill(series, element);
  series.labelLayout = (label) => withinFrame(label, element, series.label.distance);
  if (isScrolled(element)) series.roam = false; // a finger on the map scrolls the page and the frame
}

// Names of bars break into lines where they would take more than a third of the width, and values keep room beside bars of either side.
const VALUE_ROOM = 60;
function narrowBars(options, element) {
  const third = Math.round(element.clientWidth / 3);
  const label = options.yAxis.axisLabel;
  const narrow = label.width > third;
  if (narrow) Object.assign(label, { width: third, lineHeight: 14 });
  makeRoom(options.yAxis.data, label, element);
  if (!narrow) return;
  const { xAxis } = options;
  if (!(xAxis.min < 0)) return;
  const values = options.series[0].data.map((one) => one.value);
  if (xAxis.max === undefined) { // values beyond the right ends have their room beside the grid
    const width = element.clientWidth - third - options.grid.left - options.grid.right;
    const [lowest, highest] = [Math.min(0, ...values), Math.max(0, ...values)];
    if (width > 1.5 * VALUE_ROOM) xAxis.min = Math.min(xAxis.min, lowest - ((highest - lowest) * VALUE_ROOM) / (width - VALUE_ROOM));
    return;
  }
  const half = (element.clientWidth - third) / 2;
  if (half > 1.5 * VALUE_ROOM) {
    const most = Math.max(...values.map(Math.abs));
    xAxis.max = Math.max(xAxis.max, (most * half) / (half - VALUE_ROOM));
    xAxis.min = -xAxis.max;
  }
}

// Lines are broken here: the library measures letters on a fast machine and takes every one for an "a" on a slow one.
const pen = document.createElement("canvas").getContext("2d");
function inLines(words, width) {
  const lines = [];
  let line = "";
  const fits = (longer) => pen.measureText(longer).width <= width;
  for (const word of words.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = "";
    for (const letter of word) {
      if (line && !fits(line + letter)) {
        lines.push(line);
        line = "";
      }
      line += letter;
    }
  }
  return [...lines, line];
}

// Where names break into so many lines that they would run into each other the chart becomes higher.
function makeRoom(names, label, element) {
  pen.font = `${label.fontSize}px ${label.fontFamily}`;
  const lines = new Map(names.map((name) => [name, inLines(name, label.width)]));
  label.formatter = (name) => lines.get(name).join("\n");
  const counts = names.map((name) => lines.get(name).length);
  const most = Math.max(...counts.map((count, at) => (count + (counts[at + 1] || 1)) / 2));
  element.style.height = "";
  const needed = Math.ceil(names.length * (most * label.lineHeight + 6)) + 8;
  if (needed > element.clientHeight) element.style.height = `${needed}px`;
}

// Names beside a flow take at most a third of its width each, so that none is cut.
function narrow(series, element) {
  const side = Math.min(series.left, Math.round(element.clientWidth / 3));
  series.left = side;
  series.right = side;
  series.label.width = side - 12;
}

// A name that would run over the edge of the frame stands on the other side of its dot, and breaks where that is too narrow as well.
function withinFrame(label, element, distance) {
  const { rect, labelRect } = label;
  const [left, right] = [rect.x - distance, element.clientWidth - rect.x - rect.width - distance];
  const cut = labelRect.x < 0 || labelRect.x + labelRect.width > element.clientWidth;
  if (!cut || Math.max(left, right) <= distance || label.align === "center") return { hideOverlap: true };
  const before = left >= Math.min(labelRect.width, Math.max(left, right));
  return {
    hideOverlap: true,
    x: before ? left : rect.x + rect.width + distance,
    y: rect.y + rect.height / 2,
    align: before ? "right" : "left",
    verticalAlign: "middle",
    width: Math.min(labelRect.width + 1, before ? left : right),
  };
}

const isScrolled = (element) => element.scrollWidth > element.parentElement.clientWidth;

// A map may be drawn wider or higher than it was made, so that it fills its frame; its dots stay round.
function fill(series, element) {
  const span = (values) => Math.max(...values) - Math.min(...values) || 1;
  const width = element.clientWidth - series.left - series.right;
  const height = element.clientHeight - series.top - series.bottom;
  const wider = (width / height) * (span(series.data.map((one) => one.y)) / span(series.data.map((one) => one.x)));
  if (wider > 0) series.data.forEach((one) => { one.x *= wider; });
}

function zoomed(event) {
  const button = event.target.closest("[data-chart-zoom]");
  const chart = button && drawn.get(document.getElementById(button.dataset.chartOf));
  if (!chart) return;
  const factor = Number(button.dataset.chartZoom);
  const element = chart.getDom();
  if (isScrolled(element)) {
    element.style.minWidth = factor ? `${Math.min(4000, Math.round(element.clientWidth * factor))}px` : "";
    element.style.height = factor ? `${Math.min(3000, Math.round(element.clientHeight * factor))}px` : "";
  } else if (factor) chart.dispatchAction({ type: "graphRoam", zoom: factor, originX: chart.getWidth() / 2, originY: chart.getHeight() / 2 });
  else draw(element);
}

function draw(element) {
  const chart = drawn.get(element) || echarts.init(element, null, { renderer: "svg" });
  if (!drawn.has(element)) {
    drawn.set(element, chart);
    const links = JSON.parse(element.dataset.links || "[]");
    chart.on("click", (point) => {
      const address = (point.data && point.data.href) || links[point.dataIndex];
      if (address) window.location.assign(address);
    });
    const map = element.dataset.chart.includes('"type": "graph"');
    new ResizeObserver(() => { chart.resize(); if (map) draw(element); }).observe(element);
  }
  const options = dressed(JSON.parse(element.dataset.chart), element);
  // Dressing may have made the frame higher; nothing is drawn for the frame as it was.
  if (chart.getHeight() !== element.clientHeight || chart.getWidth() !== element.clientWidth) chart.resize();
  chart.setOption(options, true);
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

document.addEventListener("click", zoomed);
document.fonts.ready.then(() => drawAll());
document.body.addEventListener("htmx:afterSettle", (event) => drawAll(event.detail.elt));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll());
new MutationObserver(() => drawAll()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
// While this is told the page is laid out for the screen still, so the size on paper is said, as print.css has it.
const millimetres = (length) => (length / 25.4) * 96;
window.addEventListener("beforeprint", () => drawn.forEach((chart) => {
  chart.resize({ width: millimetres(170), height: Math.min(chart.getHeight(), millimetres(165)) });
  chart.getZr().flush();
}));
window.addEventListener("afterprint", () => drawn.forEach((chart) => chart.resize({ width: "auto", height: "auto" })));
