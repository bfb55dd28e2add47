// The size ladder of a pool: one rung per prefix length, with a chip per block where few enough exist, else a gauge.
import { parse, slot } from './cidr.js';
import { addresses } from './format.js';
import { kindOf, stateWord } from './space-map.js';

// MOST_CHIPS is how many blocks fit beside each other and can still be hit. Longer rungs show their share only.
const MOST_CHIPS = 8;
const MOST_RUNGS = 8;

// ladder builds the rungs from the free blocks by size and, for the chips, from the space map. complete says whether the
// whole map is known: an unknown chip would be a lie.
export function ladder(pool, freeBlocks, space, complete) {
  if (!freeBlocks.length) return [];
  const parent = parse(pool.cidr);
  const last = Math.min(parent.bits, parent.length + MOST_RUNGS, pool.max_prefix_length || parent.bits);
  // A pool that serves small blocks only still shows the sizes it serves.
  const first = Math.max(parent.length, Math.min(last, Math.max(parent.length + 1, (pool.min_prefix_length || 0) - 1)));
  const blocks = space.map((block) => ({ ...block, at: parse(block.cidr) }));
  const rungs = [];
  for (let length = first; length <= last; length++) rungs.push(rung(parent, length, freeBlocks, blocks, complete));
  return rungs;
}

function rung(pool, length, freeBlocks, blocks, complete) {
  const total = 1n << BigInt(length - pool.length);
  const fits = freeBlocks.filter((free) => free.prefix_length <= length)
    .reduce((sum, free) => sum + BigInt(free.count) * (1n << BigInt(length - free.prefix_length)), 0n);
  const first = lowest(freeBlocks, length);
  const chips = complete && total <= MOST_CHIPS ? chipsOf(pool, length, Number(total), blocks) : [];
  const taken = 100 - Number((fits * 1000n) / total) / 10;
  const text = addresses(fits.toString()) + ' of ' + addresses(total.toString()) + ' free';
  return Object.freeze({
    size: '/' + length, chips, gauge: chips.length === 0, gaugeStyle: { width: (fits > 0n ? Math.min(taken, 98) : taken) + '%' },
    first, firstLabel: text + ', the lowest is ' + first, text,
  });
}

// lowest is the first block of a length, cut from the lowest free block that is large enough.
function lowest(freeBlocks, length) {
  const fitting = freeBlocks.filter((free) => free.prefix_length <= length).map((free) => parse(free.first));
  if (!fitting.length) return '';
  return slot(fitting.reduce((low, free) => (free.first < low.first ? free : low)), length, 0);
}

function chipsOf(pool, length, total, blocks) {
  const chips = [];
  let from = 0;
  for (let i = 0; i < total; i++) {
    const cidr = slot(pool, length, i);
    const at = parse(cidr);
    while (from < blocks.length && blocks[from].at.last < at.first) from++;
    const inside = [];
    for (let k = from; k < blocks.length && blocks[k].at.first <= at.last; k++) inside.push(blocks[k]);
    chips.push(chip(cidr, inside));
  }
  return chips;
}

function chip(cidr, inside) {
  const taken = inside.filter((block) => block.status !== 'free');
  if (!taken.length) return { cidr, class: 'free', why: cidr + ' is free', free: true };
  const holder = taken[0];
  const who = cidr + ': ' + (holder.name || holder.cidr) + ' (' + stateWord(holder) + ', ' + holder.cidr + ')';
  const more = taken.length > 1 ? ' and ' + (taken.length - 1) + ' more' : '';
  return { cidr, class: (taken.length === inside.length ? 'taken ' : 'partly ') + kindOf(holder), why: who + more, free: false };
}
