// When the space of pools runs out: lines from what was free, over what is, to where nothing will be, at the pace of late.
import { ratio } from './amounts.js';
import { get } from './api.js';
import { percent } from './format.js';
import { drawLines, follow } from './lines.js';
import { part, read } from './parts.js';
import { lasting } from './runway.js';

// LINES is how many pools have a line, ROWS how many a row.
const LINES = 6;
const ROWS = 20;

const DAY = 86400;

// AHEAD is how far the picture looks at most, in days.
const AHEAD = 400;

export function runwayChart() {
  let pools = [];

  return {
    runway: part(), lastingRows: [], runwayTold: '', runwayNoteOf: '',

    get noRunway() { return this.runway.state === 'ready' && !this.lastingRows.length; },
    get runwayNote() { return this.runwayTold || this.runwayNoteOf; },

    readRunway() {
      return read(this.runway, () => get(['analytics', 'runway'], this.where), (answer) => {
        pools = answer.pools.filter((p) => p.space > 0).slice(0, LINES);
        this.lastingRows = answer.pools.slice(0, ROWS).map((p, i) => ({ ...lasting(p), kind: i < LINES ? 'v-' + i : 'v-none' }));
        this.runwayNoteOf = answer.pools.length > ROWS ? 'The ' + ROWS + ' that run out first, of ' + answer.pools.length + '.' : 'What is free of a pool, at the pace of the last 30 days.';
        this.$nextTick(() => this.drawRunway());
      });
    },

    watchRunway(element) { follow(element, () => this.drawRunway()); },

    drawRunway() {
      const now = Math.floor(Date.now() / 1000);
      const far = now + DAY * Math.min(AHEAD, Math.max(7, ...pools.map((p) => p.days)));
      // Every line has its own corners: where its pace began, now, and where it ends; all know the edges of the picture.
      const corners = pools.map((p) => ({ p, began: Date.parse(p.since) / 1000, out: now + DAY * p.days }));
      const times = [...new Set([far, now, ...corners.flatMap(({ began, out }) => [began, Math.min(out, far)])])].sort((a, b) => a - b);
      drawLines(this.$root.querySelector('[data-chart=runway]'), {
        times: pools.length ? times : [], y: (share) => Math.round(share * 100) + ' %', most: 1,
        series: corners.map(({ p, began, out }, i) => ({ name: p.pool, kind: 'v-' + i, values: times.map((at) => freeAt(p, began, now, out, at)) })),
        told: (at) => { this.runwayTold = at === null || at === undefined ? '' : new Date(times[at] * 1000).toLocaleDateString(undefined, { dateStyle: 'medium' }) + ': ' + corners.map(({ p, began, out }) => [p.pool, freeAt(p, began, now, out, times[at])]).filter(([, share]) => share !== null).map(([pool, share]) => pool + ' ' + percent(share)).join(', '); },
      });
    },
  };
}

// freeAt is the share of a pool that was or will be free, or null before its pace began.
function freeAt(p, began, now, out, at) {
  if (at < began) return null;
  const free = ratio(p.free.space, p.space);
  if (at >= out) return 0;
  if (at <= now) return Math.min(1, free + (ratio(p.grown.space, p.space) * (now - at)) / Math.max(1, now - began));
  return (free * (out - at)) / Math.max(1, out - now);
}
