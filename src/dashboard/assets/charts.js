// Draws the charts of a page with uPlot. What a chart shows stands in its attribute data-chart.
const { uPlot } = /** @type {any} */ (globalThis)
const HEIGHT = 170

/** @type {WeakMap<Element, { json: string, plot: any }>} */
const drawn = new WeakMap()

const sizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (contentRect.width > 0)
      drawn.get(target)?.plot.setSize({ width: contentRect.width, height: HEIGHT })
  }
})

/** @param {ParentNode} root */
export function drawCharts(root = document) {
  for (const element of root.querySelectorAll('[data-chart]')) draw(element)
}

// Its colours are those of the style sheet, read when it is drawn.
const redraw = () => {
  for (const element of document.querySelectorAll('[data-chart]')) {
    forget(element)
    draw(element)
  }
}
addEventListener('millrace:theme', redraw)
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)

function draw(element) {
  const json = element.dataset.chart
  const known = drawn.get(element)
  if (known?.json === json) return
  const chart = JSON.parse(json)
  const data = [chart.times, ...chart.series.map(({ values }) => values)]
  if (known !== undefined && known.plot.series.length === data.length) {
    known.plot.setData(data, false)
    known.plot.setScale('x', { min: chart.span[0], max: chart.span[1] })
    known.json = json
    return
  }
  forget(element)
  const plot = new uPlot(optionsOf(chart, element), data, element)
  plot.setScale('x', { min: chart.span[0], max: chart.span[1] })
  drawn.set(element, { json, plot })
  sizes.observe(element)
}

function forget(element) {
  drawn.get(element)?.plot.destroy()
  drawn.delete(element)
  sizes.unobserve(element)
}

function optionsOf({ series, unit, span }, element) {
  const style = getComputedStyle(element)
  const colour = (name) => style.getPropertyValue(`--${name}`).trim()
  const axis = {
    stroke: colour('text-soft'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  }
  const show = (value) => (value === null || value === undefined ? '–' : formatOf(unit)(value))
  return {
    width: element.clientWidth || 400,
    height: HEIGHT,
    cursor: { sync: { key: 'time' }, points: { size: 6 } },
    scales: {
      x: { time: true, min: span[0], max: span[1] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 1] },
    },
    axes: [
      { ...axis, size: 28, values: (_plot, instants) => instants.map(clockOf(span)) },
      { ...axis, size: 58, values: (_plot, values) => values.map(show) },
    ],
    series: [
      {
        value: (_plot, value) =>
          value === null ? '–' : new Date(value * 1_000).toLocaleTimeString(),
      },
      ...series.map(({ name, colour: of }) => ({
        label: name,
        stroke: colour(of),
        fill: series.length === 1 ? faint(colour(of)) : undefined,
        width: 1.5,
        points: { show: false },
        value: (_plot, value) => show(value),
      })),
    ],
  }
}

/** Times of day; over more than two days the day too. */
function clockOf([from, to]) {
  const day = to - from > 2 * 86_400 ? { month: 'short', day: 'numeric' } : {}
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  const format = new Intl.DateTimeFormat('en', /** @type {any} */ ({ ...day, ...time }))
  return (seconds) => format.format(new Date(seconds * 1_000))
}

/** `rgb(1, 2, 3)` with an eighth of its strength. */
function faint(rgb) {
  return rgb.replace('rgb(', 'rgba(').replace(')', ', 0.12)')
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

function formatOf(unit) {
  switch (unit) {
    case 'ms':
      return duration
    case 'share':
      return (value) => `${compact.format(value * 100)} %`
    default:
      return (value) => compact.format(value)
  }
}

function duration(ms) {
  if (ms < 1_000) return `${compact.format(ms)} ms`
  if (ms < 60_000) return `${compact.format(ms / 1_000)} s`
  return ms < 3_600_000
    ? `${compact.format(ms / 60_000)} min`
    : `${compact.format(ms / 3_600_000)} h`
}
