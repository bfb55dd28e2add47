// Room to grow: the rest of a larger block around an allocation is reserved, so that nobody else gets it.
import { create } from './api.js';
import { parse, slot } from './cidr.js';
import { ask } from './form.js';

// LARGEST is how many times the block may double.
const LARGEST = 4;

// reserveRoom reserves what an allocation grows into: for each doubling the block beside.
export function reserveRoom(a) {
  const wholes = Array.from({ length: Math.min(LARGEST, a.prefix_length) }, (_, i) => a.prefix_length - 1 - i);
  ask({
    title: 'Room for ' + a.name + ' to grow', word: 'Reserve it', lead: a.cidr + ' grows where it stands while the block around it is free. What is reserved is kept for it; release the reservation when it is time to grow.',
    fields: [
      { name: 'length', label: 'Up to', kind: 'select', required: true, value: String(wholes[0]), options: wholes.map((length) => [String(length), '/' + length + ', with ' + beside(a.cidr, length).join(' and ')]) },
      { name: 'owner', label: 'Owner', value: a.owner, max: 255 }, { name: 'expires_at', label: 'Until', kind: 'moment', help: 'In your time. Left empty, it is kept until somebody releases it.' },
    ],
    async send({ length, ...more }, key) {
      const blocks = beside(a.cidr, Number(length));
      for (const [i, cidr] of blocks.entries()) await create(['reservations'], { pool: a.pool, cidr, reason: 'room for ' + a.name + ' to grow', ...more }, key + '-' + i);
      return blocks;
    },
    told: (blocks) => 'Reserved ' + blocks.join(' and '), done: () => location.assign('/reservations?' + new URLSearchParams({ pool: a.pool, q: 'room for ' + a.name })),
  });
}

// beside are the blocks that a block lacks of the larger one around it, the nearest first: one for each bit.
export function beside(cidr, length) {
  const own = parse(cidr);
  const blocks = [];
  for (let at = own.length; at > length; at--) {
    const size = 1n << BigInt(own.bits - at);
    const index = own.first / size;
    blocks.push(slot({ bits: own.bits, first: (index ^ 1n) * size }, at, 0));
  }
  return blocks;
}
