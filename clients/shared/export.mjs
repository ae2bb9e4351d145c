// node export.mjs: the tables, rows and questions as JSON, for the tests that are not written in JavaScript.

import * as data from './data.mjs'
import { dashboards } from './dashboards.mjs'
import { tables } from './tables.mjs'

const { traceVersions, uuid, ...rows } = data
console.log(JSON.stringify({ ...rows, versions: traceVersions(data.singleTraces[4]), tables, dashboards }))
