// The space bar of the chosen pool as an instrument: what is under the pointer, the finger or the arrow keys is said in words, and Enter
// chooses it on the map. It is drawn from the first address to the last.
import { parse } from './cidr.js';
import { percent } from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

// NAMED is how many blocks are named of a stretch.
const NAMED = 3;

// THINNEST is the least width that can still be hit, in thousandths of the bar.
const THINNEST = 6;

const WORDS = { pool: 'Child pools', allocation: 'Allocated', reservation: 'Reserved', hold: 'Held', quarantine: 'In quarantine', free: 'Free' };

// drawn are the stretches that a bar shows.
const drawn = new WeakMap();

// poolBar is a part of the panel, which has blocks, cidr and name.
export function poolBar() {
  return {
    stretches: [], barAt: -1, barOver: -1,

    get barText() {
      const at = this.barOver >= 0 ? this.barOver : this.barAt;
      return this.stretches[at] ? said(this.stretches[at], inside(this.stretches[at], this.blocks, this.cidr)) : '';
    },
    get barHint() { return 'Choose a stretch: by pointer, tap or arrow keys. Enter shows it on the map.'; },
    get barLabel() { return 'Space of ' + this.name + ' from its first address to its last. The arrow keys go along it.'; },

    layBar(node, at = -1) {
      this.stretches = withGaps(node.space_bar);
      this.barAt = Math.min(at, this.stretches.length - 1);
      this.barOver = -1;
    },

    // drawPoolBar draws anew only what is another bar: a stretch that went between the press and the release of a pointer would not be clicked.
    drawPoolBar(svg, stretches, chosen) {
      if (drawn.get(svg) === stretches) {
        [...svg.children].forEach((rect, at) => rect.classList.toggle('chosen', at === chosen));
        return;
      }
      drawn.set(svg, stretches);
      svg.replaceChildren(...stretches.map((s, at) => {
        const rect = document.createElementNS(SVG, 'rect');
        const width = Math.max(THINNEST, (s.end - s.start) * 1000);
        for (const [name, value] of [['x', Math.min(1000 - width, s.start * 1000)], ['width', width], ['y', 0], ['height', 14], ['class', 'k-' + s.kind + (at === chosen ? ' chosen' : '')]]) rect.setAttribute(name, value);
        rect.dataset.stretch = at;
        return rect;
      }));
    },

    barPoint(event) { this.barOver = event.pointerType === 'touch' ? -1 : at(event); },
    barLeave() { this.barOver = -1; },
    barChoose(event) { if (at(event) >= 0) this.barAt = at(event); },

    barKey(event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const edge = { Home: 0, End: this.stretches.length - 1 }[event.key];
      if (step || edge !== undefined) {
        event.preventDefault();
        event.stopPropagation();
        const to = edge === undefined ? (this.barAt < 0 ? 0 : this.barAt + step) : edge;
        this.barAt = Math.min(this.stretches.length - 1, Math.max(0, to));
      } else if (event.key === 'Enter' && this.stretches[this.barAt]) {
        event.preventDefault();
        const [first] = inside(this.stretches[this.barAt], this.blocks, this.cidr);
        if (first) this.choosing(this.blocks.indexOf(first));
      }
    },
  };
}

function at(event) { return event.target.dataset.stretch === undefined ? -1 : Number(event.target.dataset.stretch); }

// withGaps puts what is free between what is not.
function withGaps(segments) {
  const all = [];
  let end = 0;
  for (const s of segments) {
    if (s.start > end) all.push({ start: end, end: s.start, kind: 'free' });
    all.push(s);
    end = s.end;
  }
  if (end < 1) all.push({ start: end, end: 1, kind: 'free' });
  return Object.freeze(all);
}

// inside are the blocks of a kind that a stretch is drawn for, as far as they are loaded.
function inside(stretch, blocks, cidr) {
  const pool = parse(cidr);
  if (!pool) return [];
  const size = pool.last - pool.first + 1n;
  const share = (n) => Number((n * 1000000000n) / size) / 1000000000;
  return blocks.filter((b) => {
    const range = parse(b.cidr);
    if ((b.status === 'free') !== (stretch.kind === 'free') || (b.status !== 'free' && b.kind !== stretch.kind)) return false;
    return share(range.first - pool.first) < stretch.end && share(range.last - pool.first + 1n) > stretch.start;
  });
}

function said(stretch, found) {
  const names = found.slice(0, NAMED).map((b) => b.cidr + (b.name ? ' ' + b.name : ''));
  const more = found.length > NAMED ? ' and ' + (found.length - NAMED) + ' more' : '';
  return WORDS[stretch.kind] + ', about ' + percent(stretch.end - stretch.start) + ' of the pool' + (names.length ? ': ' + names.join(', ') + more : '');
}
