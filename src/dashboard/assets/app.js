// What moves on the pages of the dashboard. They are whole without it, but for the buttons and the charts.
import { startActions } from './actions.js'
import { drawCharts } from './charts.js'
import { startKeys } from './keys.js'
import { startLive } from './live.js'
import { startSelection } from './selection.js'
import { startTimes } from './times.js'

startTimes()
drawCharts()
startSelection()
startActions()
startKeys()
startLive()
// From here on buttons do something, and look like it.
document.documentElement.dataset.ready = ''
