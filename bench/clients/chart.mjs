// A bar for each query: our time over the better of DuckDB's and ClickHouse's, on a logarithmic scale. To the left of
// the middle line we are faster. The dot is the heap with its indexes.

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export function chart(lines, caption) {
  const row = 18
  const left = 170
  const right = 90
  const top = 84
  const plot = 640
  const width = left + plot + right
  const height = top + lines.length * row + 40
  const values = lines.flatMap((line) => [line.ratio, line.heapRatio]).filter((value) => value > 0)
  const low = Math.floor(Math.log10(Math.min(0.1, ...values)))
  const high = Math.ceil(Math.log10(Math.max(10, ...values)))
  const x = (value) => left + ((Math.log10(value) - low) / (high - low)) * plot
  const bottom = top + lines.length * row
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="22" font-size="15" font-weight="bold" fill="#222222">Time of each query over the better of DuckDB and ClickHouse</text>`,
    `<text x="12" y="40" fill="#555555">${escape(caption)}</text>`,
    `<rect x="12" y="50" width="12" height="10" fill="#2a8a57"/><text x="29" y="59" fill="#222222">hanzo_columnar, faster</text>`,
    `<rect x="200" y="50" width="12" height="10" fill="#d2733a"/><text x="217" y="59" fill="#222222">hanzo_columnar, slower</text>`,
    `<circle cx="394" cy="55" r="4" fill="#ffffff" stroke="#3b5a94" stroke-width="1.5"/><text x="405" y="59" fill="#222222">heap with its indexes</text>`,
  ]
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power).toFixed(1)
    const middle = power === 0
    out.push(
      `<line x1="${at}" y1="${top - 4}" x2="${at}" y2="${bottom}" stroke="${middle ? '#222222' : '#dddddd'}"/>`,
      `<text x="${at}" y="${top - 8}" text-anchor="middle" fill="#555555">${power < 0 ? `1/${10 ** -power}` : 10 ** power}×</text>`,
      `<text x="${at}" y="${bottom + 16}" text-anchor="middle" fill="#555555">${power < 0 ? `1/${10 ** -power}` : 10 ** power}×</text>`,
    )
  }
  lines.forEach((line, i) => {
    const y = top + i * row
    out.push(`<text x="${left - 8}" y="${y + 13}" text-anchor="end" fill="#222222">${escape(line.name)}</text>`)
    if (line.ratio > 0) {
      const from = Math.min(x(1), x(line.ratio))
      const length = Math.max(1, Math.abs(x(line.ratio) - x(1)))
      out.push(
        `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${length.toFixed(1)}" height="${row - 6}" fill="${line.ratio <= 1 ? '#2a8a57' : '#d2733a'}"/>`,
        `<text x="${width - 8}" y="${y + 13}" text-anchor="end" fill="#222222">${line.ratio.toFixed(2)}</text>`,
      )
    }
    if (line.heapRatio > 0)
      out.push(`<circle cx="${x(line.heapRatio).toFixed(1)}" cy="${y + row / 2}" r="4" fill="#ffffff" stroke="#3b5a94" stroke-width="1.5"/>`)
  })
  out.push('</svg>')
  return `${out.join('\n')}\n`
}
