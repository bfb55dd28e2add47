// Numbers and times in the words people use for them.

const UNITS = [['T', 1000000000000n], ['G', 1000000000n], ['M', 1000000n], ['k', 1000n]];

// addresses shortens a decimal string of any size: "65,536", "16.8 M", "≈ 2^84".
export function addresses(decimal) {
  const n = BigInt(decimal);
  if (n < 100000n) return group(n);
  if (n >= 1000n * UNITS[0][1]) return power(n);
  const [name, unit] = UNITS.find(([, size]) => n >= size);
  const tenths = (n * 10n) / unit;
  return tenths >= 1000n ? tenths / 10n + ' ' + name : tenths / 10n + '.' + (tenths % 10n) + ' ' + name;
}

function group(n) {
  return n.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function power(n) {
  const exponent = n.toString(2).length - 1;
  return ((1n << BigInt(exponent)) === n ? '2^' : '≈ 2^') + exponent;
}

// percent never rounds to "0 %" or "100 %" what is not exactly that.
export function percent(ratio) {
  const p = ratio * 100;
  if (p <= 0) return '0 %';
  if (p >= 100) return '100 %';
  if (p < 0.1) return '< 0.1 %';
  if (p < 10) return (Math.floor(p * 10) / 10).toFixed(1) + ' %';
  return (p > 99 ? Math.floor(p * 10) / 10 : Math.round(p)) + ' %';
}

export function prefixLength(length) {
  return length === undefined || length === null ? 'none' : '/' + length;
}

// age is how long ago a moment was, in its largest unit.
export function age(moment, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment)) / 1000));
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min';
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h';
  return Math.floor(seconds / 86400) + ' d';
}

// until is how far ahead a moment is, in its largest unit.
export function until(moment, now = Date.now()) {
  return Date.parse(moment) <= now ? 'now' : 'in ' + age(new Date(now), Date.parse(moment));
}

export function moment(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

// shortMoment leaves out the year, for what is near.
export function shortMoment(text) {
  return new Date(text).toLocaleString(undefined, { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' });
}

// plural counts: plural(1, 'pool') is "1 pool".
export function plural(n, noun) {
  return group(BigInt(n)) + ' ' + noun + (Number(n) === 1 ? '' : 's');
}

export function labelText(labels) {
  return Object.entries(labels || {}).map(([key, value]) => key + '=' + value).sort().join(', ');
}

// holdName says what a hold without the name of an allocation is for: such names were made for machines.
export function holdName(name) {
  const kind = name.slice(0, name.indexOf(':') + 1);
  if (kind === 'rename:') return 'another name, ' + name.slice(kind.length);
  return {
    'growth:': 'growth of an allocation', 'shrink:': 'what the pool gives up', 'leaving:': 'what its plan releases', 'enclosed:': 'an enclosed pool', 'reservation:': 'a reservation',
  }[kind] || name;
}

export function isGrowth(name) { return name.startsWith('growth:'); }
