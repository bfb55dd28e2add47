// What was made when: a line for each kind, and the table that says the same.
import { words } from './amounts.js';
import { get } from './api.js';
import { plural } from './format.js';
import { drawLines, follow } from './lines.js';
import { part, read } from './parts.js';

const KINDS = [['allocations', 'allocation', 'k-allocation'], ['pools', 'pool', 'k-pool'], ['reservations', 'reservation', 'k-reservation'], ['holds', 'hold', 'k-hold'], ['quarantines', 'quarantine', 'k-quarantine']];

// BACK is how many days a step looks back.
const BACK = { day: 30, week: 182, month: 730 };

export function over() {
  let chart = null;

  return {
    made: part(), times: [], madeTold: '', stepsMade: [], madeKinds: KINDS.map(([, word, kind]) => ({ name: word + 's', kind })),

    get madeNote() { return this.madeTold || 'What there is now, by the time at which it was made.'; },
    get noneMade() { return this.made.state === 'ready' && !this.stepsMade.length; },

    readMade() {
      const since = new Date(Date.now() - BACK[this.step] * 86400000).toISOString();
      return read(this.made, () => get(['analytics', 'creations'], { since, step: this.step, ...this.where }), ({ steps }) => {
        const some = steps.filter((s) => KINDS.some(([name]) => s[name]));
        this.stepsMade = some.length ? [...some].reverse().map((s) => ({ key: s.start, day: day(s.start), href: this.stepLink(steps, steps.indexOf(s)), counts: KINDS.map(([name]) => ({ name, n: String(s[name]) })) })) : [];
        chart = { steps: some.length ? steps : [] };
        this.$nextTick(() => this.drawMade());
      });
    },

    // stepLink leads to the events of a step.
    stepLink(steps, at) {
      return '/audit' + words({ scope: this.where.scope, since: steps[at].start, until: steps[at + 1] ? steps[at + 1].start : '' });
    },

    watchMade(element) { follow(element, () => this.drawMade()); },

    drawMade() {
      if (!chart) return;
      const { steps } = chart;
      drawLines(this.$root.querySelector('[data-chart=made]'), {
        times: steps.map((s) => Date.parse(s.start) / 1000), y: (n) => String(n), stepped: true, series: KINDS.map(([name, word, kind]) => ({ name: word, kind, values: steps.map((s) => s[name]) })),
        told: (at) => { this.madeTold = at === null || at === undefined ? '' : day(steps[at].start) + ': ' + (KINDS.filter(([name]) => steps[at][name]).map(([name, word]) => plural(steps[at][name], word)).join(', ') || 'nothing'); },
        go: (at) => this.stepLink(steps, at),
      });
    },
  };
}

function day(text) { return new Date(text).toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: 'UTC' }); }
