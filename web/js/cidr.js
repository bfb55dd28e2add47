// Just enough address arithmetic to search and to draw. The server decides everything that matters.

// parse reads an address or a CIDR and returns {bits, first, last, length}, or null for any other text.
export function parse(text) {
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text.trim());
  if (!match) return null;
  const bits = match[1].includes(':') ? 128 : 32;
  const address = bits === 128 ? parse6(match[1]) : parse4(match[1]);
  const length = match[2] === undefined ? bits : Number(match[2]);
  if (address === null || length > bits) return null;
  const size = 1n << BigInt(bits - length);
  const first = (address / size) * size;
  return { bits, length, first, last: first + size - 1n };
}

export function overlaps(a, b) {
  return a.bits === b.bits && a.first <= b.last && b.first <= a.last;
}

// slot returns the CIDR of the i-th block of the given length inside a parsed pool.
export function slot(pool, length, i) {
  return format(pool.bits, pool.first + (BigInt(i) << BigInt(pool.bits - length))) + '/' + length;
}

function format(bits, address) {
  return bits === 32 ? format4(address) : format6(address);
}

function parse4(text) {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let address = 0n;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return null;
    address = address * 256n + BigInt(part);
  }
  return address;
}

function format4(address) {
  return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
}

function parse6(text) {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = halves[0] ? halves[0].split(':') : [];
  const tail = halves.length === 2 && halves[1] ? halves[1].split(':') : [];
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return null;
  let address = 0n;
  for (const group of [...head, ...Array(gap).fill('0'), ...tail]) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null;
    address = (address << 16n) + BigInt('0x' + group);
  }
  return address;
}

// format6 writes RFC 5952: the longest run of zero groups, of two or more, becomes "::".
function format6(address) {
  const groups = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(((address >> shift) & 0xffffn).toString(16));
  let from = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === '0') run++;
    if (run > longest) [from, longest] = [i, run];
  }
  if (from < 0) return groups.join(':');
  return groups.slice(0, from).join(':') + '::' + groups.slice(from + longest).join(':');
}
