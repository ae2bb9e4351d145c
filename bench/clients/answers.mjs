// Are two engines' answers the same? Engines write the same value differently: 1.50 and 1.5, a time with or without its
// zone, a sum as an exact decimal or as a double.

const number = /^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/
const integer = /^-?\d+$/
const time = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00(?::?00)?)?)?$/

function canonical(value) {
  if (value === null || value === undefined) return null
  const text = String(value)
  const parts = text.match(time)
  if (parts) return `${parts[1]} ${parts[2] ?? '00:00:00'}.${(parts[3] ?? '').padEnd(6, '0')}`
  return text
}

// Whole numbers must agree in every digit, others in nine.
function sameValue(left, right) {
  const a = canonical(left)
  const b = canonical(right)
  if (a === b) return true
  if (a === null || b === null || !number.test(a) || !number.test(b)) return false
  if (integer.test(a) && integer.test(b)) return BigInt(a) === BigInt(b)
  const scale = Math.max(Math.abs(Number(a)), Math.abs(Number(b)))
  return Math.abs(Number(a) - Number(b)) <= scale * 1e-9
}

const show = (row) => (row ? row.map((value) => canonical(value) ?? 'NULL').join(' | ') : '(no row)')

// null where they agree, or else what differs first. Rows are compared in their order, which each query determines.
export function difference(left, right) {
  if (left.length !== right.length) {
    const at = left.findIndex((row, i) => !right[i] || !row.every((value, j) => sameValue(value, right[i][j])))
    const place = at < 0 ? left.length : at
    return { what: `${left.length} rows against ${right.length}; row ${place + 1}`, left: show(left[place]), right: show(right[place]) }
  }
  for (let i = 0; i < left.length; i++) {
    if (left[i].length !== right[i].length) return { what: `columns of row ${i + 1}`, left: show(left[i]), right: show(right[i]) }
    const column = left[i].findIndex((value, j) => !sameValue(value, right[i][j]))
    if (column >= 0) return { what: `row ${i + 1}, column ${column + 1}`, left: show(left[i]), right: show(right[i]) }
  }
  return null
}
