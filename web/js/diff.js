// What an event changed: the fields whose value is another one afterwards.

// QUIET are fields that change with every event and say nothing.
const QUIET = ['version', 'updated_at'];

export function diff(before, after) {
  const names = [...new Set([...Object.keys(before || {}), ...Object.keys(after || {})])].filter((name) => !QUIET.includes(name)).sort();
  return names.map((name) => ({ name, before: words((before || {})[name]), after: words((after || {})[name]) })).filter((line) => line.before !== line.after);
}

function words(value) {
  if (value === undefined || value === null || value === '') return '';
  if (typeof value !== 'object') return String(value);
  return Object.keys(value).length ? JSON.stringify(value) : '';
}
