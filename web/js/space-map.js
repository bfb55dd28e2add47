// The address map: a Hilbert square. Every aligned CIDR is a square or a 2:1 rectangle, and neighbours in number are
// neighbours on the page.
import { parse } from './cidr.js';

const SVG = 'http://www.w3.org/2000/svg';

// DEPTH is how many bits below the pool are told apart; a smaller block is drawn as one cell.
const DEPTH = 12;

// STRIPED are the kinds that something may still become: nothing lives there yet.
const STRIPED = ['k-reservation', 'k-hold', 'k-draft'];

// layout places blocks on the map of a pool: [{x, y, width, height, block}] with the size of the whole in cells.
export function layout(poolCIDR, blocks) {
  const pool = parse(poolCIDR);
  const depth = Math.min(DEPTH, pool.bits - pool.length);
  const side = 2 ** Math.ceil(depth / 2);
  const whole = rectangle(side, 0, 2 ** depth);
  const cells = blocks.map((block) => {
    const cidr = parse(block.cidr);
    const below = Math.min(depth, cidr.length - pool.length);
    const start = Number((cidr.first - pool.first) >> BigInt(pool.bits - pool.length - depth));
    return { ...rectangle(side, start, 2 ** (depth - below)), block };
  });
  return { width: whole.width, height: whole.height, cells };
}

// drawMap draws the blocks, each with the class of its kind and, where colour is given, one of its own. What fades is only hatched.
export function drawMap(svg, blocks, poolCIDR, colour = () => '', fades = () => false) {
  if (!poolCIDR) return;
  const map = layout(poolCIDR, blocks);
  // One unit of the drawing is a 64th of the longer side, so that strokes and letters have one size in every pool.
  const unit = 256 / Math.max(map.width, map.height);
  svg.setAttribute('viewBox', `0 0 ${map.width * unit} ${map.height * unit}`);
  const parts = [stripes()];
  map.cells.forEach((cell, i) => {
    const rect = document.createElementNS(SVG, 'rect');
    place(rect, cell, unit);
    const faded = fades(cell.block);
    rect.setAttribute('class', faded ? 'faded' : kindOf(cell.block) + ' ' + colour(cell.block));
    rect.dataset.block = i;
    parts.push(rect);
    if (faded) return;
    if (STRIPED.includes(kindOf(cell.block))) parts.push(texture(cell, unit));
    const label = letters(cell, unit);
    if (label) parts.push(label);
  });
  svg.replaceChildren(...parts);
}

// kindOf names the class that gives a block its colour.
export function kindOf(block) {
  if (block.status === 'free') return 'k-free';
  if (block.status === 'quarantined' || block.status === 'blocked') return 'k-blocked';
  return isDraft(block) ? 'k-draft' : 'k-' + (block.kind || 'allocation');
}

// isDraft says whether a block is a pool that only a plan knows.
export function isDraft(block) {
  return block.kind === 'pool' && block.status === 'held';
}

// stateWord says what a block is, for everyone who does not see colours.
export function stateWord(block) {
  if (block.status === 'free' || block.status === 'quarantined' || block.status === 'blocked') return block.status;
  if (isDraft(block)) return 'draft pool, planned';
  return { pool: 'child pool', allocation: 'allocated', reservation: 'reserved', hold: 'held' }[block.kind] || block.status;
}

function place(element, cell, unit) {
  element.setAttribute('x', cell.x * unit);
  element.setAttribute('y', cell.y * unit);
  element.setAttribute('width', cell.width * unit);
  element.setAttribute('height', cell.height * unit);
  element.setAttribute('rx', Math.min(2, cell.width * unit / 4));
}

function texture(cell, unit) {
  const rect = document.createElementNS(SVG, 'rect');
  place(rect, cell, unit);
  rect.setAttribute('class', 'texture');
  return rect;
}

function stripes() {
  const defs = document.createElementNS(SVG, 'defs');
  const pattern = document.createElementNS(SVG, 'pattern');
  for (const [name, value] of [['id', 'stripes'], ['width', 4], ['height', 4], ['patternUnits', 'userSpaceOnUse'], ['patternTransform', 'rotate(45)']]) pattern.setAttribute(name, value);
  const stripe = document.createElementNS(SVG, 'rect');
  stripe.setAttribute('width', 1.4);
  stripe.setAttribute('height', 4);
  stripe.setAttribute('class', 'stripe');
  pattern.append(stripe);
  defs.append(pattern);
  return defs;
}

// letters writes a name into a block that has room for it.
function letters(cell, unit) {
  const name = cell.block.name || '';
  const room = Math.floor((cell.width * unit - 6) / 4.6);
  if (!name || room < 4 || cell.height * unit < 12) return null;
  const text = document.createElementNS(SVG, 'text');
  text.setAttribute('x', cell.x * unit + 4);
  text.setAttribute('y', cell.y * unit + 10);
  text.textContent = name.length > room ? name.slice(0, room - 1) + '…' : name;
  return text;
}

// rectangle is the box of n cells (a power of two, aligned) of the curve: one square of 4^k, or two that touch.
function rectangle(side, start, n) {
  const edge = 2 ** Math.floor(Math.log2(n) / 2);
  const squares = n === edge * edge ? [start] : [start, start + edge * edge];
  const corners = squares.map((cell) => corner(side, cell, edge));
  const x = Math.min(...corners.map((c) => c[0]));
  const y = Math.min(...corners.map((c) => c[1]));
  return { x, y, width: Math.max(...corners.map((c) => c[0])) - x + edge, height: Math.max(...corners.map((c) => c[1])) - y + edge };
}

function corner(side, cell, edge) {
  const [x, y] = hilbert(side, cell);
  return [x - (x % edge), y - (y % edge)];
}

// hilbert returns where the d-th cell of the curve lies in a square of the given side.
function hilbert(side, d) {
  let x = 0;
  let y = 0;
  for (let s = 1, t = d; s < side; s *= 2, t = Math.floor(t / 4)) {
    const rx = 1 & Math.floor(t / 2);
    const ry = 1 & (t ^ rx);
    if (ry === 0) {
      if (rx === 1) [x, y] = [s - 1 - x, s - 1 - y];
      [x, y] = [y, x];
    }
    x += s * rx;
    y += s * ry;
  }
  return [x, y];
}
