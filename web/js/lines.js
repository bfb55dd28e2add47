// Lines over time, drawn by uPlot. What it shows is in a table beside it, for everybody who does not see it.

// line is one series: the class of its colour, its name and its values. Where one is unknown it is null.
const HEIGHT = 210;

// drawLines draws series of {name, kind, values} over moments in seconds. y tells how a value of the axis is written, told what is
// under the pointer, and go is where a click at a moment leads.
export function drawLines(element, { times, series, y, most, stepped, told, go }) {
  if (element.chart) element.chart.destroy();
  element.chart = null;
  if (!times.length) return;
  const colour = (kind) => colourOf(element, kind);
  const axis = { stroke: colour('muted'), grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false }, font: '11.5px Inter, system-ui, sans-serif' };
  const paths = stepped ? globalThis.uPlot.paths.stepped({ align: 1 }) : undefined;
  element.chart = new globalThis.uPlot({
    width: Math.max(200, element.clientWidth), height: HEIGHT, legend: { show: false }, padding: [12, 8, 0, 0],
    cursor: { drag: { setScale: false }, y: false, points: { size: 7 } },
    scales: { y: { range: (chart, low, high) => [0, most || Math.max(1, high * 1.08)] } },
    axes: [axis, { ...axis, size: 46, values: (chart, values) => values.map(y) }],
    series: [{}, ...series.map((one) => ({ label: one.name, stroke: colour(one.kind), width: 2, paths, points: { show: times.length < 2 }, spanGaps: true }))],
    hooks: { setCursor: [(chart) => told(chart.cursor.idx)] },
  }, [times, ...series.map((one) => one.values)], element);
  if (!go) return;
  element.chart.over.addEventListener('click', () => {
    const at = element.chart.cursor.idx;
    if (at !== null && at !== undefined && go(at)) location.assign(go(at));
  });
}

// follow draws again when the width or the theme changes: a canvas knows neither.
export function follow(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (element.clientWidth === width || !element.clientWidth) return;
    width = element.clientWidth;
    draw();
  }).observe(element);
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}

// colourOf asks the stylesheet, which alone knows the colours of both themes.
function colourOf(element, kind) {
  const probe = document.createElement('i');
  probe.className = 'ink ' + kind;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
